import { toRecord } from '../key/record.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import type { Window } from '../model/limits.ts'
import type { Access, Reading, Settled } from '../model/verdict.ts'
import type { Networks } from '../network/cidr.ts'
import { effectiveWindows, type LimitPlan } from '../policy/limits.ts'
import { allowlist } from '../policy/networks.ts'
import { type Coverage, coverage, scopeFlaw, type Vocabulary } from '../policy/scopes.ts'
import type { Sound } from '../policy/soundness.ts'

type Whole = Extract<Sound, { readonly key: StoredKey }>

/** A key of the store, compiled once per version for all the requests that it will make. */
export interface Known {
  readonly stored: StoredKey
  /** Whether something in the record had to be left out: it is not written back. */
  readonly flawed: boolean
  /** Of its secret, and of the one before, if there is one. */
  readonly hashes: readonly string[]
  /** Milliseconds; Infinity for a key that never expires. */
  readonly expiresAt: number
  /** Asked once the secret is proved: what it costs to compile them must not tell anyone that the id exists. */
  readonly covers: Coverage
  readonly allows: Networks | undefined
  readonly windows: readonly Window[]
  /** `windows` together with the extra ones of a demand, by the demand's own list. */
  extended: WeakMap<readonly Window[], readonly Window[]> | undefined
  /** Uses that the store has not heard of, and when the last one was. */
  uses: number
  usedAt: number
  /** Built when first admitted, then shared by all requests: both are frozen. */
  record: KeyRecord | undefined
  access: Access | undefined
}

export interface KnownOptions {
  readonly vocabulary: Vocabulary | undefined
  readonly plan: LimitPlan
}

/** @param last what was known of the key before: an unchanged allowlist is not read again */
export function compileKey(
  { key: stored, flaw }: Whole,
  { vocabulary, plan }: KnownOptions,
  last: Known | undefined,
): Known {
  return {
    stored,
    flawed: flaw !== undefined,
    hashes: stored.previous === undefined ? [stored.hash] : [stored.hash, stored.previous.hash],
    expiresAt: stored.expiresAt ?? Number.POSITIVE_INFINITY,
    covers: lazyCoverage(stored.scopes, vocabulary),
    allows: stored.allowedIps === undefined ? undefined : lazyAllowlist(stored, last),
    windows: effectiveWindows(stored.limits, plan),
    extended: undefined,
    uses: 0,
    usedAt: 0,
    record: undefined,
    access: undefined,
  }
}

function lazyCoverage(scopes: readonly string[], vocabulary: Vocabulary | undefined): Coverage {
  let covers: Coverage | undefined
  return (scope) => {
    // A grant that left the vocabulary is inert.
    covers ??= coverage(scopes.filter((grant) => scopeFlaw(grant, vocabulary) === undefined))
    return covers(scope)
  }
}

function lazyAllowlist({ allowedIps }: StoredKey, last: Known | undefined): Networks {
  if (last?.allows !== undefined && isSameList(allowedIps, last.stored.allowedIps)) return last.allows
  let allows: Networks | undefined
  return (address) => {
    allows ??= allowlist(allowedIps)
    return allows(address)
  }
}

function isSameList(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  return a.every((item, i) => item === b[i])
}

/** What belongs to one request in what its handler gets. */
export interface Own {
  readonly readings: readonly Reading[]
  readonly balance: number | undefined
  readonly settle: Access['settle'] | undefined
}

/** What the handler gets. Where nothing in it belongs to one request, all requests share it. */
export function accessOf(known: Known, own: Own, now: number): Access {
  const isShared = own.readings.length === 0 && own.balance === undefined && own.settle === undefined
  if (isShared && known.access !== undefined) return known.access
  const record =
    own.balance === undefined ? recordOf(known, now) : toRecord(known.stored, known.windows, now, own.balance)
  const { readings, settle = nothingHeld } = own
  const access = Object.freeze({ ...record, readings, can: known.covers, settle })
  if (isShared && known.record !== undefined) known.access = access
  return access
}

const NOTHING: Settled = Object.freeze({ charged: 0, short: 0 })

function nothingHeld(): Promise<Settled> {
  return Promise.resolve(NOTHING)
}

/** The record of a key that was just admitted; kept, unless the end of an overlap will change it. */
function recordOf(known: Known, now: number): KeyRecord {
  if (known.record !== undefined) return known.record
  const record = toRecord(known.stored, known.windows, now)
  if (known.stored.previous === undefined) known.record = record
  return record
}
