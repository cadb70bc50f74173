import { execFileSync } from 'node:child_process'
import { createApiKeys } from 'keyward'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyStore } from '../../../src/model/store.ts'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { startMariadb } from '../../support/mariadb.ts'
import { startPostgres } from '../../support/postgres.ts'
import type { PrivateServer } from '../../support/private-server.ts'
import { storedKey } from '../stored-key.ts'
import { connect, SERVERS } from './databases.ts'

/** Isolation that the database's owner chose: the store's answers may not depend on it. */
const STRICT = {
  PostgreSQL: ['default_transaction_isolation=serializable', 'deadlock_timeout=50ms'],
  MariaDB: ['--transaction-isolation=SERIALIZABLE'],
}
const START = { PostgreSQL: startPostgres, MariaDB: startMariadb }
const HOUR = 3_600_000

describe.each(SERVERS)('over %s', (engine) => {
  let server: PrivateServer & { readonly connection: Readonly<Record<string, string | number>> }
  let kysely: ReturnType<typeof connect>
  let store: KeyStore

  beforeAll(async () => {
    server = await START[engine](STRICT[engine])
    kysely = connect({ engine, connection: server.connection })
    await migrate(kysely)
    store = sqlStore(kysely)
  }, 60_000)
  afterAll(async () => {
    await kysely?.destroy()
    await server?.end()
  })

  it('D-17: transactions that clash are tried again: the answers of many callers are exact in the strictest isolation', async () => {
    const key = storedKey()
    await store.insert(key)
    const pools = Array.from({ length: 4 }, () => connect({ engine, connection: server.connection }, 4))
    const credits = { account: ':clash', opening: { amount: 50, at: 1 }, amount: 1 }
    const spend = { windows: [{ name: 'w', limit: 30, ms: HOUR }], cost: 1 }
    const asked = pools.flatMap((pool) => {
      const other = sqlStore(pool)
      const ask = async (at: number) =>
        other.take?.(key.id, 7, at % 2 === 0 ? spend : { ...spend, credits }, Date.now())
      return Array.from({ length: 20 }, (_, at) => ask(at))
    })
    const admitted = (await Promise.all(asked)).filter((taken) => taken?.ok)
    expect(admitted).toHaveLength(30)
    const paid = admitted.filter((taken) => taken !== undefined && 'balance' in taken)
    expect(await store.move?.({ ...credits, release: 'none' }, 1)).toEqual({ balance: 50 - paid.length })
    await Promise.all(pools.map((pool) => pool.destroy()))
  })

  it('D-17: a deadlock with a transaction of the host costs time, not the answer', async () => {
    const key = storedKey()
    await store.insert(key)
    const credits = { account: ':deadlock', opening: { amount: 5, at: 1 }, amount: 1 }
    const ask = async () => store.take?.(key.id, 7, { windows: [], cost: 1, credits }, Date.now())
    await ask()
    const host = connect({ engine, connection: server.connection }, 1)
    const hosts = host.transaction().execute(async (transaction) => {
      // The other way round than Keyward does it.
      await sql`SELECT * FROM keyward_accounts WHERE account = ${':deadlock'} FOR UPDATE`.execute(transaction)
      const asked = ask()
      await waitUntilBlocked()
      await sql`SELECT * FROM keyward_keys WHERE id = ${key.id} FOR UPDATE`.execute(transaction)
      return { asked }
    })
    // Whichever of the two was chosen to give way: Keyward gets through.
    const [ended] = await Promise.allSettled([hosts.then(({ asked }) => asked)])
    await host.destroy()
    if (ended.status === 'fulfilled') expect(ended.value).toMatchObject({ ok: true, balance: 3 })
    else expect(String(ended.reason)).toMatch(/deadlock/i)
    await expect.poll(async () => (await store.move?.({ ...credits, release: 'none' }, 1))?.balance).toBe(3)
  })

  /** Until a statement waits for a lock. */
  async function waitUntilBlocked(): Promise<void> {
    const blocked =
      engine === 'PostgreSQL'
        ? sql`SELECT 1 FROM pg_locks WHERE NOT granted`
        : sql`SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`
    // MariaDB shows again what it showed less than 100 ms ago.
    const patiently = { timeout: 10_000, interval: 250 }
    await expect.poll(async () => (await blocked.execute(kysely)).rows.length, patiently).toBeGreaterThan(0)
  }

  it('D-17: a row that somebody keeps locked makes a request unavailable in time, and no more than that', async () => {
    const keys = createApiKeys({ prefix: 'agk_', store, storeTimeout: 200 })
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { hour: 5 } })
    const { key: other } = await keys.create({ owner: 'acct_1', limits: { hour: 5 } })
    const host = connect({ engine, connection: server.connection }, 1)
    await host.transaction().execute(async (transaction) => {
      await sql`SELECT * FROM keyward_keys WHERE id = ${record.id} FOR UPDATE`.execute(transaction)
      const verdicts = await Promise.all(Array.from({ length: 40 }, () => keys.verify(key)))
      expect(new Set(verdicts.map((verdict) => verdict.ok || verdict.code))).toEqual(new Set(['unavailable']))
      // Forty callers of one key do not take all eight connections.
      expect(await keys.verify(other)).toMatchObject({ ok: true })
    })
    await host.destroy()
    await expect.poll(async () => (await keys.verify(key, { cost: 0 })).ok).toBe(true)
    await keys.close()
  })

  it('D-05: a server that stands still makes requests unavailable in time, and serves again when it goes on', async () => {
    const keys = createApiKeys({ prefix: 'agk_', store, storeTimeout: 200 })
    const { key } = await keys.create({ owner: 'acct_1', limits: { hour: 50 } })
    signal('SIGSTOP')
    try {
      const verdicts = await Promise.all(Array.from({ length: 30 }, () => keys.verify(key)))
      expect(new Set(verdicts.map((verdict) => verdict.ok || verdict.code))).toEqual(new Set(['unavailable']))
    } finally {
      signal('SIGCONT')
    }
    await expect.poll(async () => (await keys.verify(key, { cost: 0 })).ok, { timeout: 5_000 }).toBe(true)
    const last = await keys.verify(key, { cost: 0 })
    // What was asked may be charged late, but no more than that.
    expect(last.ok && last.access?.readings[0]?.remaining).toBeGreaterThanOrEqual(20)
    await keys.close()
  })

  /** To the server with all its processes. */
  function signal(name: NodeJS.Signals): void {
    const pid = String(server.process().pid)
    const listed = execFileSync('ps', ['-o', 'pid=', '--pid', pid, '--ppid', pid], { encoding: 'utf8' })
    for (const found of listed.match(/\d+/g) ?? []) process.kill(Number(found), name)
  }

  it('a server that is killed under load gives STORE errors, heals, and keeps what it acknowledged', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', note)
    const key = storedKey()
    await store.insert(key)
    const acknowledged: string[] = [key.id]
    const faults: unknown[] = []
    let goesOn = true
    const spend = { windows: [{ name: 'w', limit: 1_000_000, ms: HOUR }], cost: 1 }
    let admitted = 0
    const load = Array.from({ length: 6 }, async (_, at) => {
      while (goesOn) {
        try {
          const made = storedKey()
          if (at % 2 === 0) await store.insert(made)
          if (at % 2 === 0) acknowledged.push(made.id)
          else if ((await store.take?.(key.id, 7, spend, Date.now()))?.ok) admitted++
        } catch (error) {
          faults.push(error)
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      }
    })
    for (let round = 0; round < 3; round++) {
      const before = acknowledged.length
      await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(before + 5)
      const failed = faults.length
      await server.kill()
      await expect.poll(() => faults.length, { timeout: 10_000 }).toBeGreaterThan(failed)
      await server.start()
    }
    const healed = acknowledged.length
    await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(healed)
    goesOn = false
    await Promise.all(load)
    const codes = faults.map((error) => (error as { readonly code?: string }).code)
    // An insert whose answer was lost is not repeated by the store: the same id would be a CONFLICT.
    expect(new Set(codes)).toEqual(new Set(['STORE']))
    for (const id of acknowledged) expect(await store.find(id), id).toBeDefined()
    const left = await store.take?.(key.id, 7, { ...spend, cost: 0 }, Date.now())
    const used = left?.ok ? 1_000_000 - (left.readings[0]?.remaining ?? 0) : 0
    expect(used).toBeGreaterThanOrEqual(admitted)
    // Of each turn that was cut off, the answer may be lost after the deed.
    expect(used - admitted).toBeLessThanOrEqual(3 * 3)
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  }, 60_000)

  it('D-01: a server that is not there is a STORE error that says so, and shows no address or password', async () => {
    const connection = { ...server.connection, port: 1, password: 'Zw4kMsecret' }
    const nowhere = connect({ engine, connection }, 1)
    const refused = { code: 'STORE', message: expect.stringMatching(/: no connection \(ECONNREFUSED\)$/) }
    await expect(sqlStore(nowhere).find('a')).rejects.toMatchObject(refused)
    await expect(migrate(nowhere)).rejects.toMatchObject(refused)
    const keys = createApiKeys({ prefix: 'agk_', store: sqlStore(nowhere) })
    const { key } = await createApiKeys({ prefix: 'agk_', store }).create({ owner: 'acct_1' })
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'unavailable' })
    await keys.close()
    await nowhere.destroy()
    await expect(sqlStore(nowhere).find('a')).rejects.toMatchObject({ code: 'STORE' })
  })
})
