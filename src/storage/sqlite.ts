import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { flawedAt, hasCode, KeywardError } from '../model/errors.ts'
import { messageOf, show } from '../model/redact.ts'
import type { KeyStore } from '../model/store.ts'
import { isWhole } from '../model/whole.ts'
import { type Database, openDatabase } from './sqlite/driver.ts'
import { isBusy } from './sqlite/errors.ts'
import { prepareDatabase } from './sqlite/schema.ts'
import { storeOver } from './sqlite/store.ts'
import { optionsOf } from './store-options.ts'

export interface SqliteStoreOptions {
  /**
   * How long a verb waits for the lock of another process, ms: the program stands still for so long.
   * @default 200
   */
  readonly busyTimeout?: number | undefined
}

const LONGEST_WAIT = 60_000

/**
 * Keys in a file of this machine, through `libsql` where it is installed (`npm install libsql`), else through Node's
 * own SQLite (from 22.13). Several processes may use one file; put it on a local disk, not on a network share, and do
 * not open it with another SQLite library in the same process: the locks of one do not hold the other.
 *
 * The file is made if it is missing, and brought to the schema of this version. A change of a key has reached the disk
 * when its verb returns; counters and use marks follow within moments, and a loss of power may take back the last.
 * Every verb but `watch` is there.
 *
 * @param file A path, or `':memory:'`.
 * @throws {KeywardError} `CONFIG` when there is no driver, when the file cannot be opened or is no SQLite database, or
 * when a newer version wrote it. Verbs throw `CONFLICT` and `STORE` as `KeyStore` says, and `INPUT` for a cursor that
 * no page gave; after `close`, they throw `STORE`.
 */
export function sqliteStore(file: string, options: SqliteStoreOptions = {}): KeyStore {
  const busyTimeout = parseOptions(file, options)
  // Made absolute: to libsql, a name such as `http://…` would be a server.
  const path = file === ':memory:' ? file : resolve(file)
  if (!existsSync(dirname(path))) throw cannotOpen(path, 'its folder does not exist')
  let database: Database | undefined
  try {
    database = openDatabase(path)
    prepareDatabase(database, busyTimeout)
    return storeOver(database)
  } catch (error) {
    database?.close()
    if (isBusy(error)) throw new KeywardError('STORE', `cannot open ${path}: another process keeps it locked`)
    if (database !== undefined) throw cannotOpen(path, messageOf(error))
    // What a driver says here is its own wording of one result code.
    throw hasCode(error, 'CONFIG') ? error : cannotOpen(path, 'it is a folder, or this user may not write it')
  }
}

/** Answers the busy timeout, ms. */
function parseOptions(file: unknown, options: SqliteStoreOptions): number {
  if (typeof file !== 'string' || file === '' || file.includes('\0')) {
    throw new KeywardError('CONFIG', `the file of sqliteStore must be a path or ':memory:', not ${show(file)}`)
  }
  const { busyTimeout = 200 } = optionsOf('sqliteStore', options, ['busyTimeout'])
  if (isWhole(busyTimeout, 0, LONGEST_WAIT)) return busyTimeout
  throw flawedAt(
    'CONFIG',
    'busyTimeout',
    `must be a whole number from 0 to ${LONGEST_WAIT} (ms), not ${show(busyTimeout)}`,
  )
}

function cannotOpen(path: string, why: string): KeywardError {
  return new KeywardError('CONFIG', `cannot open ${path} as a SQLite database: ${why}`)
}
