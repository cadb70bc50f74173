import { Kysely, type LogEvent, MysqlDialect, PostgresDialect, sql } from 'kysely'
import mysql from 'mysql2'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { storedKey } from '../stored-key.ts'
import { connect, type Prepared, prepare, SERVERS } from './databases.ts'

/** How long a statement waits for a lock. */
const WAITS = {
  PostgreSQL: { short: 'lock_timeout = 5', long: 'lock_timeout = 1000' },
  MariaDB: { short: 'innodb_lock_wait_timeout = 0', long: 'innodb_lock_wait_timeout = 1' },
} as const

describe.each(SERVERS)('D-17: over %s, a lock that was waited for in vain', (engine) => {
  let prepared: Prepared
  let host: Kysely<unknown>

  beforeAll(async () => {
    prepared = await prepare(engine)
    host = connect(prepared.target, 2)
    await migrate(host)
  }, 60_000)
  afterAll(async () => {
    await host?.destroy()
    await prepared?.end()
  })

  /** A store whose connections wait for so long, and how many of its statements have failed. */
  function impatient(wait: keyof (typeof WAITS)[typeof engine]) {
    let failed = 0
    const log = ({ level }: LogEvent): void => void (level === 'error' && failed++)
    const kysely = new Kysely<unknown>({ dialect: dialectOf(`SET ${WAITS[engine][wait]}`), log })
    onTestFinished(() => kysely.destroy())
    return { store: sqlStore(kysely), failed: () => failed }
  }

  function dialectOf(setting: string) {
    const { target } = prepared
    const connection = target.engine === 'SQLite' ? {} : target.connection
    if (engine === 'PostgreSQL') {
      const pool = new pg.Pool(connection).on('connect', (client) => void client.query(setting))
      return new PostgresDialect({ pool })
    }
    const pool = mysql.createPool(connection)
    pool.on('connection', (made) => made.query(setting))
    return new MysqlDialect({ pool })
  }

  it('is tried again, after all was undone: the answer is exact when the row is free', async () => {
    const { store, failed } = impatient('short')
    const key = storedKey()
    await store.insert(key)
    const credits = { account: `${key.id}:1`, opening: { amount: 9, at: 1 }, amount: 2 }
    const spend = { windows: [{ name: 'hour', limit: 5, ms: 3_600_000 }], cost: 1, credits }
    expect(await store.take?.(key.id, key.version, spend, Date.now())).toMatchObject({ ok: true, balance: 7 })
    const asked = await host.transaction().execute(async (transaction) => {
      await sql`SELECT 1 FROM keyward_accounts WHERE account = ${credits.account} FOR UPDATE`.execute(transaction)
      const asked = [
        store.take?.(key.id, key.version, spend, Date.now()),
        store.move?.({ account: credits.account, opening: credits.opening, add: 100 }, Date.now()),
      ]
      await expect.poll(failed, { interval: 1 }).toBeGreaterThan(1)
      return { asked }
    })
    await Promise.all(asked.asked)
    const last = await store.take?.(key.id, key.version, { ...spend, cost: 0 }, Date.now())
    expect(last).toMatchObject({ ok: true, balance: 9 + 100 - 3 * 2, readings: [{ remaining: 3 }] })
  })

  it('is tried again no longer than for a moment, however long each wait is', async () => {
    const { store, failed } = impatient('long')
    const key = storedKey()
    await store.insert(key)
    await host.transaction().execute(async (transaction) => {
      await sql`SELECT 1 FROM keyward_keys WHERE id = ${key.id} FOR UPDATE`.execute(transaction)
      const fault = { code: 'STORE', message: expect.stringMatching(/error (55P03|1205)$/) }
      await expect(store.replace({ ...key, version: 8 }, 7)).rejects.toMatchObject(fault)
    })
    expect(failed()).toBeLessThanOrEqual(2)
    expect(await store.find(key.id)).toEqual(key)
  })
})
