import { Buffer } from 'node:buffer'
import { KeywardError } from '../../model/errors.ts'
import type { Condition, Words } from '../conditions.ts'
import { escapeText, unescapeText } from '../escaping.ts'
import { placeholders } from '../placeholders.ts'
import { handwriting, type SqlDatabase } from './database.ts'

/** A parameter. */
export type Value = string | number | null | Uint8Array

/** In what the three differ. Statements are written once, with `?` for each parameter. */
export interface Engine extends Words<Value> {
  readonly name: 'PostgreSQL' | 'MySQL' | 'SQLite'
  /** Opens a transaction in which what was read under `lock` stays true. */
  readonly begin: string
  /** What a SELECT ends with whose rows nobody else may change before the transaction is over. */
  readonly lock: string
  /** The server's time, ms; absent where there is no server: there the caller's clock counts. */
  readonly clock?: string
  /** A column by which a SELECT says whether the server takes writes; empty where there is no server. */
  readonly writability: string
  /** A statement with the placeholders of this engine. */
  placed(sql: string): string
}

function among(this: Words<Value>, column: string, texts: readonly string[]): Condition<Value> {
  if (texts.length === 0) return { sql: '1 = 0', values: [] }
  return { sql: `${column} IN (${placeholders(texts)})`, values: texts.map(this.text) }
}

const POSTGRES: Engine = {
  name: 'PostgreSQL',
  // Whatever the default is: a lock that was waited for must show what its last holder wrote.
  begin: 'BEGIN ISOLATION LEVEL READ COMMITTED',
  lock: ' FOR UPDATE',
  clock: 'CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)',
  // Also of a server in recovery.
  writability: `, current_setting('transaction_read_only') AS read_only`,
  placed: (sql) => {
    let count = 0
    return sql.replaceAll('?', () => `$${++count}`)
  },
  text: escapeText,
  among,
}

const MYSQL: Engine = {
  name: 'MySQL',
  // Not BEGIN, which opens a block where the server understands Oracle's dialect (sql_mode).
  begin: 'START TRANSACTION',
  lock: ' FOR UPDATE',
  // Not UNIX_TIMESTAMP, which loses its way in the hour that a time zone has twice.
  clock: `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000`,
  // Each a number, or a word, as the version has it.
  writability: ', CONCAT(@@read_only, @@innodb_read_only) AS read_only',
  placed: (sql) => sql,
  // As bytes: so that no collation folds case or trailing blanks, and so that drivers which write values into the text
  // write them in hexadecimal, which no quote and no NO_BACKSLASH_ESCAPES can break out of.
  text: (text) => Buffer.from(escapeText(text)),
  among,
}

const SQLITE: Engine = {
  name: 'SQLite',
  begin: 'BEGIN IMMEDIATE',
  lock: '',
  writability: '',
  placed: (sql) => sql,
  text: escapeText,
  among,
}

const BY_HANDWRITING: Readonly<Record<string, Engine>> = { '"a" $1': POSTGRES, '`a` ?': MYSQL, '"a" ?': SQLITE }

/** @throws KeywardError `CONFIG` for a dialect that is none of the three */
export function engineOf(database: SqlDatabase): Engine {
  const written = handwriting(database)
  const engine = Object.hasOwn(BY_HANDWRITING, written) ? BY_HANDWRITING[written] : undefined
  if (engine !== undefined) return engine
  throw new KeywardError('CONFIG', 'the dialect of this Kysely is none of PostgreSQL, MySQL (or MariaDB) and SQLite')
}

/** What an INSERT ends with that leaves alone what is there already. @param column any of its table */
export function unlessThere({ name }: Engine, column: string): string {
  return name === 'MySQL' ? ` ON DUPLICATE KEY UPDATE ${column} = ${column}` : ' ON CONFLICT DO NOTHING'
}

/** A column of text or bytes. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
  throw new KeywardError('STORE', 'a column that holds text has something else')
}

/** The same, as it was before `Engine.text`. */
export function plainTextOf(value: unknown): string {
  return unescapeText(textOf(value))
}

/** A column of whole numbers: drivers answer large ones as numbers, as text or as bigints. */
export function wholeOf(value: unknown): number {
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number
  throw new KeywardError('STORE', 'a column that holds whole numbers has something else')
}

/**
 * Refuses what a server says that takes no writes any more: what was revoked at its successor it may not know, and
 * connections outlive its fall.
 * @throws KeywardError `STORE`
 */
export function requireWritable({ name }: Engine, { read_only: told }: { readonly read_only?: unknown }): void {
  if (told === undefined || /^(off|0)+$/i.test(textOf(told))) return
  throw new KeywardError('STORE', `${name} takes no writes: the server is read-only, or a replica`)
}
