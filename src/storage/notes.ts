import type { Note, NotesQuery } from '../model/store.ts'
import type { Place } from './cursor.ts'

/** Where a note stands in a list. */
export function placeOfNote({ at, id }: Note): Place {
  return { createdAt: at, id }
}

/** Whether a note of the owner is asked for, for stores that do not look at all of its fields themselves. */
export function isAskedNote(note: Note, { prefixes, key, resource, actor, since }: NotesQuery): boolean {
  if (note.at < since) return false
  if (key !== undefined && note.key !== key) return false
  if (resource !== undefined && note.resource !== resource) return false
  if (actor !== undefined && note.actor !== actor) return false
  return prefixes === undefined || note.prefix === undefined || prefixes.includes(note.prefix)
}
