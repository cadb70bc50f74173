import { addTo, type Entry, removeFrom } from './ordered.ts'

/** The keys of each owner, oldest first. */
export interface Owners {
  of(owner: string): readonly Entry[]
  add(entry: Entry): void
  remove(entry: Entry): void
}

/** An owner of one key, as most are, has no list: that would be a tenth of what a key takes. */
export function ownersOf(): Owners {
  const shelves = new Map<string, Entry | Entry[]>()
  return {
    of(owner) {
      const shelf = shelves.get(owner)
      return shelf === undefined ? [] : Array.isArray(shelf) ? shelf : [shelf]
    },
    add(entry) {
      const { owner } = entry.key
      const shelf = shelves.get(owner)
      if (shelf === undefined) shelves.set(owner, entry)
      else if (Array.isArray(shelf)) addTo(shelf, entry)
      else {
        const both = [shelf]
        addTo(both, entry)
        shelves.set(owner, both)
      }
    },
    remove(entry) {
      const { owner } = entry.key
      const shelf = shelves.get(owner)
      if (Array.isArray(shelf) && shelf.length > 1) removeFrom(shelf, entry)
      else shelves.delete(owner)
    },
  }
}
