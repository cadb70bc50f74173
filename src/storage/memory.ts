import { KeywardError } from '../model/errors.ts'
import { frozenCopy } from '../model/frozen.ts'
import type { StoredKey } from '../model/key.ts'
import type {
  CreditAccount,
  CreditMove,
  Filter,
  KeyStore,
  LeaseSpend,
  ListPage,
  ListQuery,
  Moved,
  Spend,
  Taken,
  UseMark,
} from '../model/store.ts'
import { warnOnce } from '../model/warn.ts'
import { type Account, bringUp, isChange, memoryHolds, move as moveOn, openAccount, takeWith } from './accounts.ts'
import { endLeased, lease as leaseFrom, take as takeFrom } from './counters.ts'
import { cursorAfter, readCursor } from './cursor.ts'
import { hasAccount, type MemoryKeys, memoryKeys, type UsedKey } from './memory/keys.ts'
import { memoryNotes } from './memory/notes.ts'
import { type Owners, ownersOf } from './memory/owners.ts'
import { addTo, indexOf, removeFrom } from './ordered.ts'
import { isWanted } from './page.ts'

/** Keys have few sets of scopes and of limits among them: equal ones are kept once, as long as they are no more than these. */
const MOST_SHARED = 1_000

type Writable<T> = { -readonly [F in keyof T]: T[F] }

/** The keys of this store, and the ways to them. */
interface Shelves {
  readonly keys: MemoryKeys
  readonly byName: Map<string, string>
  readonly owners: Owners
  /** The ids of all of them, oldest first. */
  readonly all: string[]
  /** Scopes and limits of several keys, by their JSON. */
  readonly shared: Map<string, object>
  readonly accounts: Map<string, Account>
}

/**
 * Keys in the memory of this process, gone when it ends: for tests, and for programs that run once.
 * It answers without a promise. Every verb but `watch` is there; what it is given and what it gives are its own copies.
 *
 * Throws `CONFLICT` as `KeyStore` says, and `INPUT` for a cursor that no page gave.
 */
export function memoryStore(): KeyStore {
  warnWhereOthersCount()
  const keys = memoryKeys()
  const shelves: Shelves = {
    keys,
    byName: new Map(),
    owners: ownersOf(keys),
    all: [],
    shared: new Map(),
    accounts: new Map(),
  }
  return {
    find: keys.get,
    insert: (key) => insert(shelves, key),
    replace: (key, ifVersion) => replace(shelves, key, ifVersion),
    remove: (id) => remove(shelves, id),
    list: (query) => list(shelves, query),
    touch: (marks) => {
      for (const mark of marks) touch(shelves, mark)
    },
    take: (id, version, spend, now) => take(shelves, keys.used(id), version, spend, now),
    lease: (id, version, spend, now) => lease(keys.used(id), version, spend, now),
    move: (credit, now) => move(shelves, credit, now),
    revokeWhere: (filter, at, reason) => revokeWhere(shelves, filter, at, reason),
    ...memoryNotes(),
    close: () => {},
  }
}

/** Where there are several processes, or the keys are meant to last, one warning says so. */
function warnWhereOthersCount(): void {
  try {
    if (process.env.NODE_ENV !== 'production' && !isClusterWorker()) return
  } catch {
    // Deno asks its user before the environment may be read: that is too much for a warning.
    return
  }
  warnOnce('KEYWARD_MEMORY_STORE', 'memoryStore() keeps keys and limits in this process alone, and only while it runs.')
}

/** Asked only where there is a parent to be the worker of: elsewhere node:cluster would be loaded for nothing. */
function isClusterWorker(): boolean {
  return (
    process.send !== undefined &&
    (process.getBuiltinModule?.('node:cluster') as { isWorker?: boolean } | undefined)?.isWorker === true
  )
}

function insert(shelves: Shelves, key: StoredKey): void {
  if (shelves.keys.get(key.id) !== undefined) throw new KeywardError('CONFLICT', 'the id is taken')
  const copy = ownCopy(shelves, withMarks(key, undefined, undefined))
  claimName(shelves, key)
  shelves.keys.set(copy)
  shelve(shelves, copy)
}

function replace(shelves: Shelves, key: StoredKey, ifVersion: number): boolean {
  const before = shelves.keys.get(key.id)
  if (before === undefined || before.version !== ifVersion) return false
  const after = ownCopy(shelves, withMarks(key, before.lastUsedAt, before.uses))
  claimName(shelves, key)
  if (before.uniqueName !== undefined && before.uniqueName !== key.uniqueName) shelves.byName.delete(before.uniqueName)
  if (before.credits?.opened !== key.credits?.opened) closeAccount(shelves, before)
  const moves = before.owner !== key.owner || before.createdAt !== key.createdAt
  if (moves) unshelve(shelves, before)
  shelves.keys.set(after)
  if (moves) shelve(shelves, after)
  return true
}

function remove(shelves: Shelves, id: string): boolean {
  const key = shelves.keys.get(id)
  if (key === undefined) return false
  unshelve(shelves, key)
  shelves.keys.delete(id)
  if (key.uniqueName !== undefined) shelves.byName.delete(key.uniqueName)
  closeAccount(shelves, key)
  return true
}

