import { Redis } from 'ioredis'
import { createApiKeys } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { judged } from '../../support/outcome.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

/** One of several processes: a connection, a store and an instance of its own, which remembers for an hour. */
function process() {
  const client = new Redis(server.url)
  client.on('error', () => {})
  const store = redisStore(client)
  const keys = createApiKeys({ prefix: 'rt_', store, storeTimeout: '5s', cache: { maxLag: 3_600_000 } })
  const close = async () => {
    await keys.close()
    await store.close?.()
    client.disconnect()
  }
  return { keys, close }
}

describe('C. Tidings over Redis: what one process changes, the others obey long before maxLag', () => {
  it.each([
    ['revoked', 'revoke'],
    ['disabled', 'disable'],
    ['invalid_key', 'remove'],
  ] as const)('C-01 a key without limits is %s everywhere', async (code, verb) => {
    const [here, there] = [process(), process()]
    try {
      const { key, record } = await here.keys.create({ owner: 'acct_1' })
      // Both have to be listening: each hears '*' when it begins, and forgets.
      await vi.waitFor(async () => {
        expect(await judged(there.keys, key)).toBe('admitted')
        await here.keys.update(record.id, { name: 'a' })
        await new Promise((resolve) => setTimeout(resolve, 50))
      })
      expect(await judged(there.keys, key)).toBe('admitted')
      await here.keys[verb](record.id)
      await vi.waitFor(async () => expect(await judged(there.keys, key)).toBe(code), { timeout: 5_000 })
    } finally {
      await Promise.all([here.close(), there.close()])
    }
  })

  it('C-05 after the line was cut, everything is read again: a change that nobody heard of is obeyed', async () => {
    const [here, there] = [process(), process()]
    try {
      const { key, record } = await here.keys.create({ owner: 'acct_1' })
      expect(await judged(there.keys, key)).toBe('admitted')
      server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await here.keys.revoke(record.id)
      await vi.waitFor(async () => expect(await judged(there.keys, key)).toBe('revoked'), { timeout: 10_000 })
    } finally {
      await Promise.all([here.close(), there.close()])
    }
  })

  it('C-07 no message of anybody else makes a revoked key live, or a live one fail', async () => {
    const [here, there] = [process(), process()]
    try {
      const [live, dead] = [await here.keys.create({ owner: 'acct_1' }), await here.keys.create({ owner: 'acct_1' })]
      for (const { key } of [live, dead]) expect(await judged(there.keys, key)).toBe('admitted')
      await here.keys.revoke(dead.record.id)
      const messages = [
        dead.record.id,
        live.record.id,
        dead.record.id,
        '*',
        '',
        '{"status":"active"}',
        'x'.repeat(100_000),
      ]
      for (const message of messages) {
        expect(Number(server.cli('publish', 'keyward:changes', message))).toBeGreaterThan(0)
        for (const { keys } of [here, there]) expect(await judged(keys, live.key)).toBe('admitted')
        expect(await judged(here.keys, dead.key)).toBe('revoked')
      }
      await vi.waitFor(async () => expect(await judged(there.keys, dead.key)).toBe('revoked'))
    } finally {
      await Promise.all([here.close(), there.close()])
    }
  })
})
