import type { Note, NotesPage } from '../model/store.ts'
import { cursorAfter } from './cursor.ts'
import { escapeOptional, escapeText, unescapeText } from './escaping.ts'
import { placeOfNote } from './notes.ts'

/** A note in a table of SQLite, of PostgreSQL or of MySQL; `KEY` and `AT` are words of theirs. */
export interface NoteRow {
  readonly id: string
  readonly noted_at: number
  readonly owner: string
  readonly key_id: string | null
  readonly prefix: string | null
  readonly resource: string | null
  readonly actor: string | null
  readonly data: string
}

/** In the order of `toNoteValues`. */
export const NOTE_COLUMNS = ['id', 'noted_at', 'owner', 'key_id', 'prefix', 'resource', 'actor', 'data'] as const

export function toNoteValues({
  id,
  at,
  owner,
  key,
  prefix,
  resource,
  actor,
  data,
}: Note): readonly (string | number | null)[] {
  return [
    escapeText(id),
    at,
    escapeText(owner),
    ...[key, prefix, resource, actor].map(escapeOptional),
    escapeText(data),
  ]
}

export function toNote(row: NoteRow): Note {
  return {
    id: unescapeText(row.id),
    at: row.noted_at,
    owner: unescapeText(row.owner),
    ...(row.key_id !== null && { key: unescapeText(row.key_id) }),
    ...(row.prefix !== null && { prefix: unescapeText(row.prefix) }),
    ...(row.resource !== null && { resource: unescapeText(row.resource) }),
    ...(row.actor !== null && { actor: unescapeText(row.actor) }),
    data: unescapeText(row.data),
  }
}

/** @param found one more than asked for, if there is: so it shows whether there is another page */
export function notesPage(found: readonly Note[], limit: number): NotesPage {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined ? { items, cursor: cursorAfter(placeOfNote(last)) } : { items }
}