function list(shelves: Shelves, query: ListQuery): ListPage {
  const { keys } = shelves
  const ids = shelfOf(shelves, query)
  const items: StoredKey[] = []
  const after = readCursor(query.cursor)
  const end = after === undefined ? ids.length : indexOf(ids, after, keys)
  for (let at = end - 1; at >= 0; at--) {
    const key = keys.get(ids[at] as string) as StoredKey
    if (!isWanted(key, query)) continue
    const last = items.at(-1)
    if (last !== undefined && items.length === query.limit) return { items, cursor: cursorAfter(last) }
    items.push(key)
  }
  return { items }
}

function touch({ keys }: Shelves, mark: UseMark): void {
  const key = keys.get(mark.id)
  if (key === undefined) return
  const { lastUsedAt = mark.at, uses = 0 } = key
  keys.set(Object.freeze({ ...key, lastUsedAt: Math.max(lastUsedAt, mark.at), uses: uses + mark.uses }))
}

function take(shelves: Shelves, used: UsedKey | undefined, version: number, spend: Spend, now: number): Taken {
  if (used === undefined || used.key.version !== version) return { stale: used?.key }
  const { credits } = spend
  if (credits === undefined) return takeFrom(used, spend, now)
  return takeWith(accountFor(shelves, credits, now), credits, used, spend, now)
}

function lease(used: UsedKey | undefined, version: number, spend: LeaseSpend, now: number): Taken {
  if (used === undefined) return { stale: undefined }
  endLeased(used, spend, now)
  return used.key.version === version ? leaseFrom(used, spend, now) : { stale: used.key }
}

function move(shelves: Shelves, credit: CreditMove, now: number): Moved {
  return moveOn(accountFor(shelves, credit, now, isChange(credit) && hasAccount(shelves.keys, credit)), credit)
}

/** The account as it is at `now`. One that is only looked at is not opened. */
function accountFor({ accounts }: Shelves, credit: CreditAccount, now: number, opens = true): Account {
  const account = accounts.get(credit.account) ?? openAccount(credit, memoryHolds())
  if (opens) accounts.set(credit.account, account)
  bringUp(account, credit, now)
  return account
}

function closeAccount({ accounts }: Shelves, { id, credits }: StoredKey): void {
  if (credits !== undefined) accounts.delete(`${id}:${credits.opened}`)
}

function revokeWhere(shelves: Shelves, filter: Filter, at: number, reason: string | undefined): number {
  let count = 0
  for (const id of shelfOf(shelves, filter)) {
    const key = shelves.keys.get(id) as StoredKey
    if (key.status === 'revoked' || !isWanted(key, filter)) continue
    const revoked = { ...key, version: key.version + 1, status: 'revoked', updatedAt: at, revokedAt: at } as const
    shelves.keys.set(Object.freeze(reason === undefined ? revoked : { ...revoked, revokedReason: reason }))
    count++
  }
  return count
}

/** The key with the use marks that lie beside it, whatever it brings itself. */
function withMarks(key: StoredKey, lastUsedAt: number | undefined, uses: number | undefined): StoredKey {
  if (lastUsedAt !== undefined && uses !== undefined) return { ...key, lastUsedAt, uses }
  if (key.lastUsedAt === undefined && key.uses === undefined) return key
  const { lastUsedAt: _, uses: __, ...rest } = key
  return rest
}

/** What many keys have in common, they share: a key takes a third of what it would. */
function ownCopy({ keys, owners, shared }: Shelves, key: StoredKey): StoredKey {
  const common: Partial<Writable<StoredKey>> = { scopes: sharedCopy(shared, key.scopes) }
  const [sibling] = owners.of(key.owner)
  if (sibling !== undefined) common.owner = (keys.get(sibling) as StoredKey).owner
  if (Object.hasOwn(key, 'limits') && key.limits) common.limits = sharedCopy(shared, key.limits)
  return Object.freeze({ ...frozenCopy(key), ...common })
}

function sharedCopy<T extends object>(shared: Map<string, object>, value: T): T {
  const text = JSON.stringify(value)
  const known = shared.get(text)
  if (known !== undefined) return known as T
  if (shared.size === MOST_SHARED) shared.clear()
  const copy = frozenCopy(value)
  shared.set(text, copy)
  return copy
}

function claimName(shelves: Shelves, { id, uniqueName }: StoredKey): void {
  if (uniqueName === undefined) return
  const holder = shelves.byName.get(uniqueName)
  if (holder !== undefined && holder !== id) throw new KeywardError('CONFLICT', 'the name is taken')
  shelves.byName.set(uniqueName, id)
}

function shelfOf(shelves: Shelves, { owner }: Filter): readonly string[] {
  return owner === undefined ? shelves.all : shelves.owners.of(owner)
}

function shelve({ all, owners, keys }: Shelves, key: StoredKey): void {
  addTo(all, key, keys)
  owners.add(key)
}

function unshelve({ all, owners, keys }: Shelves, key: StoredKey): void {
  removeFrom(all, key, keys)
  owners.remove(key)
}
