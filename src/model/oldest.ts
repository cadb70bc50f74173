/** One of so many is let go at once. */
const PART = 64

/**
 * The oldest few of a full map, to be removed from it: one, or a small part of many. To find the one that is oldest, an
 * iterator walks past the places of all that were removed since the map was laid out last: with 10,000 entries, one by
 * one, that takes twenty times as long as the removals.
 */
export function oldestOf<K>(entries: Pick<ReadonlyMap<K, unknown>, 'size' | 'keys'>): readonly K[] {
  const count = Math.ceil(entries.size / PART)
  const oldest: K[] = []
  for (const key of entries.keys()) {
    if (oldest.length === count) break
    oldest.push(key)
  }
  return oldest
}
