import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { createApiKeys, type KeyStore } from 'keyward'
import { type RedisClient, redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})

afterAll(() => Promise.all([server.stop(), cluster.stop()]))

const lazyConnect = true

const ways: readonly (readonly [string, () => RedisClient])[] = [
  ['ioredis 6', () => new Redis(server.url, { lazyConnect })],
  ['ioredis 5', () => new Redis5(server.url, { lazyConnect })],
  [
    'a Cluster',
    () => {
      const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
      return new Cluster(nodes, { lazyConnect })
    },
  ],
]

function storeOver(client: RedisClient): Required<KeyStore> {
  const store = redisStore(client) as Required<KeyStore>
  onTestFinished(() => void store.close())
  return store
}

/** Instances on one store, as two processes have them. */
function instances(client: () => RedisClient, options: Partial<Parameters<typeof createApiKeys>[0]> = {}) {
  const make = () => {
    // A machine that is busy with other tests is no fault of the store.
    const keys = createApiKeys({ prefix: 'agk_', store: storeOver(client()), storeTimeout: '10s', ...options })
    onTestFinished(() => keys.close())
    return keys
  }
  return [make(), make()] as const
}

describe.each(ways)('createApiKeys over %s', (_, connect) => {
  it('creates, verifies, changes, rotates, revokes and removes keys', async () => {
    const [keys, other] = instances(connect, { cache: false, names: 'unique' })
    const owner = `acct ${Math.random()}`
    const { key, record } = await keys.create({ owner, name: 'Sync', scopes: ['a:read'], metadata: { n: [1] } })
    expect(await other.verify(key)).toMatchObject({ ok: true, access: { owner, name: 'Sync', metadata: { n: [1] } } })
    await expect(other.create({ owner, name: 'Sync' })).rejects.toMatchObject({ code: 'CONFLICT' })
    await keys.update(record.id, { name: 'Renamed' })
    await other.create({ owner, name: 'Sync' })
    const rotated = await keys.rotate(record.id, { overlap: 0 })
    expect(await other.verify(key)).toMatchObject({ ok: false, code: 'invalid_key' })
    expect(await other.verify(rotated.key)).toMatchObject({ ok: true, access: { name: 'Renamed' } })
    expect((await other.list({ owner })).items.map(({ name }) => name)).toEqual(['Sync', 'Renamed'])
    await keys.revoke(record.id, { reason: 'leaked' })
    expect(await other.verify(rotated.key)).toMatchObject({ ok: false, code: 'revoked' })
    await other.remove(record.id)
    expect(await keys.get(record.id)).toBeUndefined()
    expect(await keys.verify(rotated.key)).toMatchObject({ ok: false, code: 'invalid_key' })
  })

  it('L-05 counts one limit over both, and L-13 keeps it through a rotation', async () => {
    const [keys, other] = instances(connect, { limits: { default: { hour: 20, day: 1_000 } } })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const verdicts = await Promise.all(Array.from({ length: 30 }, (_, at) => (at % 2 ? keys : other).verify(key)))
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(20)
    expect(verdicts.find(({ ok }) => !ok)).toMatchObject({ code: 'rate_limited', status: 429 })
    const rotated = await other.rotate(record.id, { overlap: 0 })
    expect(await keys.verify(rotated.key)).toMatchObject({ ok: false, code: 'rate_limited' })
  })

  it('D-22 obeys a revocation of another process at once where keys have limits', async () => {
    const [keys, other] = instances(connect, { limits: { default: { hour: 1_000 } } })
    const owner = `acct ${Math.random()}`
    const made = await Promise.all(Array.from({ length: 5 }, () => keys.create({ owner })))
    for (const { key } of made) expect(await other.verify(key)).toMatchObject({ ok: true })
    expect(await keys.revokeAll({ owner, reason: 'left' })).toBe(5)
    for (const { key } of made) expect(await other.verify(key)).toMatchObject({ ok: false, code: 'revoked' })
  })

  it('charges the balance of an owner, holds, settles, and refuses when it is empty', async () => {
    const [keys, other] = instances(connect, { credits: 'owner', limits: { default: { hour: 5 } } })
    const owner = `acct ${Math.random()}`
    const { key } = await keys.create({ owner })
    expect(await other.verify(key)).toMatchObject({ ok: false, code: 'insufficient_balance' })
    await keys.credit({ owner }, 10)
    const verdict = await other.verify(key, { reserve: 6 })
    expect(await keys.balance({ owner })).toBe(4)
    const settled = verdict.ok ? await verdict.access?.settle(8) : undefined
    expect(settled).toEqual({ charged: 8, short: 0 })
    expect(await other.verify(key)).toMatchObject({ ok: true })
    expect(await keys.balance({ owner })).toBe(1)
    expect(await other.verify(key, { cost: 2 })).toMatchObject({ ok: false })
    expect(await keys.balance({ owner })).toBe(1)
  })
})

describe('commands of a request, counted at the server', () => {
  const calls = () => {
    const stats = server.cli('info', 'commandstats').matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)
    return Object.fromEntries([...stats].map(([, name, count]) => [name, Number(count)]))
  }

  it.each([
    { kind: 'with limits', limits: { minute: 500, hour: 500 }, cold: 2, warm: 1 },
    { kind: 'without limits', limits: {}, cold: 1, warm: 0 },
  ])('a key $kind: $cold when cold, $warm when warm', async ({ limits, cold, warm }) => {
    const [keys, other] = instances(() => new Redis(server.url, { lazyConnect }), { limits: { default: limits } })
    const { key } = await keys.create({ owner: 'acct_1' })
    // All scripts are known, and the connection stands.
    await other.verify((await keys.create({ owner: 'acct_2' })).key)
    await other.flush()
    server.cli('config', 'resetstat')
    await other.verify(key)
    expect(calls().evalsha ?? 0).toBe(cold)
    server.cli('config', 'resetstat')
    for (let at = 0; at < 50; at++) await other.verify(key)
    const { evalsha = 0, eval: sent = 0 } = calls()
    // Use marks are written apart, once a second.
    expect(evalsha - warm * 50).toBeLessThanOrEqual(4)
    expect(evalsha).toBeGreaterThanOrEqual(warm * 50)
    expect(sent).toBe(0)
  })
})
