import { KeywardError } from '../../model/errors.ts'
import { messageOf } from '../../model/redact.ts'
import type { Engine } from './engine.ts'

/** SQLSTATE of PostgreSQL, error number of MySQL and MariaDB, name of SQLite's result code. */
const TAKEN = ['23505', '1062', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY', '1555', '2067']
const NO_TABLE = ['42P01', '1146']
/** A lock that was waited for in vain, or not at all. MySQL has undone that statement alone. */
const LOCKED: readonly (string | undefined)[] = ['55P03', '1205', '3572']
/** Everything was undone, and may be tried again: serialization, deadlock. */
const CLASH = ['40001', '40P01', '1213', '1020', 'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED']
const NO_SYNTAX = '1064'
const CLASHES: readonly (string | undefined)[] = [...CLASH, ...LOCKED, '5', '6', '517']

/** Messages of drivers and pools that have no code. Others may show values, so they are not passed on. */
const KNOWN = [
  'Cannot use a pool after calling end on the pool',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Connection terminated due to connection timeout',
  'Connection terminated unexpectedly',
  'Connection terminated',
  'driver has already been destroyed',
  'timeout exceeded when trying to connect',
  "Can't add new command when connection is in closed state",
  'No connections available.',
  'Pool is closed.',
  'Query read timeout',
  'Queue limit reached.',
  'The database connection is not open',
]

/**
 * What a driver threw, in Keyward's words: `CONFLICT` for what is taken, `CONFIG` where the tables are missing, else
 * `STORE`. Only codes and messages that are known are shown: those of MySQL quote the values of a statement.
 */
export function translated(error: unknown, { name }: Engine): Error {
  if (error instanceof KeywardError) return error
  const code = codeOf(error)
  if (code !== undefined && TAKEN.includes(code)) return new KeywardError('CONFLICT', 'the id or the name is taken')
  if (lacksTable(error))
    return new KeywardError('CONFIG', `${name} has no tables of Keyward: await migrate(kysely) first`)
  return new KeywardError('STORE', `${name}: ${reasonOf(error, code)}`)
}

/** Whether nothing happened, once the transaction is rolled back, because another stood in the way. */
export function isClash(error: unknown): boolean {
  return CLASHES.includes(codeOf(error))
}

/** Whether that was because something was locked for longer than a statement may wait. */
export function isLocked(error: unknown): boolean {
  return LOCKED.includes(codeOf(error))
}

/** Whether this MySQL or MariaDB is too old to understand a statement. */
export function isForeign(error: unknown): boolean {
  return codeOf(error) === NO_SYNTAX
}

/** Whether a driver stopped waiting, on a connection that goes on. What the server broke off has a code of its own. */
export function isUnanswered(error: unknown): boolean {
  return /time-?out/i.test(messageOf(error)) && !/^\w{1,5}$/.test(codeOf(error) ?? '')
}

export function lacksTable(error: unknown): boolean {
  const code = codeOf(error)
  return (code !== undefined && NO_TABLE.includes(code)) || /^no such table: \w+$/.test(messageOf(error))
}

function reasonOf(error: unknown, code: string | undefined): string {
  const { syscall } = Object(error) as { readonly syscall?: unknown }
  if (code !== undefined) return syscall === 'connect' ? `no connection (${code})` : `error ${code}`
  return KNOWN.find((known) => messageOf(error).startsWith(known)) ?? 'an error without a code'
}

/** The most precise one, if it looks like a code at all. */
function codeOf(error: unknown): string | undefined {
  const { code, errno, rawCode, errcode } = Object(error) as Readonly<Record<string, unknown>>
  // `errno` of an error that is of the system is another number space, and negative.
  const numbered = [errno, rawCode, errcode].find((number) => typeof number === 'number' && number > 0)
  if (numbered !== undefined && !(typeof code === 'string' && code.startsWith('SQLITE_'))) return String(numbered)
  return typeof code === 'string' && /^[A-Z0-9_]{2,50}$/.test(code) ? code : undefined
}
