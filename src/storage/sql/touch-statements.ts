import type { UseMark } from '../../model/store.ts'
import { placeholders } from '../placeholders.ts'
import type { Engine, Value } from './engine.ts'
import type { Tables } from './schema.ts'

/** The values of `touchSql`. */
export function marksOf(engine: Engine, marks: readonly UseMark[]): readonly Value[] {
  return marks.flatMap(({ id, at, uses }) => [engine.text(id), Math.floor(at), uses])
}

/** @param others what becomes of rows that somebody has locked: PostgreSQL may skip them here, others wait */
export function touchSql({ name }: Engine, { keys }: Tables, count: number, others: '' | ' SKIP LOCKED' = ''): string {
  const one =
    name === 'PostgreSQL'
      ? 'CAST(? AS text) COLLATE "C" AS id, CAST(? AS bigint) AS used_at, CAST(? AS bigint) AS uses'
      : '? AS id, ? AS used_at, ? AS uses'
  const marks = Array.from({ length: count }, () => `SELECT ${one}`).join(' UNION ALL ')
  const greatest = name === 'SQLite' ? 'max' : 'greatest'
  const at = `${greatest}(coalesce(k.last_used_at, m.used_at), m.used_at)`
  const uses = 'coalesce(k.uses, 0) + m.uses'
  if (name === 'MySQL') {
    // It locks each row that it looks at: those that are to be changed, not all of a table that is small.
    const join = `(${marks}) AS m STRAIGHT_JOIN ${keys} AS k FORCE INDEX (PRIMARY) ON k.id = m.id`
    return `UPDATE ${join} SET k.last_used_at = ${at}, k.uses = ${uses}`
  }
  const update = `UPDATE ${keys} AS k SET last_used_at = ${at}, uses = ${uses} FROM`
  if (name === 'SQLite') return `${update} (${marks}) AS m WHERE k.id = m.id`
  // An UPDATE locks rows in whatever order it finds them, and one that waited for a row forgets marks that were joined
  // to it. So rows are locked first, in one order, and nothing is left to wait for.
  return `WITH m AS MATERIALIZED (${marks}),
    locked AS MATERIALIZED (
      SELECT id FROM ${keys} WHERE id IN (SELECT id FROM m) ORDER BY id FOR NO KEY UPDATE${others}
    )
    ${update} m JOIN locked ON locked.id = m.id WHERE k.id = m.id`
}

/** For MySQL: locks those of these rows that are free, and as above no others. */
export function lockFreeSql({ keys }: Tables, ids: readonly unknown[]): string {
  return `SELECT id FROM ${keys} FORCE INDEX (PRIMARY) WHERE id IN (${placeholders(ids)}) ORDER BY id FOR UPDATE SKIP LOCKED`
}
