import { KeywardError } from '../../model/errors.ts'
import type { StoredKey } from '../../model/key.ts'
import type {
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
} from '../../model/store.ts'
import { keyOfAccount, move as moveOn, opensAccount, takeWith } from '../accounts.ts'
import { keysWanted } from '../conditions.ts'
import { type Counted, endLeased, lease as leaseFrom, take as takeFrom } from '../counters.ts'
import { encodeCounters, readCounters } from '../counters-text.ts'
import { type Place, readCursor } from '../cursor.ts'
import { escapeText, unescapeText } from '../escaping.ts'
import { type KeyRow, toKey, toValues } from '../key-rows.ts'
import { moveAt, spendAt } from '../lasting.ts'
import { pageOf } from '../page.ts'
import { type Timeline, timeline } from '../timeline.ts'
import { onAccount } from './accounts.ts'
import type { Database } from './driver.ts'
import { translated } from './errors.ts'
import { listNotes, note } from './notes.ts'
import { listSql, prepareStatements, revokeSql, type Statements, WORDS } from './statements.ts'
import { durably, transaction } from './transaction.ts'

interface Connection {
  readonly database: Database
  readonly statements: Statements
  readonly clock: Timeline
}

/** The verbs over a database that is ready. Each is done when it returns: nothing here waits but for SQLite's locks. */
export function storeOver(database: Database, clock = timeline()): KeyStore {
  let connection: Connection | undefined = { database, statements: prepareStatements(database), clock }

  const ask = <T>(verb: (connection: Connection) => T): T => {
    if (connection === undefined) throw new KeywardError('STORE', 'the SQLite store is closed')
    try {
      return verb(connection)
    } catch (error) {
      throw translated(error)
    }
  }
  // Also one statement is a transaction: libsql leaves a statement open that meets a lock, and nothing that comes after
  // it is committed. Behind BEGIN IMMEDIATE none meets one.
  const change = <T>(verb: (statements: Statements) => T): T =>
    ask(({ database, statements }) => durably(database, () => transaction(database, () => verb(statements))))

  return {
    find: (id) => ask(({ statements }) => find(statements, id)),
    insert: (key) => change(({ insert }) => void insert.run(...toValues(key))),
    replace: (key, ifVersion) => change((statements) => replace(statements, key, ifVersion)),
    remove: (id) => change((statements) => remove(statements, id)),
    list: (query) => ask(({ statements }) => list(statements, query)),
    touch: (marks) => ask((connected) => touch(connected, marks)),
    take: (id, version, spend, now) => ask((connected) => take(connected, id, version, spend, now)),
    lease: (id, version, spend, now) => ask((connected) => lease(connected, id, version, spend, now)),
    // Money is not counted as uses are: what was moved has reached the disk.
    move: (credit, now) => change((statements) => move(statements, credit, now, clock.at(now))),
    revokeWhere: (filter, at, reason) => change((statements) => revokeWhere(statements, filter, at, reason)),
    note: (notes, keep) => ask((connected) => note(connected, notes, keep)),
    notes: (query) => ask(({ statements }) => listNotes(statements, query)),
    close: () => {
      connection = undefined
      closeOnce(database)
    },
  }
}

function find({ find }: Statements, id: string): StoredKey | undefined {
  const row = find.get(escapeText(id)) as KeyRow | undefined
  return row && toKey(row)
}

function replace(statements: Statements, key: StoredKey, ifVersion: number): boolean {
  const text = escapeText(key.id)
  const isDone = changed(statements.replace.run(...toValues(key), text, ifVersion)) > 0
  if (isDone && opensAccount(key)) closeAccounts(statements, text, `${text}:${key.credits?.opened}`)
  return isDone
}

/** All of a key but one. */
function closeAccounts({ removeAccounts, removeHolds }: Statements, id: string, but = ''): void {
  removeAccounts.run(id, id, but)
  removeHolds.run(id, id, but)
}

