import { isEarlier, type Place } from './cursor.ts'

/** Where a key stands whose id is in a list. */
export interface Places {
  get(id: string): Place | undefined
}

/** Puts an id into a list that goes by `createdAt`, then id. A new key is nearly always the youngest, and goes to the end at once. */
export function addTo(ids: string[], place: Place, places: Places): void {
  const at = indexOf(ids, place, places)
  if (at === ids.length) ids.push(place.id)
  else ids.splice(at, 0, place.id)
}

export function removeFrom(ids: string[], place: Place, places: Places): void {
  const at = indexOf(ids, place, places)
  if (ids[at] === place.id) ids.splice(at, 1)
}

/** How many stand before a place: the index of what is at it or follows. */
export function indexOf(ids: readonly string[], place: Place, places: Places): number {
  const isBefore = (at: number) => isEarlier(places.get(ids[at] as string) as Place, place)
  let low = 0
  let high = ids.length
  if (high > 0 && isBefore(high - 1)) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
