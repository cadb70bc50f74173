import { type Value, wholeOf } from './engine.ts'
import type { Tables } from './schema.ts'
import type { Session } from './session.ts'

/**
 * Changes rows by one UPDATE or DELETE, and tells whoever listens: an id, or `'*'`. It is heard when the change is
 * durable, and not at all when it is undone or there was nothing to change. Only PostgreSQL has ways to tell.
 */
export async function changeAndTell(
  session: Session,
  { channel }: Tables,
  statement: { readonly sql: string; readonly values: readonly Value[] },
  whom: string,
): Promise<number> {
  const { engine } = session
  if (engine.name !== 'PostgreSQL') return session.run(statement.sql, statement.values)
  const sql = `WITH changed AS (${statement.sql} RETURNING 1), counted AS (SELECT count(*) AS count FROM changed)
    SELECT count, CASE WHEN count > 0 THEN CAST(pg_notify(?, ?) AS text) END AS told FROM counted`
  const [row] = await session.rows(sql, [...statement.values, channel, engine.text(whom)])
  return wholeOf(row?.count)
}
