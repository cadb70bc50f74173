import { createApiKeys } from 'keyward'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoredKey } from '../../../src/model/key.ts'
import type { KeyStore } from '../../../src/model/store.ts'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { judged } from '../../support/outcome.ts'
import { storedKey } from '../stored-key.ts'
import { connect, type Prepared, prepare, SERVERS } from './databases.ts'

/** Not in the order in which they lie: how a server finds its rows depends on how many there are. */
const IDS = Array.from({ length: 300 }, (_, at) => `touched${String((at * 7_919) % 300).padStart(4, '0')}`)

describe.each(SERVERS)('over %s, use marks', (engine) => {
  let prepared: Prepared
  let pools: readonly Kysely<unknown>[]
  let stores: readonly KeyStore[]

  beforeAll(async () => {
    prepared = await prepare(engine, engine === 'PostgreSQL' ? ['deadlock_timeout=10ms'] : [])
    pools = [connect(prepared.target), connect(prepared.target)]
    await migrate(pools[0] as Kysely<unknown>)
    stores = pools.map((pool) => sqlStore(pool))
    for (const id of IDS) await stores[0]?.insert(storedKey({ id, hash: 'x'.repeat(64) }))
    await sql`UPDATE keyward_keys SET uses = 0, last_used_at = 1`.execute(pools[0] as Kysely<unknown>)
  }, 60_000)
  afterAll(async () => {
    for (const pool of pools ?? []) await pool.destroy()
    await prepared?.end()
  })

  const usesOf = async (ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await stores[0]?.find(id))?.uses ?? 0))

  it.each([1, 2, 5, 20, 100])('of %i keys are all there when rows of theirs were waited for', async (count) => {
    const ids = IDS.slice(0, count)
    const before = await usesOf(ids)
    const touching = await (pools[0] as Kysely<unknown>).transaction().execute(async (transaction) => {
      for (const id of ids.slice(0, 5)) {
        await sql`UPDATE keyward_keys SET revision = revision + 1 WHERE id = ${id}`.execute(transaction)
      }
      const asked = stores[1]?.touch?.(ids.map((id) => ({ id, at: 9, uses: 2 })))
      await waitUntilBlocked()
      return { asked }
    })
    await touching.asked
    expect(await usesOf(ids)).toEqual(before.map((uses) => uses + 2))
    expect(await stores[0]?.find(IDS[0] as string)).toMatchObject({ lastUsedAt: 9 })
  })

  it('that processes write at once, of the same keys, are all counted, and never deadlock', async () => {
    const total = new Map((await usesOf(IDS)).map((uses, at) => [IDS[at], uses]))
    const writing = stores.map(async (store, process) => {
      for (let round = 0; round < 150; round++) {
        // Two of a few, then most of all: the server goes about each in another way.
        const ids = IDS.filter((_, at) =>
          round % 3 === 0
            ? (at * 31 + round * 17 + process * 7) % 97 > round % 40
            : at % 3 < 2 && at >> 2 === round % 2,
        ).slice(0, round % 3 === 0 ? 300 : 2)
        for (const id of ids) total.set(id, (total.get(id) ?? 0) + 1)
        await store.touch?.(ids.map((id) => ({ id, at: round, uses: 1 })))
      }
    })
    await Promise.all(writing)
    expect(await usesOf(IDS)).toEqual(IDS.map((id) => total.get(id)))
    if (engine === 'PostgreSQL') expect(await deadlocks()).toBe(0)
  })

  it('of a row that is locked keep no other waiting, and hold none; they are let go when that lasts', async () => {
    const options = { prefix: 'few_' }
    const [pool, other] = pools as [Kysely<unknown>, Kysely<unknown>]
    await migrate(pool, options)
    const store = sqlStore(pool, options)
    const [locked, ...free] = ['b', 'a', 'c'].map((id) => storedKey({ id })) as [StoredKey, StoredKey, StoredKey]
    for (const key of [locked, ...free]) await store.insert(key)
    await other.transaction().execute(async (transaction) => {
      await sql`SELECT 1 FROM few_keys WHERE id = ${locked.id} FOR UPDATE`.execute(transaction)
      const asked = store.touch?.([locked, ...free].map(({ id }) => ({ id, at: 9, uses: 2 })))
      await waitUntilBlocked()
      expect(await Promise.all(free.map(async ({ id }) => (await store.find(id))?.uses))).toEqual([2, 2])
      for (const { id } of free) {
        await sql`SELECT 1 FROM few_keys WHERE id = ${id} FOR UPDATE NOWAIT`.execute(transaction)
      }
      await asked
    })
    expect((await store.find(locked.id))?.uses).toBeUndefined()
    await store.touch?.([{ id: locked.id, at: 9, uses: 3 }])
    expect(await store.find(locked.id)).toEqual({ ...locked, uses: 3, lastUsedAt: 9 })
  })

  it('of a row that is locked make no other key unavailable, and are not counted twice', async () => {
    const kysely = connect(prepared.target, 2)
    const options = { prefix: 'busy_' }
    await migrate(kysely, options)
    const keys = createApiKeys({ prefix: 'agk_', store: sqlStore(kysely, options), storeTimeout: 300 })
    const used = await keys.create({ owner: 'acct_1' })
    const other = await keys.create({ owner: 'acct_1', limits: { hour: 100 } })
    for (const { key } of [used, other]) expect(await judged(keys, key)).toBe('admitted')
    await keys.flush()
    await (pools[0] as Kysely<unknown>).transaction().execute(async (transaction) => {
      await sql`SELECT 1 FROM busy_keys WHERE id = ${used.record.id} FOR UPDATE`.execute(transaction)
      for (let round = 0; round < 4; round++) {
        expect(await judged(keys, used.key)).toBe('admitted')
        await keys.flush()
        expect(await judged(keys, other.key)).toBe('admitted')
      }
    })
    await keys.close()
    expect((await keys.get(used.record.id))?.uses).toBeLessThanOrEqual(9)
    expect((await keys.get(other.record.id))?.uses).toBeLessThanOrEqual(9)
    await kysely.destroy()
  })

  /** Until a statement waits for a lock. */
  async function waitUntilBlocked(): Promise<void> {
    const blocked =
      engine === 'PostgreSQL'
        ? sql`SELECT 1 FROM pg_locks WHERE NOT granted`
        : sql`SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`
    // MariaDB shows again what it showed less than 100 ms ago.
    const patiently = { timeout: 10_000, interval: 150 }
    await expect.poll(async () => (await blocked.execute(pools[0] as never)).rows.length, patiently).toBeGreaterThan(0)
  }

  async function deadlocks(): Promise<number> {
    const asked = sql<{ deadlocks: string }>`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`
    const { rows } = await asked.execute(pools[0] as Kysely<unknown>)
    return Number(rows[0]?.deadlocks)
  }
})
