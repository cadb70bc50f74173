import { randomInt } from 'node:crypto'
import { type SqlDatabase, send } from './sql-database.ts'
import type { Engine, Value } from './sql-engine.ts'
import { isClash, translated } from './sql-errors.ts'

export type Row = Readonly<Record<string, unknown>>

/** One connection, or whichever is free: for statements that need no transaction. */
export interface Session {
  readonly engine: Engine
  rows(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** How many rows it changed. */
  run(sql: string, values?: readonly Value[]): Promise<number>
}

export interface Connections extends Session {
  /** Everything that `work` does, or nothing. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** The same for what is one statement, which needs no transaction but in SQLite. */
  single<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** A connection that nobody else uses meanwhile. */
  alone<T>(work: (session: Session) => Promise<T>): Promise<T>
}

/** A clash is over as soon as the other transaction is: tries are many and waits short, between one and two seconds together. */
const TRIES = 30
const LONGEST_PAUSE = 64

export function connectionsOf(database: SqlDatabase, engine: Engine): Connections {
  const alone: Connections['alone'] = (work) =>
    database.connection().execute((connection) => work(sessionOf(connection, engine)))
  const transaction: Connections['transaction'] = (work) =>
    alone(async (session) => {
      await session.run(engine.begin)
      try {
        const result = await work(session)
        await session.run('COMMIT')
        return result
      } catch (error) {
        await rollBack(session)
        throw error
      }
    })
  const shared = sessionOf(database, engine)
  // In SQLite a statement of its own could meet a lock half-way; after BEGIN IMMEDIATE, none can.
  const single: Connections['single'] = engine.name === 'SQLite' ? transaction : (work) => work(shared)
  return { ...shared, alone, transaction, single }
}

/**
 * Does something again as long as other transactions stand in its way, a bounded number of times: it must be one
 * statement, or one transaction. What a driver throws comes out as a `KeywardError`.
 */
export async function persistently<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work()
    } catch (error) {
      if (!isClash(error) || tried === TRIES) throw translated(error, engine)
      await pause(Math.min(LONGEST_PAUSE, 2 ** tried) * (0.5 + randomInt(1000) / 2000))
    }
  }
}

function sessionOf(database: SqlDatabase, engine: Engine): Session {
  return {
    engine,
    rows: async (sql, values) => (await send(database, engine.placed(sql), values)).rows as readonly Row[],
    run: async (sql, values) => Number((await send(database, engine.placed(sql), values)).numAffectedRows ?? 0),
  }
}

/** Where it fails, the connection is gone, and its transaction with it. */
async function rollBack(session: Session): Promise<void> {
  try {
    await session.run('ROLLBACK')
  } catch {}
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
