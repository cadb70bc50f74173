import process from 'node:process'
import { KeywardError } from '../../model/errors.ts'
import { howToHave, requireFromHere } from '../../model/require.ts'
import type { Value } from '../key-rows.ts'

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
  let why: unknown
  const open = libsql((error) => (why = error)) ?? nodeSqlite()
  if (open === undefined) throw new KeywardError('CONFIG', `sqliteStore needs a driver: ${howToHave('libsql', why)}`)
  return open(file)
}

/**
 * `undefined` where it is not installed, or has no binary for this machine.
 * @param onFault is told why
 */
export function libsql(onFault?: (error: unknown) => void): Open | undefined {
  try {
    const Libsql = requireFromHere('libsql') as new (file: string) => Database
    return (file) => new Libsql(file)
  } catch (error) {
    onFault?.(error)
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
