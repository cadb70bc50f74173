import { Redis } from 'ioredis'
import { type ApiKeys, createApiKeys, type KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { accessIn, judged } from '../../support/outcome.ts'
import { type RedisServer, startRedis, until } from '../../support/redis.ts'

const HOUR = 3_600_000
let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

/** A process of this server; its clock may be behind the server's. */
function instance(behind = 0) {
  const client = new Redis(server.url, { lazyConnect: true })
  const store = redisStore(client) as Required<KeyStore>
  const clock = { now: () => Date.now() - behind }
  const keys = createApiKeys({ prefix: 'rh_', store, clock })
  onTestFinished(async () => {
    await keys.close()
    store.close()
    client.disconnect()
  })
  return { keys, store, clock }
}

const held = async (keys: ApiKeys, key: string, reserve: number) => accessIn(await keys.verify(key, { reserve }))

/** The time of all holds and marks of a key is over. */
function endAll(id: string): void {
  const script = "for _, m in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZADD', KEYS[1], 5, m) end"
  server.cli('EVAL', script, '1', `keyward:ends:{${id}}`)
}

describe('Holds in Redis', () => {
  it.each(['settled', 'left alone'])(
    'of a balance that was replaced meanwhile harm nobody when they are %s',
    async (how) => {
      const { keys } = instance()
      const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
      const first = await held(keys, key, 60)
      const second = await held(keys, key, 20)
      await keys.update(record.id, { credits: { remaining: 500 } })
      if (how === 'settled') await Promise.all([first.settle(10), second.settle(20)])
      endAll(record.id)
      expect(await keys.balance({ id: record.id })).toBe(500)
      expect(await judged(keys, key)).toBe('admitted')
      expect(await keys.update(record.id, { credits: { remaining: 7 } })).toMatchObject({ status: 'active' })
      expect(await keys.balance({ id: record.id })).toBe(7)
    },
  )

  it('are given back where nobody knows whether they were made', async () => {
    const { keys } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
    await (await held(keys, key, 100)).settle(0)
    server.cli('CLIENT', 'PAUSE', '400', 'ALL')
    expect(await judged(keys, key, { reserve: 100 })).toBe('unavailable')
    await until(async () => (await keys.balance({ id: record.id }).catch(() => 0)) === 100)
  })

  it.each([61_000, HOUR, -HOUR])(
    'D-26 last as long as they should where the clocks are %i ms apart',
    async (behind) => {
      const { keys, store, clock } = instance(behind)
      const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
      const first = await held(keys, key, 60)
      expect(await judged(keys, key, { reserve: 60 })).toBe('insufficient_balance')
      expect(await first.settle(60)).toEqual({ charged: 60, short: 0 })
      expect(await keys.balance({ id: record.id })).toBe(40)
      const account = { account: `${record.id}:${Date.parse(record.createdAt)}`, opening: { amount: 0, at: 0 } }
      const settle = { id: 'again', amount: 10, until: clock.now() + 60_000 }
      for (let n = 0; n < 2; n++)
        expect(await store.move({ ...account, settle }, clock.now())).toEqual({ balance: 30, charged: 10 })
      const ends = server.cli('ZRANGE', `keyward:ends:{${record.id}}`, '0', '-1', 'WITHSCORES').split('\n')
      for (const end of ends.filter((_, at) => at % 2 === 1)) {
        expect(Math.abs(Number(end) - Date.now() - 60_000)).toBeLessThan(10_000)
      }
    },
  )

  it('whose time is over are cleared away a thousand at once, and what they held is free', async () => {
    const { keys } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 5_000 } })
    for (let n = 0; n < 25; n++) await Promise.all(Array.from({ length: 100 }, () => held(keys, key, 1)))
    expect(await keys.balance({ id: record.id })).toBe(2_500)
    endAll(record.id)
    const seen: number[] = []
    for (let n = 0; n < 4; n++) seen.push(await keys.balance({ id: record.id }))
    expect(seen).toEqual([3_500, 4_500, 5_000, 5_000])
    expect(server.cli('ZCARD', `keyward:ends:{${record.id}}`)).toBe('0')
  })
})

it('a great cost under a limit that was raised takes no memory of the server', async () => {
  const { store } = instance()
  const { keys } = instance()
  const { record } = await keys.create({ owner: 'acct_1' })
  const { version } = (await store.find(record.id)) ?? { version: 0 }
  const windows = (limit: number) => [{ name: 'hour', limit, ms: HOUR }]
  expect(await store.take(record.id, version, { windows: windows(50), cost: 1 }, 0)).toMatchObject({ ok: true })
  server.cli('CONFIG', 'RESETSTAT')
  const cost = 20_000_000
  expect(await store.take(record.id, version, { windows: windows(2e9), cost }, 0)).toMatchObject({ ok: true })
  expect(Number(/used_memory_peak:(\d+)/.exec(server.cli('INFO', 'memory'))?.[1])).toBeLessThan(cost)
})
