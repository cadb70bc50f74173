import { toRecord } from '../key/record.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import type { Window } from '../model/limits.ts'
import type { Access, Reading, Settled } from '../model/verdict.ts'
import type { Networks } from '../network/cidr.ts'
import { effectiveWindows, type LimitPlan } from '../policy/limits.ts'
import { allowlist } from '../policy/networks.ts'
import { type Coverage, coverage, scopeFlaw, type Vocabulary } from '../policy/scopes.ts'

/** A key of the store, compiled once per version for all the requests that it will make. */
export interface Known {
  readonly stored: StoredKey
  /** Of its secret, and of the one before, if there is one. */
  readonly hashes: readonly string[]
  /** Milliseconds; Infinity for a key that never expires. */
  readonly expiresAt: number
  readonly covers: Coverage
  readonly networks: Networks | undefined
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

export function compileKey(stored: StoredKey, { vocabulary, plan }: KnownOptions): Known {
  // A grant that left the vocabulary is inert.
  const grants = stored.scopes.filter((scope) => scopeFlaw(scope, vocabulary) === undefined)
  return {
    stored,
    hashes: stored.previous === undefined ? [stored.hash] : [stored.hash, stored.previous.hash],
    expiresAt: stored.expiresAt ?? Number.POSITIVE_INFINITY,
    covers: coverage(grants),
    networks: stored.allowedIps === undefined ? undefined : allowlist(stored.allowedIps),
    windows: effectiveWindows(stored.limits, plan),
    extended: undefined,
    uses: 0,
    usedAt: 0,
    record: undefined,
    access: undefined,
  }
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
