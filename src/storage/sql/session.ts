import { randomInt } from 'node:crypto'
import { inBackground } from '../../model/timer.ts'
import { type SqlDatabase, send } from './database.ts'
import type { Engine, Value } from './engine.ts'
import { isClash, isLocked, isUnanswered, translated } from './errors.ts'

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
/** A statement that met a lock has waited already, as long as the server or the host will have it: none is begun after so long, ms. */
const LONGEST_LOCKED = 1_500
/** From one ROLLBACK to the next on a connection that does not answer, ms. */
const LONGEST_SILENCE = 5_000

export function connectionsOf(database: SqlDatabase, engine: Engine): Connections {
  const alone: Connections['alone'] = (work) => apart(work, isUnanswered)
  const transaction: Connections['transaction'] = (work) =>
    apart(
      async (session) => {
        await session.run(engine.begin)
        const result = await work(session)
        await session.run('COMMIT')
        return result
      },
      () => true,
    )
  const shared: Session = {
    engine,
    rows: (sql, values) => alone((session) => session.rows(sql, values)),
    run: (sql, values) => alone((session) => session.run(sql, values)),
  }
  // In SQLite a statement of its own could meet a lock half-way; after BEGIN IMMEDIATE, none can.
  const single: Connections['single'] = engine.name === 'SQLite' ? transaction : (work) => work(shared)
  return { ...shared, alone, transaction, single }

  /** What fails may leave its connection to others only when that is as it was. */
  function apart<T>(work: (session: Session) => Promise<T>, isLeftOver: (error: unknown) => boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = database.connection().execute(async (connection) => {
        const session = sessionOf(connection, engine)
        try {
          return await work(session)
        } catch (error) {
          if (isLeftOver(error)) await rollBack(session, () => reject(error))
          throw error
        }
      })
      ended.then(resolve, reject)
    })
  }
}

/**
 * Does something again as long as other transactions stand in its way, a bounded number of times: it must be one
 * statement, or one transaction, which has been rolled back when it fails. What a driver throws comes out as a `KeywardError`.
 */
export async function persistently<T>(engine: Engine, work: () => Promise<T>, tries = TRIES): Promise<T> {
  const begun = performance.now()
  for (let tried = 1; ; tried++) {
    try {
      return await work()
    } catch (error) {
      const isOver = tried === tries || (isLocked(error) && performance.now() - begun > LONGEST_LOCKED)
      if (!isClash(error) || isOver) throw translated(error, engine)
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

/**
 * Until this is done the connection is nobody else's: what others did on it would be a part of the transaction, or wait
 * for an answer that never comes. Where ROLLBACK fails, the connection is gone, and its transaction with it; but a driver
 * that stopped waiting may never have sent it.
 *
 * @param late is called where that may take long, as on a connection that is silent: nobody need wait for it
 */
async function rollBack(session: Session, late: () => void): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await session.run('ROLLBACK')
      return
    } catch (error) {
      if (!isUnanswered(error)) return
    }
    late()
    await new Promise((resolve) => inBackground(setTimeout(resolve, Math.min(LONGEST_SILENCE, 2 ** tried))))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
