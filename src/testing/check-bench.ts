import { isDeepStrictEqual } from 'node:util'
import type { Awaitable } from '../model/awaitable.ts'
import { type ErrorCode, hasCode } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import { show } from '../model/redact.ts'
import type { KeyStore, ListQuery } from '../model/store.ts'

type Optional = 'touch' | 'take' | 'lease' | 'move' | 'revokeWhere' | 'note' | 'watch'

/** The optional verbs without which there is nothing to check. */
export type Needs = Optional | readonly Optional[]

/** A check before it has a store. */
export interface Draft {
  readonly id: string
  readonly name: string
  readonly needs?: Needs
  hold(bench: Bench): Promise<void>
}

/** What a check works with. */
export interface Bench {
  /** The store, with every verb: those that are absent are not asked for. */
  readonly store: Required<Omit<KeyStore, 'close'>>
  /** Nobody else's. */
  readonly owner: string
  readonly prefix: string
  /** A key that is in no store yet. */
  newKey(changes?: Partial<StoredKey>): StoredKey
  /** The same, inserted. */
  added(changes?: Partial<StoredKey>): Promise<StoredKey>
  /** What `list` shows over all its pages, of the own prefix unless the query names others. */
  listed(query: Partial<ListQuery>): Promise<readonly StoredKey[]>
}

/** More than any check has keys: a list that goes on after them goes in circles. */
const MOST_PAGES = 100
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export function makeBench(store: KeyStore, note: (verb: string) => void): Bench {
  const mark = randomText()
  const owner = `owner-${mark}`
  const prefix = `check_${mark.toLowerCase()}_`
  const newKey = (changes: Partial<StoredKey> = {}): StoredKey => ({ ...plainKey(owner, prefix), ...changes })
  const noted = notedStore(store, note)
  const added = async (changes?: Partial<StoredKey>): Promise<StoredKey> => {
    const key = newKey(changes)
    await noted.insert(key)
    return key
  }
  const listed = (query: Partial<ListQuery>): Promise<readonly StoredKey[]> =>
    walk(noted, { prefixes: [prefix], limit: 50, ...query })
  return { store: noted, owner, prefix, newKey, added, listed }
}

/** Twelve letters and digits, as an id has. */
export function randomText(): string {
  return Array.from({ length: 12 }, () => DIGITS[Math.floor(Math.random() * DIGITS.length)]).join('')
}

/** The next version of a key, with some of its fields changed. */
export function next(key: StoredKey, changes: Partial<StoredKey> = {}): StoredKey {
  return { ...key, updatedAt: key.updatedAt + 1, ...changes, version: key.version + 1 }
}

/** Fails with `mend`, what to do about it, unless both are the same JSON. A member that is `undefined` is absent. */
export function same(actual: unknown, expected: unknown, mend: string): void {
  if (isDeepStrictEqual(asJson(actual), asJson(expected))) return
  throw new Error(`${mend} (got ${show(actual)}, expected ${show(expected)})`)
}

/** Fails unless `act` throws an error with this code. */
export async function throws(code: ErrorCode, act: () => Awaitable<unknown>, mend: string): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (hasCode(error, code)) return
    throw new Error(`${mend} (it threw ${show(String(error))}, expected an error with code: '${code}')`)
  }
  throw new Error(`${mend} (it threw nothing, expected an error with code: '${code}')`)
}

/** How many of `times` attempts at once answered `true`; one that throws `CONFLICT` counts as `false`. */
export async function winners(times: number, attempt: (index: number) => Awaitable<boolean>): Promise<number> {
  const all = Array.from({ length: times }, async (_, index) => {
    try {
      return await attempt(index)
    } catch (error) {
      if (hasCode(error, 'CONFLICT')) return false
      throw error
    }
  })
  return (await Promise.all(all)).filter(Boolean).length
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

function plainKey(owner: string, prefix: string): StoredKey {
  const now = Date.now()
  const id = randomText()
  const version = Math.floor(Math.random() * 2 ** 31)
  const hash = `check$${randomText()}`
  return { id, version, prefix, owner, status: 'active', scopes: ['a:read'], hash, createdAt: now, updatedAt: now }
}

async function walk(store: Bench['store'], query: ListQuery): Promise<readonly StoredKey[]> {
  const seen: StoredKey[] = []
  let { cursor } = query
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page = await store.list(cursor === undefined ? query : { ...query, cursor })
    seen.push(...page.items)
    cursor = page.cursor
    if (cursor === undefined) return seen
  }
  throw new Error(`end a list: there was still a cursor after ${MOST_PAGES} pages`)
}

const STANDARD = ['find', 'insert', 'replace', 'remove', 'list'] as const
const OPTIONAL = ['touch', 'take', 'lease', 'move', 'revokeWhere', 'note', 'notes', 'watch'] as const

/** Says which verb was asked last, for when the answer does not come. */
function notedStore(store: KeyStore, note: (verb: string) => void): Bench['store'] {
  const noted = [...STANDARD, ...OPTIONAL].map((verb) => {
    const ask = (...args: readonly unknown[]): unknown => {
      note(verb)
      return Reflect.apply(store[verb] as () => unknown, store, args)
    }
    return [verb, ask]
  })
  return Object.fromEntries(noted)
}
