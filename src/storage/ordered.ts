import type { StoredKey } from '../model/key.ts'
import type { Metered } from './counters.ts'
import type { Place } from './cursor.ts'

/** A key in memory with what lies beside it; lists hold it in the order of `createdAt`, then `id`. */
export interface Entry extends Metered {
  key: StoredKey
}

/** A new key is nearly always the youngest, and goes to the end at once. */
export function addTo(entries: Entry[], entry: Entry): void {
  const at = indexOf(entries, entry.key)
  if (at === entries.length) entries.push(entry)
  else entries.splice(at, 0, entry)
}

export function removeFrom(entries: Entry[], entry: Entry): void {
  const at = indexOf(entries, entry.key)
  if (entries[at] === entry) entries.splice(at, 1)
}

/** How many entries stand before a place: the index of what is at it or follows. */
export function indexOf(entries: readonly Entry[], place: Place): number {
  let low = 0
  let high = entries.length
  const last = entries[high - 1]
  if (last !== undefined && isBefore(last.key, place)) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore((entries[middle] as Entry).key, place)) low = middle + 1
    else high = middle
  }
  return low
}

function isBefore(a: Place, b: Place): boolean {
  return a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id)
}
