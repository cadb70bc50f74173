import type { Note, NotesKept, NotesPage, NotesQuery } from '../../model/store.ts'
import { notesWanted } from '../conditions.ts'
import { readCursor } from '../cursor.ts'
import { escapeText } from '../escaping.ts'
import { NOTE_COLUMNS, type NoteRow, notesPage, toNote, toNoteValues } from '../note-rows.ts'
import { insertSql } from '../placeholders.ts'
import type { Database } from './driver.ts'
import { type Statements, WORDS } from './statements.ts'
import { transaction } from './transaction.ts'

const ADD = `${insertSql('keyward_notes', NOTE_COLUMNS)} ON CONFLICT DO NOTHING`
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
  const { sql, values } = notesWanted(WORDS, query, readCursor(query.cursor))
  const select = `SELECT ${NOTE_COLUMNS.join(', ')} FROM keyward_notes
    WHERE ${sql} ORDER BY noted_at DESC, id DESC LIMIT ?`
  const rows = prepared(select).all(...values, query.limit + 1) as readonly NoteRow[]
  return notesPage(rows.map(toNote), query.limit)
}
