import { Cluster, Redis } from 'ioredis'
import type { KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'

const CALLERS = 1_000
const CONNECTIONS = 5

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})

afterAll(() => Promise.all([server.stop(), cluster.stop()]))

const ways = [
  { way: 'one server', connect: () => new Redis(server.url, { lazyConnect: true }) },
  {
    way: 'a Cluster',
    connect: () =>
      new Cluster(
        cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
        { lazyConnect: true },
      ),
  },
]

describe.each(ways)('redisStore over $way, from several connections at once,', ({ connect }) => {
  const stores: Required<KeyStore>[] = []
  const storeOf = (at: number) => stores[at % CONNECTIONS] as Required<KeyStore>

  beforeAll(() => {
    // A burst of a thousand on a busy machine is no fault of the store.
    for (let at = 0; at < CONNECTIONS; at++)
      stores.push(redisStore(connect(), { timeout: 20_000 }) as Required<KeyStore>)
  })

  afterAll(() => {
    for (const store of stores) store.close()
  })

  async function won(ask: (store: Required<KeyStore>, at: number) => unknown): Promise<number> {
    const answers = Array.from({ length: CALLERS }, async (_, at) => ask(storeOf(at), at))
    return (await Promise.all(answers)).filter((answer) => (answer as { ok?: boolean }).ok === true).length
  }

  it('L-22 serves exactly one of 1000 callers who want the last unit of a credit', async () => {
    const key = storedKey({ credits: { remaining: 1, opened: 5 } })
    await storeOf(0).insert(key)
    const credit = { account: `${key.id}:5`, opening: { amount: 1, at: 5 } }
    const spend = { windows: [], cost: 1, credits: { ...credit, amount: 1 } }
    expect(await won((store) => store.take(key.id, key.version, spend, 0))).toBe(1)
    expect(await storeOf(1).move(credit, 0)).toEqual({ balance: 0 })
  })

  it.each([1, 100, 101, 750])('L-05 serves exactly as many of 1000 callers as a limit of %d allows', async (limit) => {
    const key = storedKey()
    await storeOf(0).insert(key)
    const spend = { windows: [{ name: 'hour', limit, ms: 3_600_000 }], cost: 1 }
    expect(await won((store) => store.take(key.id, key.version, spend, 0))).toBe(limit)
  })

  it('L-03 takes balance of an owner and windows of many keys all or none', async () => {
    const account = `:${Math.random()}`
    const credit = { account, opening: { amount: 0, at: 0 } }
    const keys = Array.from({ length: 10 }, () => storedKey())
    for (const key of keys) await storeOf(0).insert(key)
    await storeOf(0).move({ ...credit, add: 450 }, 0)
    const windows = [{ name: 'hour', limit: 30, ms: 3_600_000 }]
    const spend = { windows, cost: 1, credits: { ...credit, amount: 2 } }
    const served = await won((store, at) => store.take(keys[at % 10]?.id ?? '', 7, spend, 0))
    // What others hold at the moment may refuse a caller on a Cluster; it never serves one too many, and loses nothing.
    expect(served).toBeLessThanOrEqual(225)
    const used = await Promise.all(keys.map(({ id }) => storeOf(0).take(id, 7, { windows, cost: 0 }, 0)))
    const counted = used.map((taken) => 30 - ((taken.ok && taken.readings[0]?.remaining) || 0))
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(served)
    expect(await storeOf(0).move(credit, 0)).toEqual({ balance: 450 - 2 * served })
    let rest = 0
    for (let at = 0; at < 300; at++) {
      const taken = await storeOf(at).take(keys[at % 10]?.id ?? '', 7, spend, 0)
      if (taken.ok) rest++
    }
    expect(served + rest).toBe(225)
  })

  it('X-08 lets one of 100 have a unique name, and X-03 a revocation beat every replacement', async () => {
    const uniqueName = `name ${Math.random()}`
    const inserts = Array.from({ length: 100 }, async (_, at) => {
      const key = storedKey({ uniqueName })
      await storeOf(at).insert(key)
      return key
    })
    const made = (await Promise.allSettled(inserts)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(made).toHaveLength(1)
    const [key] = made as [(typeof made)[0]]
    expect((await storeOf(0).list({ prefixes: ['agk_'], owner: key.owner, limit: 100 })).items).toContainEqual(key)
    const renames = Array.from({ length: 20 }, (_, at) => storeOf(at).replace({ ...key, version: 8, name: `${at}` }, 7))
    const revoked = await storeOf(3).revokeWhere({ prefixes: ['agk_'], owner: key.owner }, 9)
    expect(revoked).toBeGreaterThan(0)
    expect((await Promise.all(renames)).filter(Boolean).length).toBeLessThanOrEqual(1)
    expect(await storeOf(0).find(key.id)).toMatchObject({ status: 'revoked', revokedAt: 9 })
  })
})
