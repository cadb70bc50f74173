import type { StoredKey } from '../../model/key.ts'
import { addTo, type Places, removeFrom } from '../ordered.ts'

/** The ids of each owner's keys, oldest first. */
export interface Owners {
  of(owner: string): readonly string[]
  add(key: StoredKey): void
  /** Of a key that is still in its place. */
  remove(key: StoredKey): void
}

/** An owner of one key, as most are, has no list: that would be a tenth of what a key takes. */
export function ownersOf(places: Places): Owners {
  const shelves = new Map<string, string | string[]>()
  return {
    of(owner) {
      const shelf = shelves.get(owner)
      return shelf === undefined ? [] : typeof shelf === 'string' ? [shelf] : shelf
    },
    add(key) {
      const shelf = shelves.get(key.owner)
      if (shelf === undefined) {
        shelves.set(key.owner, key.id)
        return
      }
      const ids = typeof shelf === 'string' ? [shelf] : shelf
      addTo(ids, key, places)
      if (ids !== shelf) shelves.set(key.owner, ids)
    },
    remove(key) {
      const shelf = shelves.get(key.owner)
      if (typeof shelf === 'object' && shelf.length > 1) removeFrom(shelf, key, places)
      else shelves.delete(key.owner)
    },
  }
}
