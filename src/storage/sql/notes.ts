import type { Note, NotesKept, NotesPage, NotesQuery } from '../../model/store.ts'
import { chunks } from '../chunks.ts'
import { notesWanted } from '../conditions.ts'
import { readWholeCursor } from '../cursor.ts'
import { NOTE_COLUMNS, notesPage, toNote, toNoteValues } from '../note-rows.ts'
import { insertSql } from '../placeholders.ts'
import { textOf, unlessThere, type Value, wholeOf } from './engine.ts'
import { orNull, parametersOf } from './rows.ts'
import type { Tables } from './schema.ts'
import type { Row, Session } from './session.ts'

/** Notes that go into one statement. */
const AT_ONCE = 100

/** Within a transaction. Those of one owner go in one order, as everyone locks. */
export async function note(
  session: Session,
  tables: Tables,
  notes: readonly Note[],
  { most, since }: NotesKept,
): Promise<void> {
  const { engine } = session
  const sorted = [...notes].sort((a, b) => (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : a.at - b.at))
  for (const some of chunks(sorted, AT_ONCE)) {
    const values = some.flatMap((one) => parametersOf(engine, NOTE_COLUMNS, toNoteValues(one)))
    await session.run(insertSql(tables.notes, NOTE_COLUMNS, some.length) + unlessThere(engine, 'id'), values)
  }
  for (const owner of new Set(sorted.map((one) => one.owner))) {
    await forget(session, tables, engine.text(owner), most)
  }
  await session.run(`DELETE FROM ${tables.notes} WHERE noted_at < ?`, [Math.floor(since)])
}

/** The newest of those that are too many, and all before it. */
async function forget(session: Session, { notes }: Tables, owner: Value, most: number): Promise<void> {
  const select = `SELECT noted_at, id FROM ${notes} WHERE owner = ? ORDER BY noted_at DESC, id DESC LIMIT 1 OFFSET ?`
  const [first] = await session.rows(select, [owner, most])
  if (first === undefined) return
  const [at, id] = [wholeOf(first.noted_at), session.engine.text(textOf(first.id))]
  const sql = `DELETE FROM ${notes} WHERE owner = ? AND noted_at <= ? AND (noted_at < ? OR id <= ?)`
  await session.run(sql, [owner, at, at, id])
}

export async function listNotes(session: Session, { notes }: Tables, query: NotesQuery): Promise<NotesPage> {
  const wanted = { ...query, since: Math.floor(query.since) }
  const { sql, values } = notesWanted(session.engine, wanted, readWholeCursor(query.cursor))
  const select = `SELECT ${NOTE_COLUMNS.join(', ')} FROM ${notes} WHERE ${sql} ORDER BY noted_at DESC, id DESC LIMIT ?`
  const rows = await session.rows(select, [...values, query.limit + 1])
  return notesPage(rows.map(noteOf), query.limit)
}

function noteOf(row: Row): Note {
  return toNote({
    id: textOf(row.id),
    noted_at: wholeOf(row.noted_at),
    owner: textOf(row.owner),
    key_id: orNull(row.key_id, textOf),
    prefix: orNull(row.prefix, textOf),
    resource: orNull(row.resource, textOf),
    actor: orNull(row.actor, textOf),
    data: textOf(row.data),
  })
}
