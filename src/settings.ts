import { randomBytes } from 'node:crypto'
import * as z from 'zod/mini'
import { bearer, header, pair, type Source } from './credential/sources.ts'
import { hashing } from './hash/hashing.ts'
import { sha256 } from './hash/sha256.ts'
import { checkAnswers } from './http/answers.ts'
import type { RateHeaders } from './http/rate-headers.ts'
import { randomBase62 } from './key/base62.ts'
import { ID_LENGTH } from './key/format.ts'
import { compilePrefixes, type Prefixes, type PrefixOption } from './key/prefix.ts'
import type { AnswerOverrides } from './model/answer.ts'
import type { Awaitable } from './model/awaitable.ts'
import { type Clock, systemClock } from './model/clock.ts'
import { type Duration, parseDuration } from './model/duration.ts'
import { type Issue, KeywardError } from './model/errors.ts'
import type { KeyEvent } from './model/event.ts'
import type { Hasher } from './model/hasher.ts'
import { own } from './model/own.ts'
import { show } from './model/redact.ts'
import type { KeyStore } from './model/store.ts'
import { type Cidr, compileNetworks, type Networks, parseCidr } from './network/cidr.ts'
import type { ApiKeysOptions, ScopeVocabulary } from './options.ts'
import { beyondMax, type LimitPlan, parseLimits } from './policy/limits.ts'
import { scopeFlaw, type Vocabulary, vocabularyOf } from './policy/scopes.ts'
import { memoryStore } from './storage/memory.ts'

/** Options as the rest of Keyward uses them: complete, checked, frozen. */
export interface Settings {
  readonly prefixes: Prefixes
  readonly pair: boolean
  readonly store: KeyStore
  readonly hasher: Hasher
  readonly sources: readonly Source[]
  readonly vocabulary: Vocabulary | undefined
  readonly plan: LimitPlan
  readonly names: 'free' | 'required' | 'unique'
  readonly proxies: Networks | undefined
  readonly cache: { readonly maxLag: number; readonly maxKeys: number } | undefined
  readonly storeTimeout: number
  readonly reveal: 'holder' | 'nobody'
  readonly answers: AnswerOverrides | undefined
  readonly rateHeaders: RateHeaders
  readonly realm: string
  readonly onEvent: ((event: KeyEvent) => void) | undefined
  readonly clock: Clock
  readonly random: (size: number) => Uint8Array
  readonly generateId: () => Awaitable<string>
}

const callable = z.custom<never>((value) => typeof value === 'function', 'must be a function')
const duration = z.custom<Duration>((value) => (parseDuration(value) ?? 0) > 0, "must be a time such as 250 or '10s'")
const choice = <const T extends string>(...values: readonly T[]) =>
  z.enum(values, `must be one of ${values.join(', ')}`)
const having = <T>(verbs: readonly string[], message: string) =>
  z.custom<T>((value) => verbs.every((verb) => typeof Object(value)[verb] === 'function'), message)
const object = { error: 'must be an object of known options' }

const store = having<KeyStore>(
  ['find', 'insert', 'replace', 'remove', 'list'],
  'must be a store: find, insert, replace, remove, list',
)
const hasher = having<Hasher>(
  ['make', 'check', 'outdated', 'waste'],
  'must be a hasher, such as sha256(), or a list of them',
)
const source = z.custom<Source>(
  (value) =>
    typeof Object(value).read === 'function' &&
    Array.isArray(Object(value).headers) &&
    Object(value).headers.length > 0,
  'must be a source, such as bearer() or header()',
)
const text = z.string('must be text')
const listOf = <T extends z.ZodMiniType>(item: T, message: string) => z.array(item, message)

const SCHEMA = z.strictObject(
  {
    prefix: z.custom<PrefixOption>((value) => typeof compilePrefixes(value) !== 'string', {
      error: ({ input }) => String(compilePrefixes(input)),
    }),
    pair: z.optional(z.boolean('must be true or false')),
    store: z.optional(store),
    hasher: z.optional(
      z.union(
        [hasher, listOf(hasher, 'must be a list').check(z.minLength(1))],
        'must be a hasher, such as sha256(), or a list of them',
      ),
    ),
    sources: z.optional(listOf(source, 'must be a list of sources').check(z.minLength(1, 'must not be empty'))),
    scopes: z.optional(
      z.record(text, listOf(text, 'must be a list of actions'), 'must be lists of actions by resource'),
    ),
    limits: z.optional(z.strictObject({ default: z.optional(z.unknown()), max: z.optional(z.unknown()) }, object)),
    names: z.optional(choice('free', 'required', 'unique')),
    trustedProxies: z.optional(listOf(text, 'must be a list of addresses and CIDR blocks')),
    cache: z.optional(
      z.union(
        [
          z.literal(false),
          z.strictObject({
            maxLag: z.optional(duration),
            maxKeys: z.optional(z.int().check(z.positive())),
          }),
        ],
        'must be false or { maxLag, maxKeys }, both above 0',
      ),
    ),
    storeTimeout: z.optional(duration),
    reveal: z.optional(choice('holder', 'nobody')),
    answers: z.optional(z.unknown()),
    rateHeaders: z.optional(
      z.union(
        [choice('standard', 'legacy', 'both'), z.literal(false)],
        "must be 'standard', 'legacy', 'both' or false",
      ),
    ),
    realm: z.optional(
      text.check(
        z.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/, 'must be 1 to 64 printable characters without " and \\'),
      ),
    ),
    onEvent: z.optional(callable),
    clock: z.optional(having<Clock>(['now'], 'must have now()')),
    random: z.optional(callable),
    generateId: z.optional(callable),
  },
  object,
)

