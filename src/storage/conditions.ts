import type { StoredKey } from '../model/key.ts'
import type { Filter, NotesQuery } from '../model/store.ts'
import type { Place } from './cursor.ts'

/** Which rows: `sql` holds no value, only placeholders for `values`. */
export interface Condition<Value> {
  readonly sql: string
  readonly values: readonly Value[]
}

/** How a database is told of texts. */
export interface Words<Value> {
  text(text: string): Value
  /** That a column has one of these. */
  among(column: string, texts: readonly string[]): Condition<Value>
}

/** @param after the place in the list behind which they stand */
export function keysWanted<Value>(
  words: Words<Value>,
  { prefixes, owner, resource, status }: Filter & { readonly status?: StoredKey['status'] },
  after?: Place,
): Condition<Value | number> {
  return both([
    words.among('prefix', prefixes),
    ...equal(words, { owner, resource, status }),
    ...behind(words, 'created_at', after),
  ])
}

/** @param after as above */
export function notesWanted<Value>(
  words: Words<Value>,
  { owner, key, resource, actor, since, prefixes }: NotesQuery,
  after?: Place,
): Condition<Value | number> {
  const ofPrefixes = prefixes && words.among('prefix', prefixes)
  return both([
    ...equal(words, { owner, key_id: key, resource, actor }),
    { sql: 'noted_at >= ?', values: [since] },
    ...(ofPrefixes ? [{ ...ofPrefixes, sql: `(prefix IS NULL OR ${ofPrefixes.sql})` }] : []),
    ...behind(words, 'noted_at', after),
  ])
}

export function both<Value>(conditions: readonly Condition<Value>[]): Condition<Value> {
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
  }
}

function equal<Value>(
  { text }: Words<Value>,
  columns: Readonly<Record<string, string | undefined>>,
): readonly Condition<Value>[] {
  return Object.entries(columns).flatMap(([column, value]) =>
    value === undefined ? [] : [{ sql: `${column} = ?`, values: [text(value)] }],
  )
}

/** Written so that each engine finds the place in its index, which not all do for a comparison of pairs. */
function behind<Value>(
  { text }: Words<Value>,
  time: string,
  place: Place | undefined,
): readonly Condition<Value | number>[] {
  if (place === undefined) return []
  const { createdAt, id } = place
  return [{ sql: `${time} <= ? AND (${time} < ? OR id < ?)`, values: [createdAt, createdAt, text(id)] }]
}
