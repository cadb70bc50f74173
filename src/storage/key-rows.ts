import { KeywardError } from '../model/errors.ts'
import { isRecord } from '../model/is-object.ts'
import type { StoredKey } from '../model/key.ts'
import { escapeOptional, escapeText, unescapeText } from './escaping.ts'

/** What every SQL engine takes and gives for a value. */
export type Value = string | number | null

/** A key as SQL answers it. */
export interface KeyRow {
  readonly id: string
  readonly version: number
  readonly prefix: string
  readonly owner: string
  readonly resource: string | null
  readonly unique_name: string | null
  readonly status: StoredKey['status']
  readonly created_at: number
  readonly updated_at: number
  readonly revoked_at: number | null
  readonly revoked_reason: string | null
  readonly data: string
  readonly last_used_at: number | null
  readonly uses: number | null
}

/** Columns that insert and replace write, in the order of `toValues`. */
export const COLUMNS = [
  'id',
  'version',
  'prefix',
  'owner',
  'resource',
  'unique_name',
  'status',
  'created_at',
  'updated_at',
  'revoked_at',
  'revoked_reason',
  'data',
] as const

export function toValues(key: StoredKey): readonly Value[] {
  // Those that a key need not have come first: what is left of a list of members has a prototype.
  const { resource, uniqueName, revokedAt, revokedReason, lastUsedAt: _, uses: __, ...others } = key
  const { id, version, prefix, owner, status, createdAt, updatedAt, ...rest } = others
  return [
    escapeText(id),
    version,
    escapeText(prefix),
    escapeText(owner),
    escapeOptional(resource),
    escapeOptional(uniqueName),
    status,
    createdAt,
    updatedAt,
    revokedAt ?? null,
    escapeOptional(revokedReason),
    JSON.stringify(rest),
  ]
}

export function toKey(row: KeyRow): StoredKey {
  const id = unescapeText(row.id)
  return {
    ...parse(row.data, id),
    id,
    version: row.version,
    prefix: unescapeText(row.prefix),
    owner: unescapeText(row.owner),
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.resource !== null && { resource: unescapeText(row.resource) }),
    ...(row.unique_name !== null && { uniqueName: unescapeText(row.unique_name) }),
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
    ...(row.revoked_reason !== null && { revokedReason: unescapeText(row.revoked_reason) }),
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
    ...(row.uses !== null && { uses: row.uses }),
  }
}

type Rest = Pick<StoredKey, 'scopes' | 'hash'>

/** The error names the id alone: the text beside it holds the hash. */
function parse(data: string, id: string): Rest {
  try {
    const value: unknown = JSON.parse(data)
    if (isRecord(value)) return value as Rest
  } catch {}
  throw new KeywardError('STORE', `the record of ${id} is damaged`)
}
