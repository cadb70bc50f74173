import { Buffer } from 'node:buffer'
import type { BulkRevokedEvent, ChangeEvent, CreditEvent, KeyEvent } from '../model/event.ts'
import { isObject } from '../model/is-object.ts'
import { iso } from '../model/iso.ts'
import type { KeyRecord } from '../model/key.ts'
import { present } from '../model/present.ts'
import type { Note } from '../model/store.ts'

/** What is kept of events: changes. Requests are not changes. */
export const AUDITED = [
  'created',
  'updated',
  'disabled',
  'enabled',
  'rotated',
  'revoked',
  'removed',
  'credited',
] as const

type Audited = (ChangeEvent | BulkRevokedEvent | CreditEvent) & { readonly type: (typeof AUDITED)[number] }

/** Who did what to which key, when and from where. */
export interface AuditEntry {
  readonly id: string
  /** ISO 8601. */
  readonly at: string
  readonly type: (typeof AUDITED)[number]
  /** Whose keys; absent where `revokeAll` named no owner. */
  readonly owner?: string
  /** The id of the key. It may be gone: entries outlive their keys. */
  readonly key?: string
  readonly resource?: string
  readonly actor?: string
  readonly address?: string
  /** What the change took away: the fields that differ; of a removed key, all. Text that looks like a key is struck out. */
  readonly before?: Partial<KeyRecord>
  /** What it brought: the fields that differ; of a new key, all. */
  readonly after?: Partial<KeyRecord>
  /** Fields that were too large to be kept here. */
  readonly omitted?: readonly string[]
  /** The store did not say whether it was done. Of `revokeAll` and `credited`; `count` is then what is known. */
  readonly outcome?: 'unknown'
  /** Of `revokeAll`: how many keys. */
  readonly count?: number
  /** Of `credited`. */
  readonly amount?: number
  readonly balance?: number
}

/** What lies in the text of a note. */
type Details = Pick<
  AuditEntry,
  'type' | 'address' | 'before' | 'after' | 'omitted' | 'outcome' | 'count' | 'amount' | 'balance'
>

/** @returns `undefined` for an event that is not kept */
export function noteOf(event: KeyEvent, id: string): Note | undefined {
  if (!isAudited(event)) return undefined
  const { owner = '', actor } = event
  const record = 'after' in event || 'before' in event ? (event.after ?? event.before) : undefined
  const resource = 'resource' in event ? event.resource : record?.resource
  return {
    id,
    at: Date.parse(event.at),
    owner,
    ...present({ key: event.id, prefix: record?.prefix, resource, actor }),
    data: JSON.stringify(detailsOf(event)),
  }
}

/** @returns `undefined` where the note is damaged: one that cannot be shown must not hide those that can */
export function entryOf({ id, at, owner, key, resource, actor, data }: Note): AuditEntry | undefined {
  const parsed = parse(data)
  if (parsed === undefined) return undefined
  const { type, ...details } = parsed
  return {
    id,
    at: iso(at),
    type,
    ...present({ owner: owner === '' ? undefined : owner, key, resource, actor }),
    ...details,
  }
}

function isAudited(event: KeyEvent): event is Audited {
  return AUDITED.some((type) => type === event.type)
}

function detailsOf(event: Audited): Details {
  const { type, address } = event
  const told: Details = { type, ...present({ address }) }
  if ('count' in event) return { ...told, ...outcomeOf(event), count: event.count }
  if ('amount' in event) {
    const { amount, balance } = event
    return { ...told, ...outcomeOf(event), amount, ...present({ balance }) }
  }
  const { before, after } = event
  const [taken, brought] = [differing(before, after), differing(after, before)]
  return fitting({ ...told, ...(taken && { before: taken }), ...(brought && { after: brought }) })
}

function outcomeOf({ outcome }: BulkRevokedEvent | CreditEvent): Pick<AuditEntry, 'outcome'> {
  return present({ outcome })
}

/** What changes with every change, or with none. */
const NO_NEWS: readonly string[] = ['updatedAt', 'lastUsedAt', 'uses']

/** The fields of a record that are not the same in the other; all where there is no other. */
function differing(record: KeyRecord | undefined, other: KeyRecord | undefined): Partial<KeyRecord> | undefined {
  if (record === undefined) return undefined
  const others = new Map<string, unknown>(Object.entries(other ?? {}))
  const fields = Object.entries(record).filter(([name, value]) => {
    if (value === undefined) return false
    return other === undefined || (!NO_NEWS.includes(name) && !isSame(value, others.get(name)))
  })
  return Object.fromEntries(fields)
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The most that an entry may take as JSON: what people may put into a key is larger. */
const MOST_BYTES = 32_768
const LARGE = ['metadata', 'allowedIps', 'scopes', 'description'] as const

function fitting(details: Details): Details {
  let fits = details
  for (const name of LARGE) {
    if (Buffer.byteLength(JSON.stringify(fits)) <= MOST_BYTES) return fits
    const { before, after, omitted = [] } = fits
    if (before?.[name] === undefined && after?.[name] === undefined) continue
    const [taken, brought] = [without(before, name), without(after, name)]
    fits = { ...fits, ...(taken && { before: taken }), ...(brought && { after: brought }), omitted: [...omitted, name] }
  }
  return fits
}

function without(record: Partial<KeyRecord> | undefined, name: keyof KeyRecord): Partial<KeyRecord> | undefined {
  if (record === undefined) return undefined
  const { [name]: _, ...rest } = record
  return rest
}

function parse(data: string): Details | undefined {
  try {
    const details: unknown = JSON.parse(data)
    return isDetails(details) ? details : undefined
  } catch {
    return undefined
  }
}

function isDetails(value: unknown): value is Details {
  return isObject(value) && 'type' in value && AUDITED.some((type) => type === value.type)
}
