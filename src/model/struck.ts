import { isObject } from './is-object.ts'
import type { KeyRecord } from './key.ts'
import { redact } from './redact.ts'

/** The host's own names for things, which may be long and must not be changed. The others are what people write. */
const NAMES: readonly string[] = ['id', 'prefix', 'environment', 'owner', 'resource', 'display']

/** A record as it may be told to anybody: people put keys in names, and in the reason of a revocation. Frozen, as it was. */
export function struckRecord(record: KeyRecord): KeyRecord {
  const fields = Object.entries(record).map(([name, value]) => [name, NAMES.includes(name) ? value : struck(value)])
  return Object.freeze(Object.fromEntries(fields))
}

function struck(value: unknown): unknown {
  if (typeof value === 'string') return redact(value)
  if (!isObject(value)) return value
  if (Array.isArray(value)) return Object.freeze(value.map(struck))
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, member]) => [redact(name), struck(member)])),
  )
}
