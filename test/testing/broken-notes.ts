import type { Note, NotesPage } from '../../src/model/store.ts'
import { at, type BrokenStore } from './broken-store.ts'

const shown = (
  page: NotesPage | Promise<NotesPage>,
  change: (items: readonly Note[]) => readonly Note[],
): NotesPage => {
  const known = at(page)
  return { ...known, items: change(known.items) }
}

/** Mistakes with notes. */
export const BROKEN_NOTES: readonly BrokenStore[] = [
  {
    mistake: 'notes drops a field that it does not know',
    found: ['note-shows'],
    change: (good) => ({
      notes: (query) => shown(good.notes(query), (items) => items.map(({ prefix: _, ...rest }) => rest)),
    }),
  },
  {
    mistake: 'notes shows those of every owner',
    found: ['note-shows', 'note-most'],
    change: (good) => ({
      note: (notes, keep) =>
        good.note(
          notes.map((one) => ({ ...one, owner: one.owner.trim().slice(0, 3) })),
          keep,
        ),
      notes: (query) =>
        shown(good.notes({ ...query, owner: query.owner.trim().slice(0, 3) }), (items) =>
          items.map((one) => ({ ...one, owner: query.owner })),
        ),
    }),
  },
  {
    mistake: 'note gives each note an id of its own',
    found: [
      'note-once',
      'note-order',
      'note-pages',
      'note-shows',
      'note-filters',
      'note-most',
      'note-since',
      'note-outlives',
    ],
    change: (good) => {
      let count = 0
      return {
        note: (notes, keep) =>
          good.note(
            notes.map((one) => ({ ...one, id: `${one.id}-${count++}` })),
            keep,
          ),
      }
    },
  },
  {
    mistake: 'notes orders ids without their case',
    found: ['note-order'],
    change: (good) => ({
      notes: (query) =>
        shown(good.notes(query), (items) =>
          [...items].sort((a, b) => b.at - a.at || (a.id.toLowerCase() < b.id.toLowerCase() ? 1 : -1)),
        ),
    }),
  },
  {
    mistake: 'notes numbers its pages',
    found: ['note-pages'],
    change: (good) => ({
      notes: (query) => {
        const all = at(good.notes({ ...query, cursor: undefined as never, limit: 1_000 })).items
        const from = Number(query.cursor ?? 0)
        const items = all.slice(from, from + query.limit)
        return all.length > from + query.limit ? { items, cursor: String(from + query.limit) } : { items }
      },
    }),
  },
  {
    mistake: 'notes ignores the prefixes',
    found: ['note-filters'],
    change: (good) => ({ notes: ({ prefixes: _, ...query }) => good.notes(query) }),
  },
  {
    mistake: 'note keeps everything',
    found: ['note-most', 'note-since'],
    change: (good) => ({ note: (notes) => good.note(notes, { most: 1_000_000, since: 0 }) }),
  },
  {
    mistake: 'remove takes the notes along',
    found: ['note-outlives'],
    change: (good) => {
      const gone = new Set<string>()
      return {
        remove: (id) => {
          gone.add(id)
          return good.remove(id)
        },
        notes: (query) => shown(good.notes(query), (items) => items.filter(({ key }) => !gone.has(key ?? ''))),
      }
    },
  },
  {
    mistake: 'note reads what is there, and writes it back later',
    found: ['note-race'],
    change: (good) => {
      let all: readonly Note[] = []
      return {
        note: async (notes, keep) => {
          const before = all
          await null
          all = [...before, ...notes]
          return good.note(notes, keep)
        },
        notes: (query) =>
          shown(good.notes(query), (items) => items.filter(({ id }) => all.some((one) => one.id === id))),
      }
    },
  },
]
