import { hasCode } from '../../model/errors.ts'
import type { StoredKey } from '../../model/key.ts'
import type { Filter, ListPage, ListQuery } from '../../model/store.ts'
import { cursorAfter, type Place, readCursor } from '../cursor.ts'
import { escapeText } from '../escaping.ts'
import { DAMAGED, isWanted, readable } from '../page.ts'
import type { Run } from './connection.ts'
import { type Index, memberOf, type Names, placeOf } from './keys.ts'
import { VOID_AFTER } from './names.ts'
import { toKey } from './records.ts'
import { FIND, PAGE, REVOKE, SUSPECT, TELL } from './scripts.ts'

/** Entries that one call to `list` looks at, at most: where few of them match, the page is short. */
const MOST_LOOKED_AT = 1_000
/** Entries that are read, or revoked, at once. */
const CHUNK = 250
/** The same where the first entries did not match. */
const AT_LEAST = 50

/** Shelves that hold what a filter asks for, and whether a key stands there by right. */
interface Shelf extends Index {
  readonly holds: (key: StoredKey) => boolean
}

export async function list(run: Run, names: Names, query: ListQuery): Promise<ListPage> {
  const shelves = shelvesFor(names, query)
  let before = readCursor(query.cursor)
  const items: StoredKey[] = []
  const damaged: string[] = []
  let last: Place | undefined
  for (let looked = 0; looked < MOST_LOOKED_AT; ) {
    const size = Math.min(CHUNK, Math.max(query.limit + 1, looked === 0 ? 0 : AT_LEAST))
    const places = await placesBefore(run, shelves, before, size)
    const keys = await Promise.all(places.map(async (place) => read(run, names, place.id)))
    await noteOrphans(run, shelves, places, keys)
    for (const [at, place] of places.entries()) {
      const key = keys[at]
      if (key !== DAMAGED && !(key && isAt(key, place) && isWanted(key, query))) continue
      if (last !== undefined && items.length + damaged.length === query.limit) return pageAt(last)
      last = place
      if (key === DAMAGED) damaged.push(place.id)
      else if (key !== undefined) items.push(key)
    }
    if (places.length < size) return pageAt(undefined)
    before = places.at(-1)
    looked += places.length
  }
  return pageAt(before)

  function pageAt(place: Place | undefined): ListPage {
    const cursor = place && cursorAfter(place)
    return { items, ...(damaged.length > 0 && { damaged }), ...(cursor !== undefined && { cursor }) }
  }
}

/**
 * Revokes chunk by chunk. What was revoked stays so if this ends half-way, and the same again goes on with the rest.
 * Those who listen are told once, of everything.
 */
export async function revokeWhere(
  run: Run,
  names: Names,
  filter: Filter,
  at: number,
  reason: string | undefined,
): Promise<number> {
  const { owner, resource, prefixes } = filter
  const [whose, what, why] = [tagged('o', owner), tagged('r', resource), tagged('w', reason)]
  const args = [whose, what, why, String(at), ...prefixes.map(escapeText)]
  let count = 0
  let isWhole = false
  try {
    for (const shelf of shelvesFor(names, filter)) {
      let before: Place | undefined
      do {
        const places = await placesBefore(run, [shelf], before, CHUNK)
        const revoked = await Promise.all(
          places.map(({ id }) => run(REVOKE, [names.record(id), names.windows(id)], args)),
        )
        count += revoked.filter((one) => Number(one) === 1).length
        before = places.length < CHUNK ? undefined : places.at(-1)
      } while (before !== undefined)
    }
    isWhole = true
    return count
  } finally {
    // Also of what was done before something broke; but everyone forgets everything, which is not for nothing.
    if (count > 0 || !isWhole) await run(TELL, [], [names.channel, '*']).catch(() => {})
  }
}

function shelvesFor(names: Names, { owner, prefixes }: Filter): readonly Shelf[] {
  if (owner !== undefined) return [{ ...names.ofOwner(owner), holds: (key) => key.owner === owner }]
  return [...new Set(prefixes)].map((prefix) => ({
    ...names.ofPrefix(prefix),
    holds: (key: StoredKey) => key.prefix === prefix,
  }))
}

/** The next places of several shelves together, in descending order. */
async function placesBefore(
  run: Run,
  shelves: readonly Shelf[],
  before: Place | undefined,
  size: number,
): Promise<readonly Place[]> {
  const from = before === undefined ? '' : memberOf(before)
  const pages = await Promise.all(shelves.map(({ entries }) => run(PAGE, [entries], [from, String(size)])))
  const members = (pages as readonly (readonly unknown[])[]).flat().map(String)
  if (shelves.length > 1) members.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
  return [...new Set(members)].slice(0, size).map(placeOf)
}

type Found = StoredKey | typeof DAMAGED | undefined

async function read(run: Run, names: Names, id: string): Promise<Found> {
  try {
    const answer = await run(FIND, [names.record(id)])
    return readable(() => toKey(id, answer))
  } catch (error) {
    if (hasCode(error, 'STORE') && /\bWRONGTYPE\b/.test(error.message)) return DAMAGED
    throw error
  }
}

/** Entries that have no record (one that is damaged is one), or whose record stands elsewhere, are left out, and taken away when they stay so. */
async function noteOrphans(
  run: Run,
  shelves: readonly Shelf[],
  places: readonly Place[],
  keys: readonly Found[],
): Promise<void> {
  const notes = shelves.map(async (shelf) => {
    const orphans = places.filter((place, at) => {
      const key = keys[at]
      if (key === DAMAGED) return false
      // Of several shelves only the one on which it stands by right is known; another's key is no orphan of this one.
      return key === undefined || !isAt(key, place) || (shelves.length === 1 && !shelf.holds(key))
    })
    if (orphans.length === 0) return
    const args = [String(2 * VOID_AFTER), ...orphans.map(memberOf)]
    await run(SUSPECT, [shelf.entries, shelf.suspects], args).catch(() => {})
  })
  await Promise.all(notes)
}

function isAt(key: StoredKey, place: Place): boolean {
  return memberOf(key) === memberOf(place)
}

/** A condition as REVOKE reads it; an empty text is no condition. */
function tagged(mark: string, text: string | undefined): string {
  return text === undefined ? '' : mark + escapeText(text)
}
