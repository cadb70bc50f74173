import { frozenCopy } from '../model/frozen.ts'
import { iso } from '../model/iso.ts'
import type { KeyRecord, Status, StoredKey } from '../model/key.ts'
import { NAMED_WINDOWS, type ShownLimits, type Window } from '../model/limits.ts'
import { own } from '../model/own.ts'
import { display } from './format.ts'

/**
 * A stored key as it is shown, deeply frozen.
 * @param windows those that apply to it now
 * @param balance what is free of its credits, where that was read; else what they began with
 */
export function toRecord(found: StoredKey, windows: readonly Window[], now: number, balance?: number): KeyRecord {
  const stored = own(found)
  return Object.freeze({
    id: stored.id,
    prefix: stored.prefix,
    environment: stored.environment,
    name: stored.name,
    description: stored.description,
    owner: stored.owner,
    resource: stored.resource,
    scopes: frozenCopy(stored.scopes),
    limits: shownLimits(windows),
    allowedIps: frozenCopy(stored.allowedIps),
    credits: shownCredits(stored, balance),
    metadata: frozenCopy(stored.metadata),
    display: display(stored.prefix, stored.id),
    status: statusOf(stored, now),
    createdAt: iso(stored.createdAt),
    updatedAt: iso(stored.updatedAt),
    expiresAt: time(stored.expiresAt),
    lastUsedAt: time(stored.lastUsedAt),
    uses: stored.uses ?? 0,
    revokedAt: time(stored.revokedAt),
    revokedReason: stored.revokedReason,
    previousSecretUntil: overlapEnd(stored, now),
  })
}

/** Revoked before disabled before expired: the order in which verification tells them. */
export function statusOf(found: StoredKey, now: number): Status {
  const stored = own(found)
  if (stored.status !== 'active') return stored.status
  return stored.expiresAt !== undefined && now >= stored.expiresAt ? 'expired' : 'active'
}

function overlapEnd(stored: StoredKey, now: number): string | undefined {
  return stored.previous !== undefined && now < stored.previous.until ? iso(stored.previous.until) : undefined
}

function shownCredits({ credits }: StoredKey, balance: number | undefined): KeyRecord['credits'] {
  if (credits === undefined) return undefined
  const remaining = balance ?? credits.remaining
  return Object.freeze(credits.refill === undefined ? { remaining } : { remaining, refill: frozenCopy(credits.refill) })
}

function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : iso(ms)
}

function shownLimits(windows: readonly Window[]): ShownLimits {
  const named: Readonly<Record<string, number>> = NAMED_WINDOWS
  const shown = windows.map(({ name, limit, ms }) => [
    name,
    named[name] === ms ? limit : Object.freeze({ limit, window: ms }),
  ])
  return Object.freeze(Object.fromEntries(shown))
}
