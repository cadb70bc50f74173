import * as z from 'zod/mini'
import { FIELD_NAME, type Source } from './credential/sources.ts'
import { compilePrefixes, type Prefixes } from './key/prefix.ts'
import type { Clock } from './model/clock.ts'
import { type Duration, parseDuration } from './model/duration.ts'
import type { Hasher } from './model/hasher.ts'
import { isRecord } from './model/is-object.ts'
import { NAMED_WINDOWS } from './model/limits.ts'
import type { KeyStore } from './model/store.ts'
import { isWhole } from './model/whole.ts'

// Each kind of schema that zod has is code that is loaded with it: what one question tells is asked here.
const whole = z.custom<number>((value) => isWhole(value, 1), {
  error: 'must be a whole number above 0',
  // So that a union names the field, and not itself.
  abort: false,
})
const callable = z.custom<never>((value) => typeof value === 'function', 'must be a function')
const duration = (hint = '') =>
  z.custom<Duration>((value) => (parseDuration(value) ?? 0) > 0, {
    error: `must be a time such as 250 or '10s'${hint}`,
    abort: false,
  })
/** Timers fire at once beyond 2^31 ms; nobody waits for a store that long. */
const timeout = z.custom<Duration>((value) => {
  const ms = parseDuration(value) ?? 0
  return ms > 0 && ms <= 3_600_000
}, "must be a time such as 250 or '10s', at most '1h'")
const choice = <const T extends string>(...values: readonly T[]) =>
  z.enum(values, `must be one of ${values.join(', ')}`)
const having = <T>(verbs: readonly string[], message: string) =>
  z.custom<T>((value) => verbs.every((verb) => typeof Object(value)[verb] === 'function'), message)
const flag = z.custom<boolean>((value) => typeof value === 'boolean', 'must be true or false')
const off = z.custom<false>((value) => value === false)
const object = { error: 'must be an object of known options' }

const store = having<KeyStore>(
  ['find', 'insert', 'replace', 'remove', 'list'],
  'must be a store, such as redisStore(client), with find, insert, replace, remove and list; was it called, and awaited?',
)
const hasher = having<Hasher>(
  ['make', 'check', 'outdated', 'waste'],
  'must be a hasher, such as sha256(), or a list of them',
)
const source = z.custom<Source>(isSource, 'must be a source, such as bearer() or header()')
const text = z.string('must be text')
const listOf = <T extends z.ZodMiniType>(item: T, message: string) => z.array(item, message)

/** The shape of the options. What their parts mean together is looked at when they are compiled. */
export const OPTIONS = z.strictObject(
  {
    prefix: z.pipe(
      z.unknown(),
      z.transform((input, { issues }): Prefixes => {
        const prefixes = compilePrefixes(input)
        if (typeof prefixes !== 'string') return prefixes
        issues.push({ code: 'custom', message: prefixes, input })
        return z.NEVER
      }),
    ),
    pair: z.optional(flag),
    store: z.optional(store),
    hasher: z.optional(
      z.union(
        [hasher, listOf(hasher, 'must be a list').check(z.minLength(1, 'must name at least one hasher'))],
        'must be a hasher, such as sha256(), or a list of them',
      ),
    ),
    sources: z.optional(listOf(source, 'must be a list of sources').check(z.minLength(1, 'must not be empty'))),
    scopes: z.optional(
      z.custom<Readonly<Record<string, readonly string[]>>>(isRecord, 'must be lists of actions by resource'),
    ),
    limits: z.optional(
      z.strictObject(
        {
          default: z.optional(z.unknown()),
          max: z.optional(z.unknown()),
          onFault: z.optional(choice('open', 'closed')),
          lease: z.optional(whole),
        },
        object,
      ),
    ),
    names: z.optional(choice('free', 'required', 'unique')),
    credits: z.optional(choice('key', 'owner')),
    gate: z.optional(callable),
    failures: z.optional(z.strictObject({ limit: whole, window: duration() }, { error: 'must be { limit, window }' })),
    trustedProxies: z.optional(listOf(text, 'must be a list of addresses and CIDR blocks')),
    requireTls: z.optional(flag),
    hideCredentials: z.optional(flag),
    cache: z.optional(
      z.union(
        [
          off,
          z.strictObject({
            maxLag: z.optional(duration('; for none say cache: false')),
            maxKeys: z.optional(whole),
          }),
        ],
        'must be false or { maxLag, maxKeys }, both above 0',
      ),
    ),
    storeTimeout: z.optional(timeout),
    reveal: z.optional(choice('holder', 'nobody')),
    answers: z.optional(z.unknown()),
    rateHeaders: z.optional(
      z.union([choice('standard', 'legacy', 'both'), off], "must be 'standard', 'legacy', 'both' or false"),
    ),
    realm: z.optional(
      text.check(
        z.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/, 'must be 1 to 64 printable characters without " and \\'),
      ),
    ),
    onEvent: z.optional(callable),
    clock: z.optional(z.custom<Clock>(isClock, 'must have now(), and monotonic() or none')),
    random: z.optional(callable),
    generateId: z.optional(callable),
  },
  object,
)

/** What may have been meant: a window without saying whose, or an option that begins as this one does. */
export function likelyMeant([name, window]: readonly PropertyKey[]): string {
  if (name === 'limits' && Object.keys(NAMED_WINDOWS).some((each) => each === window))
    return `; write limits.default.${String(window)}`
  const start = String(name).slice(0, 4).toLowerCase()
  const like = window === undefined ? Object.keys(OPTIONS.shape).filter((each) => startsLike(each, start)) : []
  return like.length === 0 ? '' : `; there is ${like.join(', ')}`
}

function startsLike(option: string, start: string): boolean {
  return option.toLowerCase().startsWith(start)
}

function isClock(value: unknown): boolean {
  const { now, monotonic } = Object(value) as Partial<Clock>
  return typeof now === 'function' && (monotonic === undefined || typeof monotonic === 'function')
}

function isSource(value: unknown): boolean {
  const { headers, read, foreign, scheme } = Object(value) as Record<string, unknown>
  if (typeof read !== 'function' || (foreign !== undefined && foreign !== 'ignore')) return false
  if (scheme !== undefined && scheme !== 'bearer' && scheme !== 'basic') return false
  if (!Array.isArray(headers) || headers.length === 0) return false
  return headers.every((name) => typeof name === 'string' && FIELD_NAME.test(name))
}
