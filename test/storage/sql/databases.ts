import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, MysqlDialect, PostgresDialect, type SqliteDatabase, SqliteDialect } from 'kysely'
import mysql from 'mysql2'
import pg from 'pg'
import { startMariadb } from '../../support/mariadb.ts'
import { startPostgres } from '../../support/postgres.ts'

/** How to reach a database: also for another process, as JSON. */
export type Target =
  | { readonly engine: 'PostgreSQL' | 'MariaDB'; readonly connection: Readonly<Record<string, string | number>> }
  | { readonly engine: 'SQLite'; readonly file: string }

/** A database that is there until it is ended. */
export interface Prepared {
  readonly target: Target
  end(): Promise<void>
}

export const ENGINES = ['PostgreSQL', 'MariaDB', 'SQLite'] as const
export const SERVERS = ['PostgreSQL', 'MariaDB'] as const

const START = { PostgreSQL: startPostgres, MariaDB: startMariadb } as const

export async function prepare(engine: (typeof ENGINES)[number], settings: readonly string[] = []): Promise<Prepared> {
  if (engine === 'SQLite') {
    const folder = mkdtempSync(join(tmpdir(), 'keyward-sql-'))
    const end = async () => rmSync(folder, { recursive: true })
    return { target: { engine, file: join(folder, 'keys.db') }, end }
  }
  const server = await START[engine](settings)
  return { target: { engine, connection: server.connection }, end: server.end }
}

/** As a host would make it; `most` connections, of which SQLite has one. */
export function connect(target: Target, most = 8): Kysely<unknown> {
  if (target.engine === 'SQLite') return new Kysely({ dialect: new SqliteDialect({ database: openFile(target.file) }) })
  if (target.engine === 'MariaDB') {
    return new Kysely({
      dialect: new MysqlDialect({ pool: mysql.createPool({ ...target.connection, connectionLimit: most }) }),
    })
  }
  const pool = new pg.Pool({ ...target.connection, max: most })
  // As the README says: `pg` ends the process over a broken connection that has no listener, idle or in a transaction.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}

function openFile(file: string): SqliteDatabase {
  const Libsql = createRequire(import.meta.url)('libsql') as new (
    file: string,
  ) => SqliteDatabase & { exec(sql: string): void }
  const database = new Libsql(file)
  // Short, because the whole process stands still for so long; Keyward asks again.
  database.exec('PRAGMA busy_timeout = 20')
  database.exec('PRAGMA journal_mode = WAL')
  return { prepare: preparedOnce(database), close: () => database.close() }
}

/** libsql leaves a statement open that met a lock, and nothing can be committed until it is run again, or collected. */
function preparedOnce(database: SqliteDatabase): SqliteDatabase['prepare'] {
  const statements = new Map<string, ReturnType<SqliteDatabase['prepare']>>()
  return (sql) => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
}