function remove(statements: Statements, id: string): boolean {
  const text = escapeText(id)
  statements.removeUses.run(text)
  statements.removeCounters.run(text)
  closeAccounts(statements, text)
  return changed(statements.remove.run(text)) > 0
}

function list({ prepared }: Statements, query: ListQuery): ListPage {
  const { sql, values } = keysWanted(WORDS, query, readCursor(query.cursor))
  const rows = prepared(listSql(sql)).all(...values, query.limit + 1) as readonly KeyRow[]
  return pageOf(rows, query.limit, { placeOf, keyOf: toKey })
}

function placeOf(row: KeyRow): Place {
  return { createdAt: row.created_at, id: unescapeText(row.id) }
}

function touch({ database, statements }: Connection, marks: readonly UseMark[]): void {
  transaction(database, () => {
    for (const { id, at, uses } of marks) statements.touch.run(at, uses, escapeText(id))
  })
}

function take(
  { database, statements, clock }: Connection,
  id: string,
  version: number,
  spend: Spend,
  now: number,
): Taken {
  const text = escapeText(id)
  return transaction(database, () => {
    const meter = statements.meter.get(text) as MeterRow | undefined
    if (meter === undefined || meter.version !== version) return { stale: find(statements, id) }
    const before = meter.windows ?? ''
    const metered = { counters: readCounters(before, id) }
    const at = clock.at(now, metered.counters)
    const { credits } = spend
    const outcome =
      credits === undefined
        ? takeFrom(metered, spend, at)
        : onAccount(statements, credits, at, (account) =>
            takeWith(account, spendAt(credits, now, at), metered, spend, at),
          )
    keepCounters(statements, text, metered, before, at)
    return at === now ? outcome : { ...outcome, at }
  })
}

function lease(
  { database, statements, clock }: Connection,
  id: string,
  version: number,
  spend: LeaseSpend,
  now: number,
): Taken {
  const text = escapeText(id)
  return transaction(database, () => {
    const meter = statements.meter.get(text) as MeterRow | undefined
    if (meter === undefined) return { stale: undefined }
    const before = meter.windows ?? ''
    const metered = { counters: readCounters(before, id) }
    const at = clock.at(now, metered.counters)
    endLeased(metered, spend, at)
    const outcome = meter.version === version ? leaseFrom(metered, spend, at) : undefined
    keepCounters(statements, text, metered, before, at)
    if (outcome === undefined) return { stale: find(statements, id) }
    return at === now ? outcome : { ...outcome, at }
  })
}

function keepCounters({ count }: Statements, text: string, { counters }: Counted, before: string, now: number): void {
  const after = encodeCounters(counters, now)
  // Nearly every refusal ends here without a write; one whose clock ran back does not.
  if (after !== before) count.run(text, after)
}

function move(statements: Statements, credit: CreditMove, now: number, at: number): Moved {
  const moved = onAccount(statements, credit, at, (account) => moveOn(account, moveAt(credit, now, at)))
  const key = keyOfAccount(credit.account)
  const text = key && escapeText(key)
  // A request may end after its key was removed: nobody would remove what it leaves.
  if (text !== undefined && statements.meter.get(text) === undefined) closeAccounts(statements, text)
  return moved
}

interface MeterRow {
  readonly version: number
  readonly windows: string | null
}

function revokeWhere({ prepared }: Statements, filter: Filter, at: number, reason: string | undefined): number {
  const { sql, values } = keysWanted(WORDS, filter)
  const text = reason === undefined ? null : escapeText(reason)
  return changed(prepared(revokeSql(sql)).run(at, at, text, ...values))
}

function changed({ changes }: { readonly changes: number | bigint }): number {
  return Number(changes)
}

/**
 * The file alone then holds everything, but where another keeps it from that. libsql closes a connection when its statements are
 * collected, and merges the log no sooner.
 */
function closeOnce(database: Database): void {
  try {
    // Whoever else has the file open merges the log when they close it: nobody waits for them here.
    database.exec('PRAGMA busy_timeout = 0')
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {}
  // node:sqlite objects to being closed twice.
  try {
    database.close()
  } catch {}
}
