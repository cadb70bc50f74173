import { isObject } from '../model/is-object.ts'
import type { StoredCredits, StoredKey } from '../model/key.ts'
import { own } from '../model/own.ts'
import { isWhole } from '../model/whole.ts'
import { isInterval } from './credits.ts'

/** What a record from a store is worth: all of it, or nothing. */
export type Sound = { readonly key: StoredKey; readonly flaw: string | undefined } | { readonly damage: string }

/** What a secret is proved against, in a record that may be damaged elsewhere. */
type Provable =
  | (Pick<StoredKey, 'version' | 'prefix' | 'hash'> & { readonly previous: StoredKey['previous'] })
  | { readonly damage: string }

/** The last moment that a Date can hold. */
const LAST = 8.64e15

/**
 * A record as a store gave it, before anything is decided on it. Damage in what identifies a key or ends its life
 * makes it no key at all; damage in what it may do (`flaw`) leaves it with nothing that it may do.
 */
export function soundKey(id: string, found: unknown): Sound {
  if (!isObject(found)) return { damage: 'is no object' }
  const key = own(found as StoredKey)
  if (key.id !== id) return { damage: 'carries another id' }
  if (isObject(key.credits)) Object.assign(key, { credits: ownCredits(key.credits) })
  const damage = damageOf(key)
  if (damage !== undefined) return { damage }
  if (!isTextList(key.scopes)) return { key: { ...key, scopes: [] }, flaw: 'has scopes that are no list of text' }
  return { key, flaw: undefined }
}

/** The part of a record that may be looked at before its secret is proved. */
export function provableIn(id: string, found: unknown): Provable {
  if (!isObject(found)) return { damage: 'is no object' }
  if (ownOf(found, 'id') !== id) return { damage: 'carries another id' }
  const [version, prefix, hash] = [ownOf(found, 'version'), ownOf(found, 'prefix'), ownOf(found, 'hash')]
  const previous = ownOf(found, 'previous') as StoredKey['previous']
  if (!Number.isSafeInteger(version)) return { damage: 'has no version' }
  if (typeof prefix !== 'string' || prefix === '') return { damage: 'has no prefix' }
  if (typeof hash !== 'string' || hash === '') return { damage: 'has no hash' }
  if (!isPrevious(previous)) return { damage: 'has a previous secret that is none' }
  return { version: version as number, prefix, hash, previous }
}

/** A member of the record itself: not what somebody put on `Object.prototype`. */
function ownOf(found: object, field: keyof StoredKey): unknown {
  return Object.hasOwn(found, field) ? (found as StoredKey)[field] : undefined
}

function damageOf(key: StoredKey): string | undefined {
  if (!Number.isSafeInteger(key.version)) return 'has no version'
  for (const field of ['prefix', 'owner', 'hash'] as const) {
    if (typeof key[field] !== 'string' || key[field] === '') return `has no ${field}`
  }
  for (const field of ['name', 'description', 'resource', 'environment', 'revokedReason', 'origin'] as const) {
    if (key[field] !== undefined && typeof key[field] !== 'string') return `has a ${field} that is no text`
  }
  if (key.status !== 'active' && key.status !== 'disabled' && key.status !== 'revoked') return 'has no status'
  if (!isTime(key.createdAt) || !isTime(key.updatedAt)) return 'has no time of creation or change'
  for (const field of ['expiresAt', 'revokedAt', 'lastUsedAt'] as const) {
    if (key[field] !== undefined && !isTime(key[field])) return `has a ${field} that is no time`
  }
  if (!isPrevious(key.previous)) return 'has a previous secret that is none'
  if (!isAllowlist(key.allowedIps)) return 'has allowedIps that are no list of text'
  if (!isLimits(key.limits)) return 'has limits that are none'
  if (!isCredits(key.credits)) return 'has credits that are none'
  return undefined
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= LAST
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** An empty one would mean none, and is no list that Keyward writes. */
function isAllowlist(allowedIps: StoredKey['allowedIps']): boolean {
  return allowedIps === undefined || (isTextList(allowedIps) && allowedIps.length > 0)
}

function isPrevious(previous: StoredKey['previous']): boolean {
  if (previous === undefined) return true
  return isObject(previous) && typeof previous.hash === 'string' && isTime(previous.since) && isTime(previous.until)
}

function isLimits(limits: StoredKey['limits']): boolean {
  if (limits === undefined) return true
  return isObject(limits) && Object.values(limits).every((limit) => limit === null || isWindow(limit))
}

function isCredits(credits: StoredKey['credits']): boolean {
  if (credits === undefined) return true
  if (!isObject(credits) || !Number.isSafeInteger(credits.remaining) || !isTime(credits.opened)) return false
  const { refill } = credits
  return refill === undefined || (isObject(refill) && Number.isSafeInteger(refill.amount) && isInterval(refill.every))
}

function ownCredits(credits: StoredCredits): StoredCredits {
  const copy = own(credits)
  return isObject(copy.refill) ? Object.assign(copy, { refill: own(copy.refill) }) : copy
}

function isWindow(limit: unknown): boolean {
  if (!isObject(limit)) return false
  const { limit: most, ms } = limit as { limit?: unknown; ms?: unknown }
  return isWhole(most) && isWhole(ms, 1)
}
