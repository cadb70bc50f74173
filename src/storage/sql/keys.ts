import type { StoredKey } from '../../model/key.ts'
import type { Filter, ListPage, ListQuery } from '../../model/store.ts'
import { opensAccount } from '../accounts.ts'
import { chunks } from '../chunks.ts'
import { both, type Condition, keysWanted } from '../conditions.ts'
import { type Place, readWholeCursor } from '../cursor.ts'
import { COLUMNS } from '../key-rows.ts'
import { pageOf } from '../page.ts'
import { insertSql, placeholders } from '../placeholders.ts'
import { plainTextOf, requireWritable, type Value, wholeOf } from './engine.ts'
import { keyOf, SELECTED, valuesOf } from './rows.ts'
import type { Tables } from './schema.ts'
import type { Connections, Row, Session } from './session.ts'
import { changeAndTell } from './tell.ts'

export async function find(session: Session, { keys }: Tables, id: string): Promise<StoredKey | undefined> {
  const { engine } = session
  const [row] = await session.rows(`SELECT ${SELECTED}${engine.writability} FROM ${keys} WHERE id = ?`, [
    engine.text(id),
  ])
  if (row === undefined) return undefined
  requireWritable(engine, row)
  return keyOf(row)
}

export async function insert(session: Session, { keys }: Tables, key: StoredKey): Promise<void> {
  await session.run(insertSql(keys, [...COLUMNS, 'revision']), [...valuesOf(session.engine, key), 0])
}

/** Within a transaction where the key opens an account. */
export async function replace(session: Session, tables: Tables, key: StoredKey, ifVersion: number): Promise<boolean> {
  const { engine } = session
  const set = COLUMNS.map((name) => `${name} = ?`).join(', ')
  const sql = `UPDATE ${tables.keys} SET ${set} WHERE id = ? AND version = ?`
  const values = [...valuesOf(engine, key), engine.text(key.id), ifVersion]
  const isDone = (await changeAndTell(session, tables, { sql, values }, key.id)) > 0
  if (isDone && opensAccount(key)) await closeAccounts(session, tables, key.id, `${key.id}:${key.credits?.opened}`)
  return isDone
}

/** Within a transaction: the key first, as everyone locks. */
export async function remove(session: Session, tables: Tables, id: string): Promise<boolean> {
  const { engine } = session
  const statement = { sql: `DELETE FROM ${tables.keys} WHERE id = ?`, values: [engine.text(id)] }
  const count = await changeAndTell(session, tables, statement, id)
  await closeAccounts(session, tables, id)
  return count > 0
}

/** All of a key but one. They begin with its id and a colon; a semicolon is what comes after a colon. */
async function closeAccounts(session: Session, { accounts, holds }: Tables, id: string, but = ''): Promise<void> {
  const values = [`${id}:`, `${id};`, but].map((text) => session.engine.text(text))
  for (const table of [accounts, holds]) {
    await session.run(`DELETE FROM ${table} WHERE account > ? AND account < ? AND account <> ?`, values)
  }
}

export async function list(session: Session, { keys }: Tables, query: ListQuery): Promise<ListPage> {
  const { sql, values } = keysWanted(session.engine, query, readWholeCursor(query.cursor))
  const select = `SELECT ${SELECTED} FROM ${keys} WHERE ${sql} ORDER BY created_at DESC, id DESC LIMIT ?`
  const rows = await session.rows(select, [...values, query.limit + 1])
  return pageOf(rows, query.limit, { placeOf, keyOf })
}

function placeOf(row: Row): Place {
  return { createdAt: wholeOf(row.created_at), id: plainTextOf(row.id) }
}

export async function revokeWhere(
  connections: Connections,
  tables: Tables,
  filter: Filter,
  at: number,
  reason: string | undefined,
): Promise<number> {
  const { engine } = connections
  const [revoked, time] = [engine.text('revoked'), Math.floor(at)]
  const set = 'status = ?, version = version + 1, updated_at = ?, revoked_at = ?, revoked_reason = ?'
  const given = [revoked, time, time, reason === undefined ? null : engine.text(reason)]
  const which = both([{ sql: 'status <> ?', values: [revoked] }, keysWanted(engine, filter)])
  if (engine.name === 'MySQL') return changeById(connections, tables, { set, given, which })
  const statement = { sql: `UPDATE ${tables.keys} SET ${set} WHERE ${which.sql}`, values: [...given, ...which.values] }
  return connections.single((session) => changeAndTell(session, tables, statement, '*'))
}

/** Keys that go into one statement. */
const AT_ONCE = 100

interface Change {
  readonly set: string
  readonly given: readonly Value[]
  readonly which: Condition<Value>
}

/**
 * MySQL locks each row that a change looks at, also those that do not match: so they are found without locks, and changed by
 * the primary key where they still match, in one order and one transaction.
 */
async function changeById(connections: Connections, { keys }: Tables, { set, given, which }: Change): Promise<number> {
  const { engine } = connections
  const select = `SELECT id FROM ${keys} WHERE ${which.sql} ORDER BY id`
  // By itself, because in the transaction the strictest isolation would lock what is read.
  const ids = (await connections.rows(select, which.values)).map(({ id }) => engine.text(plainTextOf(id)))
  return connections.transaction(async (session) => {
    let count = 0
    for (const some of chunks(ids, AT_ONCE)) {
      const where = `id IN (${placeholders(some)}) AND ${which.sql}`
      const sql = `UPDATE ${keys} FORCE INDEX (PRIMARY) SET ${set} WHERE ${where}`
      count += await session.run(sql, [...given, ...some, ...which.values])
    }
    return count
  })
}
