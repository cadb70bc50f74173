import { KeywardError } from '../../model/errors.ts'
import type { Session } from './session.ts'

/** What a connection of MySQL must be set to, so that a statement is durable when it is answered. */
const NEEDED: Readonly<Record<string, string>> = { autocommit: 'ON', completion_type: 'NO_CHAIN' }

/**
 * Refuses connections on which what is acknowledged might never be committed, as a setting of the server or a hook of the
 * pool can make them; and drivers that answer rows in another way than by the names of their columns.
 * @throws KeywardError `CONFIG`
 */
export async function requireCommits(session: Session): Promise<void> {
  if (session.engine.name !== 'MySQL') return
  const names = Object.keys(NEEDED)
  const rows = await session.rows(`SHOW VARIABLES WHERE Variable_name IN ('${names.join("', '")}')`)
  if (rows.some((row) => typeof row.Variable_name !== 'string')) {
    throw new KeywardError('CONFIG', 'the driver must answer rows as objects: leave out rowsAsArray and nestTables')
  }
  for (const { Variable_name: name, Value: value } of rows) {
    const needed = NEEDED[String(name)]
    if (value === needed) continue
    throw new KeywardError('CONFIG', `MySQL: ${name} is ${value}, and must be ${needed} for the connections of Keyward`)
  }
}
