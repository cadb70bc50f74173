import type { Note, NotesKept, NotesPage, NotesQuery } from '../model/store.ts'
import { readCursor } from './cursor.ts'
import { escapeText } from './escaping.ts'
import { equalTo, NOTE_COLUMNS, type NoteRow, notesPage, toNote, toNoteValues } from './note-rows.ts'
import type { Database, Value } from './sqlite-driver.ts'
import type { Statements } from './sqlite-statements.ts'
import { transaction } from './sqlite-transaction.ts'

const ADD = `INSERT INTO keyward_notes (${NOTE_COLUMNS.join(', ')})
  VALUES (${NOTE_COLUMNS.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`
const FORGET_OLD = 'DELETE FROM keyward_notes WHERE noted_at < ?'
/** The newest of those that are too many, and all before it. */
const FORGET_MANY = `DELETE FROM keyward_notes WHERE owner = ? AND (noted_at, id) <=
  (SELECT noted_at, id FROM keyward_notes WHERE owner = ? ORDER BY noted_at DESC, id DESC LIMIT 1 OFFSET ?)`

/** Keeps notes, and forgets what need not be kept. */
export function note(
  { database, statements: { prepared } }: { readonly database: Database; readonly statements: Statements },
  notes: readonly Note[],
  { most, since }: NotesKept,
): void {
  const owners = new Set(notes.map(({ owner }) => escapeText(owner)))
  transaction(database, () => {
    for (const one of notes) prepared(ADD).run(...toNoteValues(one))
    prepared(FORGET_OLD).run(since)
    for (const owner of owners) prepared(FORGET_MANY).run(owner, owner, most)
  })
}

export function listNotes({ prepared }: Statements, query: NotesQuery): NotesPage {
  const { where, values } = conditionsOf(query)
  const sql = `SELECT ${NOTE_COLUMNS.join(', ')} FROM keyward_notes
    WHERE ${where} ORDER BY noted_at DESC, id DESC LIMIT ?`
  const rows = prepared(sql).all(...values, query.limit + 1) as readonly NoteRow[]
  return notesPage(rows.map(toNote), query.limit)
}

/** `where` holds no value, only placeholders for `values`. */
function conditionsOf(query: NotesQuery): { readonly where: string; readonly values: readonly Value[] } {
  const equal = equalTo(query)
  const where = ['noted_at >= ?', ...equal.map(([column]) => `${column} = ?`)]
  const values: Value[] = [query.since, ...equal.map(([, value]) => escapeText(value))]
  if (query.prefixes !== undefined) {
    where.push('(prefix IS NULL OR prefix IN (SELECT value FROM json_each(?)))')
    values.push(JSON.stringify(query.prefixes.map(escapeText)))
  }
  if (query.cursor !== undefined) {
    const { createdAt, id } = readCursor(query.cursor)
    where.push('(noted_at, id) < (?, ?)')
    values.push(createdAt, escapeText(id))
  }
  return { where: where.join(' AND '), values }
}
