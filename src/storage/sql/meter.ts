import type { Counted } from '../counters.ts'
import { readCounters } from '../counters-text.ts'
import { requireWritable, textOf, type Value, wholeOf } from './engine.ts'
import { orNull } from './rows.ts'
import type { Tables } from './schema.ts'
import type { Row, Session } from './session.ts'

/** What a key has used, as it was at one moment. */
export interface Meter {
  readonly version: number
  readonly revision: number
  readonly windows: string
  readonly metered: Counted
  /** The server's time, ms. */
  readonly at: number | undefined
  readonly row: Row
}

/** What else a statement does that reads a meter; its parameters come before the id. */
interface Beside {
  readonly before?: string
  readonly columns?: string
  readonly join?: string
  readonly lock?: string
  readonly values?: readonly Value[]
}

/** What a key has used, and what is beside it, as one statement sees them: at one moment. */
export async function readMeter(
  session: Session,
  { keys }: Tables,
  id: string,
  { before = '', columns = '', join = '', lock = '', values = [] }: Beside = {},
): Promise<Meter | undefined> {
  const { engine } = session
  const clock = engine.clock === undefined ? '' : `, ${engine.clock} AS now_ms`
  const selected = `version, revision, windows${clock}${engine.writability}${columns}`
  const sql = `${before}SELECT ${selected} FROM ${keys}${join} WHERE id = ?${lock}`
  const [row] = await session.rows(sql, [...values, engine.text(id)])
  if (row === undefined) return undefined
  requireWritable(engine, row)
  const windows = orNull(row.windows, textOf) ?? ''
  return {
    version: wholeOf(row.version),
    revision: wholeOf(row.revision),
    windows,
    metered: { counters: readCounters(windows, id) },
    at: orNull(row.now_ms, wholeOf) ?? undefined,
    row,
  }
}

/** The statement that writes what was decided on a meter, if it is still so. */
export function writing(
  { engine }: Session,
  { keys }: Tables,
  id: string,
  { version, revision }: Meter,
  windows: string,
): [sql: string, values: readonly Value[]] {
  const sql = `UPDATE ${keys} SET windows = ?, revision = revision + 1 WHERE id = ? AND version = ? AND revision = ?`
  return [sql, [engine.text(windows), engine.text(id), version, revision]]
}
