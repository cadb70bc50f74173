import { Cluster, Redis } from 'ioredis'
import { type ApiKeys, createApiKeys, type KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { migrate, sqlStore } from 'keyward/sql'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { codeOf } from '../support/outcome.ts'
import { startRedis, startRedisCluster } from '../support/redis.ts'
import { connect, prepare } from './sql/databases.ts'

/** A server, and how to open a store on it. */
interface Place {
  open(): KeyStore
  end(): Promise<void>
}

const SENT = /^cmdstat_(?:evalsha|eval):calls=(\d+)/gm

async function onRedis(): Promise<Place & { sent(): number }> {
  const server = await startRedis()
  const clients: Redis[] = []
  return {
    open() {
      const client = new Redis(server.url)
      clients.push(client)
      return redisStore(client, { timeout: 20_000 })
    },
    sent: () =>
      [...server.cli('info', 'commandstats').matchAll(SENT)].reduce((sum, [, calls]) => sum + Number(calls), 0),
    async end() {
      for (const client of clients) client.disconnect()
      await server.stop()
    },
  }
}

async function onCluster(): Promise<Place> {
  const cluster = await startRedisCluster()
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const clients: Cluster[] = []
  return {
    open() {
      const client = new Cluster(nodes)
      clients.push(client)
      return redisStore(client, { timeout: 20_000 })
    },
    async end() {
      for (const client of clients) client.disconnect()
      await cluster.stop()
    },
  }
}

const onSql = (engine: 'PostgreSQL' | 'MariaDB' | 'SQLite') => async (): Promise<Place> => {
  const { target, end } = await prepare(engine)
  const databases = [connect(target)]
  await migrate(databases[0] as ReturnType<typeof connect>)
  return {
    open() {
      const kysely = connect(target)
      databases.push(kysely)
      return sqlStore(kysely)
    },
    async end() {
      await Promise.all(databases.map((kysely) => kysely.destroy()))
      await end()
    },
  }
}

const PLACES = [
  { name: 'Redis', begin: onRedis },
  { name: 'Redis Cluster', begin: onCluster },
  { name: 'PostgreSQL', begin: onSql('PostgreSQL') },
  { name: 'MariaDB', begin: onSql('MariaDB') },
]

describe.each(PLACES)('leases on $name', ({ begin }) => {
  let place: Place
  const stores: KeyStore[] = []

  beforeAll(async () => {
    place = await begin()
    for (let at = 0; at < 4; at++) stores.push(place.open())
  }, 60_000)
  afterAll(async () => {
    for (const store of stores) await store.close?.()
    await place?.end()
  })

  const instances = (limits: { lease?: number }) =>
    stores.map((store) => createApiKeys({ prefix: 'se_', store, limits, storeTimeout: '20s' }))

  it('of four instances give out exactly the limit together, and what nobody used to whoever asks next', async () => {
    for (const minute of [100, 2_000]) {
      let given = 0
      // What is given back a quarter of a second late counts as used: a machine that stands still so long gets another go.
      for (let go = 0; go < 5 && given !== minute; go++) given = await giveOut(minute)
      expect(given).toBe(minute)
    }
  })

  /** How many of a new key's requests were admitted, when four instances leased and another took what they gave back. */
  async function giveOut(minute: number): Promise<number> {
    const leasing = instances({ lease: 50 })
    const [plain] = instances({}) as [ApiKeys]
    const { key } = await plain.create({ owner: 'acct_1', limits: { minute, hour: 1_000_000 } })
    let given = 0
    for (let round = 0; round < 2; round++) {
      const served = await Promise.all(leasing.map((keys) => admitted(keys, key, minute / 5, 8)))
      given += served.reduce((sum, each) => sum + each, 0)
      expect(given).toBeLessThanOrEqual(minute)
    }
    for (const keys of leasing) await keys.close()
    given += await admitted(plain, key, minute - given + 20, 1)
    expect(given).toBeLessThanOrEqual(minute)
    return given
  }
})

describe('leases of 100', () => {
  it('cost at most 1.05 commands of Redis for a hundred requests', async () => {
    const server = await onRedis()
    onTestFinished(() => server.end())
    const keys = createApiKeys({ prefix: 'se_', store: server.open(), limits: { lease: 100 }, storeTimeout: '20s' })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 10_000_000, day: 100_000_000 } })
    expect(await admitted(keys, key, 2_000, 256)).toBe(2_000)
    const before = server.sent()
    expect(await admitted(keys, key, 40_000, 256)).toBe(40_000)
    const sent = server.sent() - before
    expect(sent).toBeGreaterThanOrEqual(399)
    expect(sent).toBeLessThanOrEqual(420)
    await keys.close()
  })
})

/** How many of so many requests were admitted, of which so many are under way at once. */
async function admitted(keys: ApiKeys, key: string, requests: number, atOnce: number): Promise<number> {
  let left = requests
  let count = 0
  const ask = async () => {
    while (left-- > 0) if (codeOf(await keys.verify(key)) === 'admitted') count++
  }
  await Promise.all(Array.from({ length: atOnce }, ask))
  return count
}
