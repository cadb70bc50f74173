import type { Moment } from '../model/clock.ts'
import type { Hasher } from '../model/hasher.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import type { Window } from '../model/limits.ts'
import type { Access } from '../model/verdict.ts'
import type { Networks } from '../network/cidr.ts'
import type { Requirement } from '../policy/demand.ts'
import { effectiveWindows, type LimitPlan } from '../policy/limits.ts'
import { allowlist } from '../policy/networks.ts'
import { type Coverage, coverage, isKnownTo, scopeFlaw, type Vocabulary } from '../policy/scopes.ts'
import type { Sound } from '../policy/soundness.ts'
import type { Found } from './found.ts'
import type { Heat } from './heat.ts'
import type { Used } from './usage.ts'

type Whole = Extract<Sound, { readonly key: StoredKey }>

/** A key of the store, compiled once per version for all the requests that it will make. */
export interface Known extends Used {
  readonly stored: StoredKey
  /** What it was compiled of. */
  readonly found: Found
  /** Whether its hash should be made anew when its text is at hand. */
  readonly outdated: boolean
  /** Milliseconds; Infinity for a key that never expires. */
  readonly expiresAt: number
  /** Asked once the secret is proved: what it costs to compile them must not tell anyone that the id exists. */
  readonly covers: Coverage
  /** A demand whose scopes it was found to have. */
  suffices: Requirement | undefined
  readonly allows: Networks | undefined
  readonly windows: readonly Window[]
  /** `windows` together with the extra ones of a demand, by the demand's own list. */
  extended: WeakMap<readonly Window[], readonly Window[]> | undefined
  /** When the store was last asked to take on this version, and did not say that it is another. */
  proved: Moment | undefined
  /** What was taken of it at once, where that is done. */
  heat: Heat | undefined
  /** Built when first admitted, then shared by all requests: both are frozen. */
  record: KeyRecord | undefined
  access: Access | undefined
}

export interface KnownOptions {
  readonly vocabulary: Vocabulary | undefined
  readonly plan: LimitPlan
  /** Those of the plan: what keys without limits of their own have, all of them the same list. */
  readonly windows: readonly Window[]
  readonly hasher: Pick<Hasher, 'outdated'>
}

/** What was compiled of an earlier reading is used again where it can be: an unchanged allowlist is not read again. */
export function compileKey(
  found: Found,
  { key: stored, flaw }: Whole,
  { vocabulary, plan, windows, hasher }: KnownOptions,
): Known {
  const last = found.earlier
  return {
    stored,
    found,
    // What was flawed is not written back.
    outdated: flaw === undefined && hasher.outdated(stored.hash),
    expiresAt: stored.expiresAt ?? Number.POSITIVE_INFINITY,
    covers: lazyCoverage(stored.scopes, vocabulary),
    suffices: undefined,
    allows: stored.allowedIps === undefined ? undefined : lazyAllowlist(stored, last),
    windows: stored.limits === undefined ? windows : effectiveWindows(stored.limits, plan),
    extended: undefined,
    unwritten: undefined,
    proved: undefined,
    // Read again, but not changed: what was leased still holds.
    heat: last?.stored.version === stored.version ? last.heat : undefined,
    record: undefined,
    access: undefined,
  }
}

function lazyCoverage(scopes: readonly string[], vocabulary: Vocabulary | undefined): Coverage {
  let covers: Coverage | undefined
  return (scope) => {
    // A grant that left the vocabulary is inert.
    covers ??= coverage(scopes.filter((grant) => scopeFlaw(grant, vocabulary) === undefined))
    // Nor does a wildcard reach what only another instance knows.
    return covers(scope) && (vocabulary === undefined || isKnownTo(vocabulary, scope))
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
