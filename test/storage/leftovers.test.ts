import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { migrate, sqlStore } from 'keyward/sql'
import { sqliteStore } from 'keyward/sqlite'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessIn } from '../support/outcome.ts'
import { startRedis } from '../support/redis.ts'
import { connect, ENGINES, prepare } from './sql/databases.ts'

/** A store, and how many balances and holds lie in it. */
interface Place {
  readonly store: KeyStore
  readonly balances: () => Promise<number>
  readonly end: () => Promise<void>
}

async function inSql(engine: (typeof ENGINES)[number]): Promise<Place> {
  const prepared = await prepare(engine)
  const kysely = connect(prepared.target)
  await migrate(kysely)
  const rows = sql<{
    n: number
  }>`SELECT (SELECT count(*) FROM keyward_accounts) + (SELECT count(*) FROM keyward_holds) AS n`
  return {
    store: sqlStore(kysely),
    balances: async () => Number((await rows.execute(kysely)).rows[0]?.n),
    async end() {
      await kysely.destroy()
      await prepared.end()
    },
  }
}

async function inSqlite(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-left-'))
  const file = join(folder, 'keys.db')
  const store = sqliteStore(file)
  const Libsql = createRequire(import.meta.url)('libsql')
  const other = new Libsql(file)
  const count = 'SELECT (SELECT count(*) FROM keyward_accounts) + (SELECT count(*) FROM keyward_holds) AS n'
  return {
    store,
    balances: async () => other.prepare(count).get().n,
    async end() {
      other.close()
      await store.close?.()
      rmSync(folder, { recursive: true })
    },
  }
}

async function inRedis(): Promise<Place> {
  const server = await startRedis()
  const client = new Redis(server.url, { lazyConnect: true })
  const store = redisStore(client)
  const fields = () => server.cli('EVAL', COUNT, '0')
  return {
    store,
    balances: async () => Number(fields()),
    async end() {
      await store.close?.()
      await server.stop()
    },
  }
}

/** The accounts alone: what is held of one that was closed goes when its time is over. */
const COUNT = `local n = 0
for _, purse in ipairs(redis.call('KEYS', 'keyward:purse:*')) do
  for _, field in ipairs(redis.call('HKEYS', purse)) do if string.sub(field, 1, 2) == 'a:' then n = n + 1 end end
end
return n`

const PLACES: readonly (readonly [string, () => Promise<Place>])[] = [
  ...ENGINES.map((engine) => [`sqlStore on ${engine}`, () => inSql(engine)] as const),
  ['sqliteStore', inSqlite],
  ['redisStore', inRedis],
]

describe.each(PLACES)('%s', (_, open) => {
  let place: Place
  beforeAll(async () => {
    place = await open()
  }, 60_000)
  afterAll(() => place?.end())

  it('keeps nothing of a balance that was only looked at', async () => {
    const keys = createApiKeys({ prefix: 'lo_', store: place.store, credits: 'owner', storeTimeout: '2s' })
    const before = await place.balances()
    for (let at = 0; at < 3; at++) expect(await keys.balance({ owner: `never seen ${at}` })).toBe(0)
    const paid = createApiKeys({ prefix: 'lp_', store: place.store, storeTimeout: '2s' })
    const { record } = await paid.create({ owner: 'acct_1', credits: { remaining: 7 } })
    expect(await paid.balance({ id: record.id })).toBe(7)
    expect(await place.balances()).toBe(before)
    expect(await keys.credit({ owner: 'never seen 0' }, 5)).toBe(5)
    expect(await keys.balance({ owner: 'never seen 0' })).toBe(5)
    expect(await place.balances()).toBe(before + 1)
  })

  it('closes the balance that a key had when it is given another', async () => {
    const keys = createApiKeys({ prefix: 'lq_', store: place.store, storeTimeout: '2s' })
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 10 } })
    const before = await place.balances()
    for (let remaining = 1; remaining < 6; remaining++) {
      await keys.update(record.id, { credits: { remaining } })
      const { settle } = accessIn(await keys.verify(key, { reserve: 1 }))
      expect(await settle(1)).toEqual({ charged: 1, short: 0 })
      // Another change closes none. After the last there is no other that could close what it left.
      if (remaining < 5) await keys.update(record.id, { description: `${remaining}` })
      expect(await keys.balance({ id: record.id })).toBe(remaining - 1)
    }
    // The last, and what is known of its hold.
    expect((await place.balances()) - before).toBeLessThanOrEqual(2)
  })
})

it('memoryStore opens no balance for whoever asks how it stands', async () => {
  const store = memoryStore()
  const at = (amount: number) => ({ account: ':o', opening: { amount, at: 0 } })
  expect(await store.move?.(at(3), 0)).toEqual({ balance: 3 })
  expect(await store.move?.(at(4), 0)).toEqual({ balance: 4 })
})
