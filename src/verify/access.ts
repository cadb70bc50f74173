import { toRecord } from '../key/record.ts'
import type { KeyRecord } from '../model/key.ts'
import type { Access, Reading } from '../model/verdict.ts'
import { shownReadings } from '../policy/readings.ts'
import type { Bill } from './bill.ts'
import type { Known } from './known.ts'
import { settleNothing } from './settlement.ts'

/** What the handler gets. Where nothing in it belongs to one request, all requests share it. */
export function accessOf(
  known: Known,
  now: number,
  { readings, at, balance }: Pick<Bill, 'readings' | 'at' | 'balance'>,
  settle: Access['settle'] | undefined,
): Access {
  const isShared = readings.length === 0 && balance === undefined && settle === undefined
  if (isShared && known.access !== undefined) return known.access
  const access = withOwn(
    recordOf(known, now, balance),
    shownReadings(readings, now - at),
    known.covers,
    settle ?? settleNothing,
  )
  if (isShared && known.record !== undefined) known.access = access
  return access
}

/** The record of a key that no rule forbids; kept, unless the end of an overlap will change it or it shows a balance. */
export function recordOf(known: Known, now: number, balance?: number): KeyRecord {
  if (balance !== undefined) return toRecord(known.stored, known.windows, now, balance)
  if (known.record !== undefined) return known.record
  const record = toRecord(known.stored, known.windows, now)
  if (known.stored.previous === undefined) known.record = record
  return record
}

/** Field by field: spreading so many takes longer than to hash the key. */
function withOwn(
  record: KeyRecord,
  readings: readonly Reading[],
  can: Access['can'],
  settle: Access['settle'],
): Access {
  return Object.freeze({
    id: record.id,
    prefix: record.prefix,
    environment: record.environment,
    name: record.name,
    description: record.description,
    owner: record.owner,
    resource: record.resource,
    scopes: record.scopes,
    limits: record.limits,
    allowedIps: record.allowedIps,
    credits: record.credits,
    metadata: record.metadata,
    display: record.display,
    status: record.status,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    expiresAt: record.expiresAt,
    lastUsedAt: record.lastUsedAt,
    uses: record.uses,
    revokedAt: record.revokedAt,
    revokedReason: record.revokedReason,
    previousSecretUntil: record.previousSecretUntil,
    readings,
    can,
    settle,
  })
}
