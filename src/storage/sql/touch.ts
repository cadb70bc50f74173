import { KeywardError } from '../../model/errors.ts'
import type { UseMark } from '../../model/store.ts'
import { chunks } from '../chunks.ts'
import { plainTextOf, wholeOf } from './engine.ts'
import { isForeign, isLocked, isUnanswered, translated } from './errors.ts'
import type { Tables } from './schema.ts'
import { type Connections, persistently, type Row, type Session } from './session.ts'
import { lockFreeSql, marksOf, touchSql } from './touch-statements.ts'

/** Marks that go into one statement. */
const AT_ONCE = 100
/** How long one waits for rows that somebody has locked, s: MySQL knows no less than whole ones. */
const LOCK_WAIT = 2

type Marks = readonly UseMark[]

/**
 * A key that is gone gets no mark: rows are updated, never inserted. A row that somebody has locked keeps no other waiting:
 * those that are free are written first. The others are waited for; what stays locked for longer is lost.
 * @throws KeywardError `STORE`, with `outcome: 'unknown'` where marks were or may have been written
 */
export async function touch(connections: Connections, tables: Tables, marks: Marks): Promise<void> {
  const merged = mergedById(marks)
  let isBegun = false
  try {
    for (const some of chunks(merged, AT_ONCE)) {
      const locked = await writeFree(connections, tables, some)
      isBegun ||= locked.length < some.length
      if (locked.length > 0 && !(await writeLocked(connections, tables, locked))) {
        await writeFree(connections, tables, locked)
      }
      isBegun = true
    }
  } catch (error) {
    throw isBegun ? unclear(error, connections) : error
  }
}

/** One mark of each key, because an UPDATE joins each row once; in one order, because two of them lock rows as they go. */
function mergedById(marks: Marks): Marks {
  const merged = new Map<string, UseMark>()
  for (const { id, at, uses } of marks) {
    const other = merged.get(id)
    merged.set(id, { id, at: Math.max(at, other?.at ?? at), uses: uses + (other?.uses ?? 0) })
  }
  return [...merged.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** @returns those that were not written: of rows that are locked, or gone */
async function writeFree(connections: Connections, tables: Tables, marks: Marks): Promise<Marks> {
  const { engine } = connections
  const values = marksOf(engine, marks)
  if (engine.name === 'SQLite') {
    const sql = touchSql(engine, tables, marks.length)
    await attempt(connections, () => connections.single((session) => session.run(sql, values)))
    return []
  }
  if (engine.name === 'PostgreSQL') {
    const sql = touchSql(engine, tables, marks.length, ' SKIP LOCKED')
    const written = await attempt(connections, () => connections.rows(`${sql} RETURNING k.id`, values))
    return without(marks, written.map(idOf))
  }
  return attempt(connections, async () => {
    try {
      return without(marks, await writeFound(connections, tables, marks))
    } catch (error) {
      if (isForeign(error)) return marks
      throw error
    }
  })
}

/** MySQL answers no rows of an UPDATE. */
function writeFound(connections: Connections, tables: Tables, marks: Marks): Promise<readonly string[]> {
  return connections.transaction(async (session) => {
    const { engine } = session
    const ids = marks.map(({ id }) => engine.text(id))
    const found = (await session.rows(lockFreeSql(tables, ids), ids)).map(idOf)
    const free = marks.filter(({ id }) => found.includes(id))
    if (free.length > 0) await session.run(touchSql(engine, tables, free.length), marksOf(engine, free))
    return found
  })
}

/** @returns whether all were free in time; else none is written */
function writeLocked(connections: Connections, tables: Tables, marks: Marks): Promise<boolean> {
  const { engine } = connections
  const [sql, values] = [touchSql(engine, tables, marks.length), marksOf(engine, marks)]
  return attempt(connections, async () => {
    try {
      await (engine.name === 'PostgreSQL'
        ? connections.transaction(async (session) => {
            await session.run(`SET LOCAL lock_timeout = '${LOCK_WAIT}s'`)
            await session.run(sql, values)
          })
        : underLockWait(connections, (session) => session.run(sql, values)))
      return true
    } catch (error) {
      if (isLocked(error)) return false
      throw error
    }
  })
}

/** One statement of MySQL that waits no longer than `LOCK_WAIT`, on a connection that is then as it was. */
function underLockWait(connections: Connections, work: (session: Session) => Promise<unknown>): Promise<void> {
  return connections.alone(async (session) => {
    const [row] = await session.rows('SELECT @@innodb_lock_wait_timeout AS seconds')
    const before = wholeOf(row?.seconds)
    await session.run(`SET innodb_lock_wait_timeout = ${Math.min(before, LOCK_WAIT)}`)
    try {
      await work(session)
    } finally {
      await session.run(`SET innodb_lock_wait_timeout = ${before}`)
    }
  })
}

/** What a driver stopped waiting for may be written yet. */
function attempt<T>(connections: Connections, work: () => Promise<T>): Promise<T> {
  return persistently(connections.engine, async () => {
    try {
      return await work()
    } catch (error) {
      throw isUnanswered(error) ? unclear(error, connections) : error
    }
  })
}

function unclear(error: unknown, { engine }: Connections): KeywardError {
  return new KeywardError('STORE', translated(error, engine).message, { outcome: 'unknown' })
}

function without(marks: Marks, ids: readonly string[]): Marks {
  const written = new Set(ids)
  return marks.filter(({ id }) => !written.has(id))
}

function idOf({ id }: Row): string {
  return plainTextOf(id)
}
