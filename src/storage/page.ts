import { hasCode } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import type { Filter, ListPage } from '../model/store.ts'
import { cursorAfter, type Place } from './cursor.ts'

/**
 * A page of rows, of which one more was asked for than fit: it shows that there is another page. A row that cannot be
 * read hides none of the others.
 */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  { placeOf, keyOf }: { readonly placeOf: (row: Row) => Place; readonly keyOf: (row: Row) => StoredKey },
): ListPage {
  const items: StoredKey[] = []
  const damaged: string[] = []
  const shown = rows.slice(0, limit)
  for (const row of shown) {
    const key = readable(() => keyOf(row))
    if (key === DAMAGED) damaged.push(placeOf(row).id)
    else items.push(key)
  }
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items, ...(damaged.length > 0 && { damaged }), ...(hasMore && { cursor: cursorAfter(placeOf(last)) }) }
}

/** Whether a key is asked for, for stores that look at it themselves. */
export function isWanted(
  key: StoredKey,
  { prefixes, owner, resource, status }: Filter & { readonly status?: StoredKey['status'] },
): boolean {
  if (owner !== undefined && key.owner !== owner) return false
  if (resource !== undefined && key.resource !== resource) return false
  return (status === undefined || key.status === status) && prefixes.includes(key.prefix)
}

/** Stands for a record that cannot be read. */
export const DAMAGED = 'damaged'

export function readable<T>(read: () => T): T | typeof DAMAGED {
  try {
    return read()
  } catch (error) {
    if (hasCode(error, 'STORE')) return DAMAGED
    throw error
  }
}
