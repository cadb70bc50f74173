import { Redis } from 'ioredis'
import { createApiKeys } from 'keyward'
import { redisStore } from 'keyward/redis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { judged, listener } from '../../support/outcome.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'

async function server(...settings: readonly string[]): Promise<RedisServer> {
  const started = await startRedis(...settings)
  onTestFinished(() => started.stop())
  return started
}

interface Given {
  readonly username?: string
  readonly password?: string
  readonly enableReadyCheck?: boolean
  readonly db?: number
}

/** An instance over a client of its own. */
function over(port: number, options: Given = {}, cache?: false) {
  const client = new Redis(port, '127.0.0.1', options)
  client.on('error', () => {})
  const store = redisStore(client)
  const heard = listener()
  const keys = createApiKeys({ prefix: 'ro_', store, cache, storeTimeout: '2s', onEvent: heard.onEvent })
  onTestFinished(async () => {
    await keys.close()
    await store.close?.()
    client.disconnect()
  })
  const faults = () => heard.events.flatMap((event) => (event.type === 'fault' ? [event] : []))
  return { client, keys, faults }
}

const APP = { username: 'app', password: 'pw' }

/** A user who may do everything with the names of Keyward but these. */
function allow(redis: RedisServer, ...rules: readonly string[]): void {
  redis.cli('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~keyward:*', ...rules)
}

describe('Redis as operations run it', () => {
  it('a store that is closed leaves nothing behind on the client of the host', async () => {
    const redis = await server()
    const client = new Redis(redis.port, '127.0.0.1', { lazyConnect: true })
    const listeners = () => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
    const before = listeners()
    for (let time = 0; time < 3; time++) {
      const store = redisStore(client)
      await store.find('x')
      await store.close?.()
      await store.close?.()
    }
    expect(listeners()).toBe(before)
  })

  it('a note that comes late takes no other of its owner along', async () => {
    const redis = await server()
    const store = redisStore(new Redis(redis.port, '127.0.0.1', { lazyConnect: true }))
    onTestFinished(() => void store.close?.())
    const now = Date.now()
    const keep = { most: 100, since: now - 60_000 }
    const noteAt = (at: number) => store.note?.([{ id: `${at}`, at, owner: 'o', data: '{}' }], keep)
    const left = () => Number(redis.cli('PTTL', 'keyward:owner:{o}:notes'))
    await noteAt(keep.since + 2_000)
    expect(left()).toBeLessThanOrEqual(2_000)
    await noteAt(now)
    expect(left()).toBeGreaterThan(50_000)
    await noteAt(keep.since + 1_000)
    expect(left()).toBeGreaterThan(50_000)
    expect((await store.notes?.({ owner: 'o', since: keep.since, limit: 9 }))?.items).toHaveLength(3)
  })

  it('a user who may not ask whether the server takes changes is served by none: a replica may lag', async () => {
    const [primary, replica] = [await server('--repl-diskless-sync-delay', '0'), await server()]
    for (const each of [primary, replica]) allow(each, '&keyward:*', '+@all', '-@dangerous', '-persist')
    replica.cli('REPLICAOF', '127.0.0.1', String(primary.port))
    const admin = over(primary.port)
    const { key, record } = await admin.keys.create({ owner: 'acct_1' })
    await vi.waitFor(() => expect(replica.cli('EXISTS', `keyward:key:{${record.id}}`)).toBe('1'), { timeout: 10_000 })
    replica.cli('REPLICAOF', '127.0.0.1', '1')
    await admin.keys.revoke(record.id)
    for (const { port } of [replica, primary]) {
      const { keys, faults } = over(port, APP, false)
      expect(await judged(keys, key)).toBe('unavailable')
      expect(faults().at(-1)?.message).toMatch(/PERSIST: .*(can't run|READONLY)/)
    }
  })

  it('a primary that became a replica admits nobody, also where nothing is to be counted', async () => {
    const redis = await server()
    const { keys } = over(redis.port)
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    for (const cost of [1, 0]) expect(await judged(keys, key, { cost })).toBe('admitted')
    redis.cli('REPLICAOF', '127.0.0.1', '1')
    expect(await judged(keys, key, { cost: 0 })).toBe('unavailable')
    redis.cli('REPLICAOF', 'NO', 'ONE')
    await expect.poll(() => judged(keys, key, { cost: 0 }), { timeout: 5_000 }).toBe('admitted')
  })

  it('a database that the server does not have is not silently another one', async () => {
    const redis = await server()
    const { keys, faults } = over(redis.port, { db: 16 })
    await expect(keys.create({ owner: 'acct_1' })).rejects.toMatchObject({ code: 'STORE' })
    expect(redis.cli('DBSIZE')).toBe('0')
    await keys.verify((await over(redis.port, { db: 15 }).keys.create({ owner: 'acct_1' })).key)
    expect(faults().at(-1)?.message).toMatch(/DB index is out of range/)
  })

  it('a full server still answers what it has', async () => {
    const redis = await server()
    const { keys } = over(redis.port, {}, false)
    const { key } = await keys.create({ owner: 'acct_1' })
    redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('where INFO has another name, a client that leaves out the question is served', async () => {
    const redis = await server('--rename-command', 'INFO', '')
    const { keys } = over(redis.port, { enableReadyCheck: false })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('a password that was renewed on the client is the one of the next connection', async () => {
    const redis = await server()
    allow(redis, '&keyward:*', '+@all')
    const { client, keys } = over(redis.port, APP, false)
    const { key } = await keys.create({ owner: 'acct_1' })
    redis.cli('ACL', 'SETUSER', 'app', '<pw', '>new')
    client.options.password = 'new'
    redis.cli('CLIENT', 'KILL', 'USER', 'app')
    await vi.waitFor(async () => expect(await judged(keys, key)).toBe('admitted'), { timeout: 10_000 })
  })

  it('a line that tells of no changes is one fault, and another when it is lost again', async () => {
    const redis = await server()
    allow(redis, '+@all', 'resetchannels')
    const { faults } = over(redis.port, APP)
    const watch = () => faults().filter(({ code }) => code === 'watch')
    await vi.waitFor(() => expect(watch()).toHaveLength(1))
    expect(watch()[0]?.message).toMatch(/Redis tells of no changes: NOPERM/)
    const connections = () => Number(/total_connections_received:(\d+)/.exec(redis.cli('info', 'stats'))?.[1])
    const before = connections()
    await new Promise((resolve) => setTimeout(resolve, 900))
    // Each look is a connection, too.
    expect(connections() - before).toBeLessThan(4)
    allow(redis, '&keyward:*', '+@all')
    await vi.waitFor(() => expect(redis.cli('PUBSUB', 'CHANNELS')).toBe('keyward:changes'), { timeout: 10_000 })
    redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await vi.waitFor(() => expect(watch()).toHaveLength(2))
  })
})
