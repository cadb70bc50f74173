import type { StoredKey } from '../model/key.ts'
import type { Filter } from '../model/store.ts'
import type { Place } from './cursor.ts'
import { escapeText } from './escaping.ts'
import { COLUMNS } from './key-rows.ts'
import type { Database, Statement, Value } from './sqlite-driver.ts'

const SELECT = `SELECT ${COLUMNS.map((name) => `k.${name}`).join(', ')}, u.last_used_at, u.uses
  FROM keyward_keys k LEFT JOIN keyward_uses u ON u.id = k.id`

const FIXED = {
  find: `${SELECT} WHERE k.id = ?`,
  insert: `INSERT INTO keyward_keys (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`,
  replace: `UPDATE keyward_keys SET ${COLUMNS.map((name) => `${name} = ?`).join(', ')} WHERE id = ? AND version = ?`,
  remove: 'DELETE FROM keyward_keys WHERE id = ?',
  removeUses: 'DELETE FROM keyward_uses WHERE id = ?',
  removeCounters: 'DELETE FROM keyward_counters WHERE id = ?',
  account: 'SELECT free, held, refilled_at FROM keyward_accounts WHERE account = ?',
  keepAccount: 'INSERT OR REPLACE INTO keyward_accounts (account, free, held, refilled_at) VALUES (?, ?, ?, ?)',
  hold: 'SELECT id, amount, until, charged FROM keyward_holds WHERE account = ? AND id = ?',
  holdsOver: 'SELECT id, amount, until, charged FROM keyward_holds WHERE account = ? AND until <= ?',
  keepHold: 'INSERT OR REPLACE INTO keyward_holds (account, id, amount, until, charged) VALUES (?, ?, ?, ?, ?)',
  removeHold: 'DELETE FROM keyward_holds WHERE account = ? AND id = ?',
  removeHolds: `DELETE FROM keyward_holds WHERE account > ? || ':' AND account < ? || ';'`,
  // Those of a key begin with its id and a colon; a semicolon is what comes after a colon.
  removeAccounts: `DELETE FROM keyward_accounts WHERE account > ? || ':' AND account < ? || ';'`,
  touch: `INSERT INTO keyward_uses (id, last_used_at, uses) SELECT id, ?, ? FROM keyward_keys WHERE id = ?
    ON CONFLICT (id) DO UPDATE
    SET last_used_at = max(last_used_at, excluded.last_used_at), uses = uses + excluded.uses`,
  meter: `SELECT k.version, c.windows
    FROM keyward_keys k LEFT JOIN keyward_counters c ON c.id = k.id WHERE k.id = ?`,
  count: `INSERT INTO keyward_counters (id, windows) VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET windows = excluded.windows`,
} as const

export type Statements = { readonly [name in keyof typeof FIXED]: Statement } & {
  /** Those whose conditions depend on the query: a handful, prepared when they are first asked for. */
  prepared(sql: string): Statement
}

export function prepareStatements(database: Database): Statements {
  const named = Object.entries(FIXED).map(([name, sql]) => [name, database.prepare(sql)] as const)
  const others = new Map<string, Statement>()
  const prepared = (sql: string): Statement => {
    const statement = others.get(sql) ?? database.prepare(sql)
    others.set(sql, statement)
    return statement
  }
  return { ...(Object.fromEntries(named) as Record<keyof typeof FIXED, Statement>), prepared }
}

/** Which keys: `where` holds no value, only placeholders for `values`. */
export interface Conditions {
  readonly where: string
  readonly values: readonly Value[]
}

export function conditionsOf({ prefixes, owner, resource }: Filter): Conditions {
  const list = JSON.stringify(prefixes.map(escapeText))
  const wanted = [
    { sql: 'k.prefix IN (SELECT value FROM json_each(?))', values: [list] },
    ...(owner === undefined ? [] : [{ sql: 'k.owner = ?', values: [escapeText(owner)] }]),
    ...(resource === undefined ? [] : [{ sql: 'k.resource = ?', values: [escapeText(resource)] }]),
  ]
  return all(wanted)
}

export function narrowed(conditions: Conditions, status?: StoredKey['status'], after?: Place): Conditions {
  const wanted = [
    { sql: conditions.where, values: conditions.values },
    ...(status === undefined ? [] : [{ sql: 'k.status = ?', values: [status] }]),
    ...(after === undefined
      ? []
      : [{ sql: '(k.created_at, k.id) < (?, ?)', values: [after.createdAt, escapeText(after.id)] }]),
  ]
  return all(wanted)
}

/** The last value is the most rows. */
export function listSql(where: string): string {
  return `${SELECT} WHERE ${where} ORDER BY k.created_at DESC, k.id DESC LIMIT ?`
}

/** The first values are the time, twice, and the reason. */
export function revokeSql(where: string): string {
  return `UPDATE keyward_keys AS k
    SET status = 'revoked', version = version + 1, updated_at = ?, revoked_at = ?, revoked_reason = ?
    WHERE k.status <> 'revoked' AND ${where}`
}

function all(wanted: readonly { readonly sql: string; readonly values: readonly Value[] }[]): Conditions {
  return { where: wanted.map(({ sql }) => sql).join(' AND '), values: wanted.flatMap(({ values }) => values) }
}
