import type { Database } from './driver.ts'

/** Everything that `work` does, or nothing. It has the write lock from the start: what it reads stays true. */
export function transaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** What `work` commits has reached the disk when this returns, and survives a loss of power. */
export function durably<T>(database: Database, work: () => T): T {
  database.exec('PRAGMA synchronous = FULL')
  try {
    return work()
  } finally {
    database.exec('PRAGMA synchronous = NORMAL')
  }
}

function rollBack(database: Database): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite has rolled back by itself, as it does after some errors.
  }
}
