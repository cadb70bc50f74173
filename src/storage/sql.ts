import { flawedAt, KeywardError } from '../model/errors.ts'
import { isObject } from '../model/is-object.ts'
import { show } from '../model/redact.ts'
import type { KeyStore } from '../model/store.ts'
import type { SqlDatabase } from './sql/database.ts'
import { type Engine, engineOf } from './sql/engine.ts'
import { bringUpToDate } from './sql/migrate.ts'
import { type Tables, tablesOf } from './sql/schema.ts'
import { type Connections, connectionsOf } from './sql/session.ts'
import { storeOver } from './sql/store.ts'
import type { SqlListener } from './sql/watch.ts'
import { optionsOf } from './store-options.ts'

export type { SqlAnswer, SqlDatabase, SqlNode, SqlQuery, SqlQueryId } from './sql/database.ts'
export type { SqlListener, SqlNotification } from './sql/watch.ts'

export interface SqlOptions {
  /**
   * What the names of the tables and their indexes begin with: at most 32 of `a-z 0-9 _`, no digit first.
   * @default 'keyward_'
   */
  readonly prefix?: string | undefined
}

export interface SqlStoreOptions extends SqlOptions {
  /**
   * PostgreSQL alone: makes a connection, not open yet, on which to listen for the changes of other processes
   * (`LISTEN`), so that caches obey within moments: `() => new Client(url)` of `pg`. Asked again when it breaks. It must
   * reach the server itself, or a pooler that keeps a session.
   * @default none: other processes obey within `maxLag`
   */
  readonly listen?: (() => SqlListener) | undefined
}

/**
 * Keys in PostgreSQL, MySQL 8, MariaDB or SQLite, through a Kysely (0.28 or later) that the host made, and closes.
 * Several processes share them; the limits and balances of a key are exact across all of them. Windows are counted by the
 * server's clock, in SQLite by that of the process whose clock is ahead. Every verb is there; `watch` with `listen`.
 *
 * Its tables are made by `migrate`. Plugins of the Kysely are not applied to its statements. It must be connected to
 * where writes are acknowledged: never to a replica, nor to a pool that spreads reads over replicas.
 *
 * @throws {KeywardError} `CONFIG` for something that is no Kysely, for a transaction, and for another dialect. Verbs
 * throw `CONFLICT` and `STORE` as `KeyStore` says, `INPUT` for a cursor that no page gave and for text that is longer
 * than its column, and `CONFIG` where the schema is missing, older or newer when it is first looked at; after `close`, they
 * throw `STORE`.
 */
export function sqlStore(kysely: SqlDatabase, options: SqlStoreOptions = {}): KeyStore {
  const { listen, prefix } = optionsOf('sqlStore', options, ['prefix', 'listen'])
  const { connections, tables } = parse('sqlStore', kysely, prefix)
  if (listen !== undefined) checkListen(listen, connections.engine)
  return storeOver(connections, tables, listen)
}

/**
 * Makes the tables of Keyward, or brings them to the schema of this version: before the program serves, or from a
 * script that has the right to create tables. Harmless when it is done already, and when several processes do it at
 * once.
 *
 * @throws {KeywardError} `CONFIG` as `sqlStore`, for a schema that a newer version made, and for a database of PostgreSQL
 * whose encoding is not UTF8; `STORE` where the database cannot be reached or refuses.
 */
export async function migrate(kysely: SqlDatabase, options: SqlOptions = {}): Promise<void> {
  const { prefix } = optionsOf('migrate', options, ['prefix'])
  const { connections, tables } = parse('migrate', kysely, prefix)
  await bringUpToDate(connections, tables)
}

interface Parsed {
  readonly connections: Connections
  readonly tables: Tables
}

function parse(who: string, kysely: SqlDatabase, prefix: SqlOptions['prefix']): Parsed {
  const tables = tablesOf(checkedPrefix(prefix))
  if (!isKysely(kysely)) throw new KeywardError('CONFIG', `${who} needs a Kysely: new Kysely({ dialect })`)
  if (kysely.isTransaction) {
    throw new KeywardError('CONFIG', `${who} needs a Kysely of its own right, not a transaction, which ends`)
  }
  const database = kysely.withoutPlugins()
  return { connections: connectionsOf(database, engineOf(database)), tables }
}

function isKysely(value: unknown): value is SqlDatabase {
  if (!isObject(value)) return false
  const methods = ['withoutPlugins', 'connection', 'getExecutor', 'executeQuery'] as const
  return methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')
}

function checkListen(listen: unknown, { name }: Engine): void {
  const rule =
    typeof listen !== 'function'
      ? `must be a function that makes a connection, not ${show(listen)}`
      : name !== 'PostgreSQL' && `is for PostgreSQL alone: ${name} has no way to tell of changes`
  if (rule) throw flawedAt('CONFIG', 'listen', rule)
}

function checkedPrefix(prefix = 'keyward_'): string {
  if (typeof prefix === 'string' && /^[a-z_][a-z0-9_]{0,31}$/.test(prefix)) return prefix
  throw flawedAt('CONFIG', 'prefix', `must be 1 to 32 of a-z, 0-9 and _, no digit first, not ${show(prefix)}`)
}
