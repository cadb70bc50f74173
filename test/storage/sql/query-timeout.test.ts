import { execFileSync } from 'node:child_process'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { type Postgres, startPostgres } from '../../support/postgres.ts'
import { storedKey } from '../stored-key.ts'
import { connect } from './databases.ts'

/** `query_timeout` of `pg`: it stops waiting for the answer, the server does not stop working. */
const IMPATIENT = 200

describe('D-17: over PostgreSQL, where the driver stops waiting,', () => {
  let server: Postgres
  let admin: ReturnType<typeof connect>

  beforeAll(async () => {
    server = await startPostgres()
    admin = connect({ engine: 'PostgreSQL', connection: server.connection })
    await migrate(admin)
  }, 60_000)
  afterAll(async () => {
    await admin?.destroy()
    await server?.end()
  })

  async function impatient(most: number) {
    const pool = new pg.Pool({ ...server.connection, max: most, query_timeout: IMPATIENT, application_name: 'tested' })
    pool.on('error', () => {}).on('connect', (client) => client.on('error', () => {}))
    const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
    onTestFinished(() => kysely.destroy())
    const [store, key] = [sqlStore(kysely), storedKey()]
    await store.insert(key)
    const credits = { account: `${key.id}:1`, opening: { amount: 9, at: 1 }, amount: 1 }
    const take = async () => store.take?.(key.id, 7, { windows: [], cost: 1, credits }, Date.now())
    /** Whether what is acknowledged now is there for everybody else. */
    const isKept = async () => {
      const later = storedKey()
      await store.insert(later)
      return (await sqlStore(admin).find(later.id)) !== undefined
    }
    return { store, key, credits, take, isKept }
  }

  /** While the row of a key is locked. */
  async function whileLocked(id: string, work: () => Promise<unknown>): Promise<void> {
    await admin.transaction().execute(async (transaction) => {
      await sql`SELECT 1 FROM keyward_keys WHERE id = ${id} FOR UPDATE`.execute(transaction)
      await work()
    })
  }

  const tested = async (state: string) => {
    const asked = sql<{ pid: number }>`SELECT pid FROM pg_stat_activity
      WHERE application_name = 'tested' AND (state = ${state} OR wait_event_type = ${state})`
    return (await asked.execute(admin)).rows.map(({ pid }) => pid)
  }

  it('no connection goes back to the pool in the midst of a transaction that met a lock', async () => {
    const { key, credits, take, store, isKept } = await impatient(1)
    await whileLocked(key.id, async () => {
      await expect(take()).rejects.toMatchObject({ code: 'STORE', message: expect.stringContaining('timeout') })
    })
    await expect.poll(() => tested('idle in transaction'), { timeout: 5_000 }).toEqual([])
    expect(await isKept()).toBe(true)
    expect(await store.move?.({ ...credits, release: 'none' }, 1)).toEqual({ balance: 9 })
  })

  it('nor where BEGIN itself was not answered in time', async () => {
    const { credits, store, isKept } = await impatient(1)
    signal('SIGSTOP')
    try {
      await expect(store.move?.({ ...credits, add: 5 }, 1)).rejects.toMatchObject({ code: 'STORE' })
    } finally {
      signal('SIGCONT')
    }
    expect(await isKept()).toBe(true)
    expect(await store.move?.({ ...credits, release: 'none' }, 1)).toEqual({ balance: 9 })
  })

  it.each([true, false])('a connection that is silent is used by nobody until it speaks (paid: %s)', async (isPaid) => {
    const { key, take, store, isKept } = await impatient(2)
    const spend = { windows: [{ name: 'w', limit: 9, ms: 60_000 }], cost: 1 }
    const ask = async () => (isPaid ? take() : store.take?.(key.id, 7, spend, Date.now()))
    let silent: readonly number[] = []
    const asked: Promise<unknown>[] = []
    await whileLocked(key.id, async () => {
      asked.push(ask())
      asked[0]?.catch(() => {})
      await expect.poll(() => tested('Lock')).toHaveLength(1)
      silent = await tested('Lock')
      for (const pid of silent) process.kill(pid, 'SIGSTOP')
    })
    try {
      await expect(asked[0]).rejects.toMatchObject({ code: 'STORE' })
      for (let time = 0; time < 4; time++) expect(await store.find(key.id)).toEqual(key)
    } finally {
      for (const pid of silent) process.kill(pid, 'SIGCONT')
    }
    await expect.poll(() => tested('idle in transaction'), { timeout: 10_000 }).toEqual([])
    expect(await Promise.all([isKept(), isKept(), isKept()])).toEqual([true, true, true])
  })

  /** To the server with all its processes. */
  function signal(name: NodeJS.Signals): void {
    const pid = String(server.process().pid)
    const listed = execFileSync('ps', ['-o', 'pid=', '--pid', pid, '--ppid', pid], { encoding: 'utf8' })
    for (const found of listed.match(/\d+/g) ?? []) process.kill(Number(found), name)
  }
})
