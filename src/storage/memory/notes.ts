import { own } from '../../model/own.ts'
import type { KeyStore, Note, NotesKept, NotesPage, NotesQuery } from '../../model/store.ts'
import { cursorAfter, isEarlier, readCursor } from '../cursor.ts'
import { isAskedNote, placeOfNote } from '../notes.ts'

/** After so many newcomers, the notes of all owners are looked through for what is too old. */
const MANY = 10_000

/** Notes in the memory of this process, by owner, the oldest first. */
export function memoryNotes(): Required<Pick<KeyStore, 'note' | 'notes'>> {
  const byOwner = new Map<string, Note[]>()
  let newcomers = 0

  function note(notes: readonly Note[], { most, since }: NotesKept): void {
    const owners = new Set<string>()
    for (const given of notes) {
      const one = Object.freeze(own(given))
      const shelf = byOwner.get(one.owner) ?? []
      byOwner.set(one.owner, shelf)
      owners.add(one.owner)
      add(shelf, one)
    }
    newcomers += notes.length
    const all = newcomers > MANY
    if (all) newcomers = 0
    for (const owner of all ? [...byOwner.keys()] : owners) trim(owner, most, since)
  }

  function trim(owner: string, most: number, since: number): void {
    const shelf = byOwner.get(owner) ?? []
    const old = shelf.findIndex(({ at }) => at >= since)
    shelf.splice(0, Math.max(old < 0 ? shelf.length : old, shelf.length - most))
    if (shelf.length === 0) byOwner.delete(owner)
  }

  function notes(query: NotesQuery): NotesPage {
    const shelf = byOwner.get(query.owner) ?? []
    const before = readCursor(query.cursor)
    const items: Note[] = []
    for (const one of shelf.toReversed()) {
      if (before !== undefined && !isEarlier(placeOfNote(one), before)) continue
      if (!isAskedNote(one, query)) continue
      const last = items.at(-1)
      if (last !== undefined && items.length === query.limit) return { items, cursor: cursorAfter(placeOfNote(last)) }
      items.push(one)
    }
    return { items }
  }

  return { note, notes }
}

/** A new note is nearly always the youngest. One that is there already is left alone. */
function add(shelf: Note[], note: Note): void {
  let at = shelf.length
  while (at > 0 && isEarlier(placeOfNote(note), placeOfNote(shelf[at - 1] as Note))) at--
  if (shelf[at - 1]?.at === note.at && shelf[at - 1]?.id === note.id) return
  shelf.splice(at, 0, note)
}
