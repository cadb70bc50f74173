import process from 'node:process'
import { KeywardError } from '../model/errors.ts'
import { requireFromHere } from '../model/require.ts'

export type Value = string | number | null

export interface Statement {
  get(...values: readonly Value[]): unknown
  all(...values: readonly Value[]): readonly unknown[]
  run(...values: readonly Value[]): { readonly changes: number | bigint }
}

/** What libsql and node:sqlite have in common: synchronous, with positional parameters. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

type Open = (file: string) => Database

/**
 * Opens a file with the driver that is there: `libsql`, else Node's own, from Node 22.13.
 * Throws `CONFIG` when there is neither, and what the driver throws when it cannot open the file.
 */
export function openDatabase(file: string): Database {
  const open = libsql() ?? nodeSqlite()
  if (open === undefined) throw new KeywardError('CONFIG', 'sqliteStore needs a driver: npm install libsql')
  return open(file)
}

/** `undefined` where it is not installed, or has no binary for this machine. */
export function libsql(): Open | undefined {
  try {
    const Libsql = requireFromHere('libsql') as new (file: string) => Database
    return (file) => new Libsql(file)
  } catch {
    return undefined
  }
}

/** `undefined` where this Node has not got it. */
export function nodeSqlite(): Open | undefined {
  const sqlite = process.getBuiltinModule?.('node:sqlite') as undefined | NodeSqlite
  return sqlite && ((file) => new sqlite.DatabaseSync(file))
}

interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => Database
}
