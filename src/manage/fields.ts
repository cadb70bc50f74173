import * as z from 'zod/mini'
import type { Issue } from '../model/errors.ts'
import { isObject, isRecord } from '../model/is-object.ts'
import { iso, parseIso } from '../model/iso.ts'
import type { Json, Metadata, Refill } from '../model/key.ts'
import { lineFlaw } from '../model/line.ts'
import { own } from '../model/own.ts'
import { show } from '../model/redact.ts'
import { isWhole } from '../model/whole.ts'
import { isInterval } from '../policy/credits.ts'
import { type LimitMap, parseLimits } from '../policy/limits.ts'
import { MOST_NETWORKS, networkFlaw } from '../policy/networks.ts'
import { MOST_SCOPES, scopeFlaw, type Vocabulary } from '../policy/scopes.ts'

const UNSAFE_LINES = /[\p{Cs}\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/u
const METADATA_BYTES = 16 * 1024
const METADATA_DEPTH = 5

/** One line of text. */
export function line(longest: number) {
  return ruled<string>((value) => lineFlaw(value, longest))
}

/** White space, and marks that show nothing. */
const BLANK = /^[\p{Z}\p{Cf}]*$/u

/** One line by which people tell keys apart. */
export function name(longest: number) {
  const flaw = (value: unknown) => lineFlaw(value, longest)
  return ruled<string>((value) => flaw(value) ?? (BLANK.test(String(value)) ? 'must not be blank' : undefined))
}

/** Text of several lines. */
export function lines(longest: number) {
  return ruled<string>((value) => lineFlaw(value, longest, UNSAFE_LINES))
}

export function scopes(vocabulary: Vocabulary | undefined) {
  const listed = z.array(
    ruled<string>((value) => scopeFlaw(value, vocabulary)),
    { error: ({ input }) => `must be a list of scopes, not ${show(input)}` },
  )
  return listed.check(z.maxLength(MOST_SCOPES, `must be at most ${MOST_SCOPES}`))
}

/** Absent means any address; an empty list would mean none, and is more likely a mistake. */
export const allowedIps = z
  .array(ruled<string>(networkFlaw), {
    error: ({ input }) => `must be a list of addresses and CIDR blocks, not ${show(input)}`,
  })
  .check(
    z.minLength(1, 'must not be empty, not []; leave it out to allow any address'),
    z.maxLength(MOST_NETWORKS, `must be at most ${MOST_NETWORKS}`),
  )

/** A key's own limits, as they are stored. */
export const limits = z.pipe(
  z.unknown(),
  z.transform(
    (input, { issues }): LimitMap =>
      parseLimits(input, true, ({ path, message }) => {
        issues.push({ code: 'custom', message, input, path: path === '' ? [] : path.split('.') })
      }),
  ),
)

/** The last moment that ISO 8601 writes with a year of four digits. */
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

const PLENTY = 'must be a whole number from 0 to 9007199254740991'

const REFILL = z.strictObject(
  {
    amount: ruled<number>((value) => (isWhole(value, 1) ? undefined : 'must be a whole number above 0')),
    every: ruled<Refill['every']>((value) =>
      isInterval(value) ? undefined : "must be 'day', 'week', 'month' or hours such as '6h'",
    ),
  },
  { error: ({ input }) => `must be { amount, every }, not ${show(input)}` },
)

/** Prepaid credit of a key: what it begins with, and when it is filled up again. */
export const credits = z.pipe(
  z.transform(ownMembers),
  z.strictObject(
    {
      remaining: ruled<number>((value) => (isWhole(value, 0) ? undefined : PLENTY)),
      refill: z.optional(z.pipe(z.transform(ownMembers), REFILL)),
    },
    { error: ({ input }) => `must be { remaining, refill? }, not ${show(input)}` },
  ),
)

/** What is no object is left for the rule to refuse. */
function ownMembers(value: unknown): unknown {
  return isRecord(value) ? own(value) : value
}

/** A moment, in ms: a Date, or ISO 8601 with a zone. Bare numbers are refused, they are as often seconds as milliseconds. */
export const moment = z.pipe(
  ruled<Date | string>((value) => {
    const ms = msOf(value)
    return ms >= 0 && ms <= LAST ? undefined : 'must be a Date or an ISO 8601 time with a zone'
  }),
  z.transform((value) => msOf(value)),
)

function msOf(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  return (typeof value === 'string' ? parseIso(value) : undefined) ?? Number.NaN
}

/** @returns what is wrong with a moment that must lie ahead */
export function pastFlaw(path: string, at: number | undefined | null, now: number): readonly Issue[] {
  return typeof at === 'number' && at <= now ? [{ path, message: `must be in the future, not ${iso(at)}` }] : []
}

/** JSON for the host's own use, copied while it is looked at: what is kept is what was checked. */
export const metadata = z.pipe(
  z.unknown(),
  z.transform((input, { issues }): Metadata => {
    const report: Report = (path, flaw) => void issues.push({ code: 'custom', message: flaw, input, path: [...path] })
    const copy = isPlainObject(input) ? copyOf(input, [], report) : undefined
    if (!isPlainObject(input)) report([], `must be a JSON object, not ${named(input)}`)
    else if (copy !== undefined && Buffer.byteLength(JSON.stringify(copy)) > METADATA_BYTES) {
      report([], `must be at most ${METADATA_BYTES} bytes of JSON, not ${show(input)}`)
    }
    return copy as Metadata
  }),
)

type Report = (path: readonly string[], flaw: string) => undefined

/**
 * A copy of plain JSON, without members that are `undefined`, as JSON has it. Of anything else the first flaw is
 * reported, and the copy is `undefined`. That there are only so many levels also ends what refers to itself.
 */
function copyOf(value: unknown, path: readonly string[], report: Report): Json | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  const isList = Array.isArray(value)
  if (!isList && !isPlainObject(value)) return report(path, `must be JSON, not ${named(value)}`)
  if (path.length === METADATA_DEPTH)
    return report(path, `must be within ${METADATA_DEPTH} levels of JSON, not ${show(value)}`)
  const members: (readonly [PropertyKey, Json])[] = []
  for (const key of isList ? value.keys() : Reflect.ownKeys(value)) {
    const inner = [...path, String(key)]
    if (typeof key === 'symbol' || key === '__proto__') return report(inner, 'is no name of a member')
    const member: unknown = Reflect.get(value, key)
    if (member === undefined && !isList) continue
    const copied = copyOf(member, inner, report)
    if (copied === undefined) return undefined
    members.push([key, copied])
  }
  // Its members are defined, not set: where Object.prototype is frozen, one that is named as a member of that cannot be set.
  return isList ? members.map(([, member]) => member) : Object.fromEntries(members)
}

/** A value that is no JSON: what its class is called says more than what JSON makes of it. */
export function named(value: unknown): string {
  const name: unknown = Array.isArray(value) || isPlainObject(value) ? undefined : Object(value).constructor?.name
  return isObject(value) && typeof name === 'string' ? `a ${name}` : show(value)
}

/** A Map or a promise has no members of its own: what it was meant to say would be dropped in silence. */
export function hasMembers(value: unknown): value is object {
  return isPlainObject(value) || (isRecord(value) && Object.keys(value).length > 0)
}

/** Of no class: neither a Date nor a Map. */
function isPlainObject(value: unknown): value is object {
  if (!isRecord(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** A value for which a rule finds no flaw; the flaw is the message, with the value. */
function ruled<T>(flaw: (value: unknown) => string | undefined) {
  return z.custom<T>((value) => flaw(value) === undefined, {
    error: ({ input }) => `${flaw(input)}, not ${show(input)}`,
  })
}
