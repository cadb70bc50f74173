import type { Words } from '../conditions.ts'
import { escapeText } from '../escaping.ts'
import { COLUMNS, type Value } from '../key-rows.ts'
import { insertSql } from '../placeholders.ts'
import type { Database, Statement } from './driver.ts'

const SELECT = `SELECT ${COLUMNS.join(', ')}, last_used_at, uses
  FROM keyward_keys LEFT JOIN keyward_uses USING (id)`

const FIXED = {
  find: `${SELECT} WHERE id = ?`,
  insert: insertSql('keyward_keys', COLUMNS),
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
  removeHolds: `DELETE FROM keyward_holds WHERE account > ? || ':' AND account < ? || ';' AND account <> ?`,
  // Those of a key begin with its id and a colon; a semicolon is what comes after a colon.
  removeAccounts: `DELETE FROM keyward_accounts WHERE account > ? || ':' AND account < ? || ';' AND account <> ?`,
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

/** Lists go as one parameter, so that a query has the same text, and is prepared once, however long they are. */
export const WORDS: Words<Value> = {
  text: escapeText,
  among: (column, texts) => ({
    sql: `${column} IN (SELECT value FROM json_each(?))`,
    values: [JSON.stringify(texts.map(escapeText))],
  }),
}

/** The last value is the most rows. */
export function listSql(where: string): string {
  return `${SELECT} WHERE ${where} ORDER BY created_at DESC, id DESC LIMIT ?`
}

/** The first values are the time, twice, and the reason. */
export function revokeSql(where: string): string {
  return `UPDATE keyward_keys
    SET status = 'revoked', version = version + 1, updated_at = ?, revoked_at = ?, revoked_reason = ?
    WHERE status <> 'revoked' AND ${where}`
}
