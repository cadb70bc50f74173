import { KeywardError } from '../../model/errors.ts'
import type { Database } from './driver.ts'
import { isBusy } from './errors.ts'
import { transaction } from './transaction.ts'

/** How long an opening process waits for others that open the same new file, ms. */
const OPENING_TIMEOUT = 5_000

/**
 * Each takes a file from the schema of its index to the next, which is `user_version`. Never change one that was
 * released: append another.
 *
 * Text is compared byte for byte, SQLite's default. Counters and use marks have tables of their own: they are written
 * often and without waiting for the disk, and never under the version of a record.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE keyward_keys (
     id TEXT PRIMARY KEY NOT NULL,
     version INTEGER NOT NULL,
     prefix TEXT NOT NULL,
     owner TEXT NOT NULL,
     resource TEXT,
     unique_name TEXT UNIQUE,
     status TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     revoked_at INTEGER,
     revoked_reason TEXT,
     data TEXT NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX keyward_keys_by_age ON keyward_keys (created_at, id);
   CREATE INDEX keyward_keys_by_owner ON keyward_keys (owner, created_at, id);
   CREATE TABLE keyward_uses (
     id TEXT PRIMARY KEY NOT NULL,
     last_used_at INTEGER NOT NULL,
     uses INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE keyward_counters (
     id TEXT PRIMARY KEY NOT NULL,
     windows TEXT NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE keyward_accounts (
     account TEXT PRIMARY KEY NOT NULL,
     free INTEGER NOT NULL,
     held INTEGER NOT NULL,
     refilled_at INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE keyward_holds (
     account TEXT NOT NULL,
     id TEXT NOT NULL,
     amount INTEGER NOT NULL,
     until INTEGER NOT NULL,
     charged INTEGER,
     PRIMARY KEY (account, id)
   ) WITHOUT ROWID;
   CREATE INDEX keyward_holds_by_end ON keyward_holds (account, until);`,
  `CREATE TABLE keyward_notes (
     id TEXT NOT NULL,
     noted_at INTEGER NOT NULL,
     owner TEXT NOT NULL,
     key_id TEXT,
     prefix TEXT,
     resource TEXT,
     actor TEXT,
     data TEXT NOT NULL,
     PRIMARY KEY (owner, noted_at, id)
   ) WITHOUT ROWID;
   CREATE INDEX keyward_notes_by_age ON keyward_notes (noted_at);`,
]

/**
 * Makes a database ready: write-ahead log, schema, and how long a statement waits for the locks of others.
 * Throws `CONFIG` for a schema that is newer than this program.
 */
export function prepareDatabase(database: Database, busyTimeout: number): void {
  database.exec(`PRAGMA busy_timeout = ${OPENING_TIMEOUT}`)
  persistently(() => database.exec('PRAGMA journal_mode = WAL'))
  database.exec('PRAGMA synchronous = NORMAL')
  // The lock makes one process migrate and the others find it done; it also shows at once that the file is writable.
  transaction(database, () => migrate(database))
  database.exec(`PRAGMA busy_timeout = ${busyTimeout}`)
}

const OURS = "SELECT 1 FROM sqlite_master WHERE name = 'keyward_keys'"

function migrate(database: Database): void {
  const { user_version: found } = database.prepare('PRAGMA user_version').get() as { readonly user_version: number }
  if (found > MIGRATIONS.length) {
    throw new KeywardError('CONFIG', `its schema ${found} is newer than this keyward, which knows ${MIGRATIONS.length}`)
  }
  // The number may be another program's, which counts its own migrations by it.
  const isOurs = found === 0 || database.prepare(OURS).get() !== undefined
  if (!isOurs) throw new KeywardError('CONFIG', 'it is the database of another program (by its user_version)')
  if (found === MIGRATIONS.length) return
  for (const migration of MIGRATIONS.slice(found)) database.exec(migration)
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
}

/** SQLite does not wait by itself for the lock that turns on the write-ahead log. */
function persistently(work: () => void): void {
  const giveUp = performance.now() + OPENING_TIMEOUT
  for (;;) {
    try {
      work()
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUp) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}
