import type { UseMark } from '../model/store.ts'
import type { Engine } from './sql-engine.ts'
import type { Tables } from './sql-schema.ts'
import { type Connections, persistently } from './sql-session.ts'

/** Marks that go into one statement. */
const AT_ONCE = 100

/** A key that is gone gets no mark: rows are updated, never inserted. */
export async function touch(connections: Connections, tables: Tables, marks: readonly UseMark[]): Promise<void> {
  const { engine } = connections
  const merged = mergedById(marks)
  for (let start = 0; start < merged.length; start += AT_ONCE) {
    const some = merged.slice(start, start + AT_ONCE)
    const values = some.flatMap(({ id, at, uses }) => [engine.text(id), Math.floor(at), uses])
    // Each is tried again by itself: those before it are done, and would be counted twice.
    const sql = touchSql(engine, tables, some.length)
    await persistently(engine, () => connections.single((session) => session.run(sql, values)))
  }
}

/** One mark of each key, because an UPDATE joins each row once; in one order, because two of them lock rows as they go. */
function mergedById(marks: readonly UseMark[]): readonly UseMark[] {
  const merged = new Map<string, UseMark>()
  for (const { id, at, uses } of marks) {
    const other = merged.get(id)
    merged.set(id, { id, at: Math.max(at, other?.at ?? at), uses: uses + (other?.uses ?? 0) })
  }
  return [...merged.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function touchSql({ name }: Engine, { keys }: Tables, count: number): string {
  const one =
    name === 'PostgreSQL'
      ? 'CAST(? AS text) COLLATE "C" AS id, CAST(? AS bigint) AS used_at, CAST(? AS bigint) AS uses'
      : '? AS id, ? AS used_at, ? AS uses'
  const marks = Array.from({ length: count }, () => `SELECT ${one}`).join(' UNION ALL ')
  const greatest = name === 'SQLite' ? 'max' : 'greatest'
  const at = `${greatest}(coalesce(k.last_used_at, m.used_at), m.used_at)`
  const uses = 'coalesce(k.uses, 0) + m.uses'
  if (name === 'MySQL') {
    return `UPDATE ${keys} AS k JOIN (${marks}) AS m ON k.id = m.id SET k.last_used_at = ${at}, k.uses = ${uses}`
  }
  const update = `UPDATE ${keys} AS k SET last_used_at = ${at}, uses = ${uses} FROM`
  if (name === 'SQLite') return `${update} (${marks}) AS m WHERE k.id = m.id`
  // An UPDATE locks rows in whatever order it finds them, and one that waited for a row forgets marks that were joined
  // to it. So rows are locked first, in one order, and nothing is left to wait for.
  return `WITH m AS MATERIALIZED (${marks}),
    locked AS MATERIALIZED (
      SELECT id FROM ${keys} WHERE id IN (SELECT id FROM m) ORDER BY id FOR NO KEY UPDATE
    )
    ${update} m JOIN locked ON locked.id = m.id WHERE k.id = m.id`
}