/** @throws KeywardError `CONFIG` that names each option that is wrong, with its value */
export function parseOptions(options: ApiKeysOptions): Settings {
  if (typeof options !== 'object' || options === null)
    throw config([{ path: '', message: 'must be an object of options' }])
  const given = own(options)
  const parsed = SCHEMA.safeParse(given)
  if (!parsed.success) throw config(parsed.error.issues.flatMap((issue) => issuesOf(issue, given)))
  const issues: Issue[] = []
  const settings = compile(given, issues)
  if (issues.length > 0) throw config(issues)
  return Object.freeze(settings)
}

function compile(given: ApiKeysOptions, issues: Issue[]): Settings {
  const { pair: paired = false, cache = {}, random = randomBytes } = given
  return {
    prefixes: compilePrefixes(given.prefix) as Prefixes,
    pair: paired,
    store: given.store ?? memoryStore(),
    hasher: hashersOf(given.hasher, issues),
    sources: given.sources ?? (paired ? [pair('x-api-key', 'x-api-secret')] : [bearer(), header('x-api-key')]),
    vocabulary: given.scopes && vocabularyFrom(given.scopes, issues),
    plan: planOf(given.limits, issues),
    names: given.names ?? 'free',
    proxies: given.trustedProxies && proxiesOf(given.trustedProxies, issues),
    cache:
      cache === false ? undefined : { maxLag: parseDuration(cache.maxLag) ?? 1000, maxKeys: cache.maxKeys ?? 10_000 },
    storeTimeout: parseDuration(given.storeTimeout) ?? 250,
    reveal: given.reveal ?? 'holder',
    answers: checkAnswers(given.answers),
    rateHeaders: given.rateHeaders ?? 'standard',
    realm: given.realm ?? 'api',
    onEvent: given.onEvent,
    clock: given.clock ?? systemClock,
    random,
    generateId: given.generateId ?? (() => randomBase62(ID_LENGTH, random)),
  }
}

function hashersOf(option: ApiKeysOptions['hasher'], issues: Issue[]): Hasher {
  const hashers = option === undefined ? [sha256()] : [option].flat()
  if (new Set(hashers.map(({ scheme }) => scheme)).size < hashers.length) {
    issues.push({ path: 'hasher', message: 'must not name one scheme twice; hmac() takes several peppers' })
  }
  return hashing(hashers as [Hasher, ...Hasher[]])
}

function vocabularyFrom(scopes: ScopeVocabulary, issues: Issue[]): Vocabulary {
  const vocabulary = vocabularyOf(scopes)
  if (vocabulary.size === 0) issues.push({ path: 'scopes', message: 'must declare at least one scope' })
  for (const scope of vocabulary) {
    const flaw = scope.includes('*') ? 'must not contain *' : scopeFlaw(scope, undefined)
    if (flaw !== undefined) issues.push({ path: 'scopes', message: `${show(scope)} ${flaw}` })
  }
  return vocabulary
}

function planOf(limits: ApiKeysOptions['limits'], issues: Issue[]): LimitPlan {
  const part = (name: 'default' | 'max') =>
    parseLimits(limits?.[name] ?? {}, false, ({ path, message }) => {
      issues.push({ path: `limits.${name}${path && `.${path}`}`, message })
    })
  const plan = { defaults: part('default'), max: part('max') }
  for (const { path, message } of beyondMax(plan.defaults, plan))
    issues.push({ path: `limits.default.${path}`, message })
  return plan
}

function proxiesOf(proxies: readonly string[], issues: Issue[]): Networks {
  const blocks = proxies.map(parseCidr)
  for (const [i, block] of blocks.entries()) {
    if (typeof block === 'string')
      issues.push({ path: `trustedProxies.${i}`, message: `${block}, not ${show(proxies[i])}` })
  }
  return compileNetworks(blocks.filter((block): block is Cidr => typeof block !== 'string'))
}

/** One issue a field, with the value that was given; what `hasher` and `store` hold is nobody's business. */
function issuesOf(issue: z.core.$ZodIssue, given: ApiKeysOptions): readonly Issue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not an option' }))
  }
  const path = issue.path.join('.')
  if (issue.path[0] === 'hasher' || issue.path[0] === 'store') return [{ path, message: issue.message }]
  const value = issue.path.reduce<unknown>((value, key) => Object(value)[key], given)
  return [{ path, message: `${issue.message}, not ${show(value)}` }]
}

function config(issues: readonly Issue[]): KeywardError {
  const text = issues.map(({ path, message }) => `${path || 'options'} ${message}`).join('; ')
  return new KeywardError('CONFIG', `createApiKeys: ${text}`, { issues })
}
