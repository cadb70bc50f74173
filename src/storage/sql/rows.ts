import { Buffer } from 'node:buffer'
import { flawedAt } from '../../model/errors.ts'
import type { StoredKey } from '../../model/key.ts'
import { COLUMNS, type KeyRow, toKey, toValues } from '../key-rows.ts'
import { type Engine, textOf, type Value, wholeOf } from './engine.ts'
import { LONGEST } from './schema.ts'
import type { Row } from './session.ts'

/** What `keyOf` wants to see of a row. */
export const SELECTED = [...COLUMNS, 'last_used_at', 'uses'].join(', ')

/** A key as parameters, in the order of `COLUMNS`. */
export function valuesOf(engine: Engine, key: StoredKey): readonly Value[] {
  return parametersOf(engine, COLUMNS, toValues(key))
}

export function parametersOf(engine: Engine, columns: readonly string[], values: readonly Value[]): readonly Value[] {
  return values.map((value, at) => {
    if (typeof value === 'number') return Math.floor(value)
    if (typeof value !== 'string') return value
    const column = columns[at] as string
    if (Object.hasOwn(LONGEST, column)) checkLength(column as keyof typeof LONGEST, value)
    return engine.name === 'MySQL' ? Buffer.from(value) : value
  })
}

/** What would be cut off, or refused in words that quote it. */
export function checkLength(column: keyof typeof LONGEST, text: string): void {
  if (Buffer.byteLength(text) <= LONGEST[column]) return
  throw flawedAt('INPUT', column, `must be at most ${LONGEST[column]} bytes`)
}

export function keyOf(row: Row): StoredKey {
  const known: KeyRow = {
    id: textOf(row.id),
    version: wholeOf(row.version),
    prefix: textOf(row.prefix),
    owner: textOf(row.owner),
    resource: orNull(row.resource, textOf),
    unique_name: orNull(row.unique_name, textOf),
    status: textOf(row.status) as StoredKey['status'],
    created_at: wholeOf(row.created_at),
    updated_at: wholeOf(row.updated_at),
    revoked_at: orNull(row.revoked_at, wholeOf),
    revoked_reason: orNull(row.revoked_reason, textOf),
    data: textOf(row.data),
    last_used_at: orNull(row.last_used_at, wholeOf),
    uses: orNull(row.uses, wholeOf),
  }
  return toKey(known)
}

export function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null || value === undefined ? null : read(value)
}
