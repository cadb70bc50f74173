import { once } from 'node:events'
import { Redis } from 'ioredis'
import { createApiKeys } from 'keyward'
import { type RedisStoreOptions, redisStore } from 'keyward/redis'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { judged } from '../support/outcome.ts'
import { type RedisServer, startRedis, until } from '../support/redis.ts'

async function server(...settings: readonly string[]): Promise<RedisServer> {
  const started = await startRedis(...settings)
  onTestFinished(() => started.stop())
  return started
}

function node(
  url: string,
  options: Partial<Parameters<typeof createApiKeys>[0]> = {},
  storeOptions: RedisStoreOptions = {},
) {
  const client = new Redis(url, { lazyConnect: true })
  client.on('error', () => {})
  const store = redisStore(client, storeOptions)
  const keys = createApiKeys({ prefix: 'rd_', store, storeTimeout: '5s', ...options })
  onTestFinished(async () => {
    await keys.close()
    await store.close?.()
    client.disconnect()
  })
  return keys
}

describe('over a real Redis', () => {
  it('C-14 that lets nobody publish, a revocation is durable when it resolves, and others obey within maxLag', async () => {
    const { url, cli } = await server()
    const clock = fakeClock(Date.now())
    const [one, two] = [node(url, { clock }), node(url, { clock })]
    const { key, record } = await one.create({ owner: 'acct_1' })
    for (const keys of [one, two]) expect(await judged(keys, key)).toBe('admitted')
    cli('acl', 'setuser', 'default', '-publish')
    await one.revoke(record.id)
    expect(await judged(one, key)).toBe('revoked')
    clock.advance(1_001)
    expect(await judged(two, key)).toBe('revoked')
  })

  it('D-13 that throws keys away has forgotten them: what is missing is invalid_key, and no revoked key comes back', async () => {
    const { url, cli } = await server()
    const keys = node(url, { cache: false })
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { hour: 10 } })
    const revoked = await keys.create({ owner: 'acct_1' })
    await keys.revoke(revoked.record.id)
    // Whatever it throws away of a key, all of it or a part: it is as if there were none.
    const names = cli('keys', '*').split('\n')
    for (const name of names) {
      cli('del', name)
      expect(['admitted', 'invalid_key', 'unavailable']).toContain(await judged(keys, key))
      expect(['revoked', 'invalid_key', 'unavailable']).toContain(await judged(keys, revoked.key))
    }
    expect(await judged(keys, key)).toBe('invalid_key')
    expect(await judged(keys, revoked.key)).toBe('invalid_key')
    expect(await keys.get(record.id)).toBeUndefined()
  })

  it('D-14 that is a replica admits nobody, with limits or without, changes nothing, and says what to mend', async () => {
    const { primary, replica, made } = await pair()
    const warned = once(process, 'warning')
    // Whoever may write to a replica writes what is lost: it is a replica all the same.
    for (const readOnly of ['yes', 'no']) {
      replica.cli('config', 'set', 'replica-read-only', readOnly)
      const behind = node(replica.url)
      for (const { key } of made) expect(await judged(behind, key, { cost: 0 })).toBe('unavailable')
      await expect(behind.create({ owner: 'acct_1' })).rejects.toMatchObject({
        code: 'STORE',
        message: expect.stringMatching(/replica/),
      })
    }
    expect(await warned).toMatchObject([{ code: 'KEYWARD_REDIS_REPLICA', message: expect.stringMatching(/primary/) }])
    for (const { key } of made) expect(await judged(node(primary.url), key)).toBe('admitted')
  })

  it('D-14 that is a replica admits nobody either where nothing may be asked about it', async () => {
    const { replica, made } = await pair()
    replica.cli('acl', 'setuser', 'default', '-info', '-role')
    const said = vi.spyOn(console, 'warn').mockReturnValue()
    onTestFinished(() => said.mockRestore())
    const behind = node(replica.url)
    for (const { key } of made) expect(await judged(behind, key, { cost: 0 })).toBe('unavailable')
  })

  it('D-14 that becomes a replica in a failover admits nobody from then on, until it is the primary again', async () => {
    const { primary, replica, made } = await pair()
    const keys = node(primary.url, { cache: false })
    for (const { key } of made) expect(await judged(keys, key)).toBe('admitted')
    replica.cli('replicaof', 'no', 'one')
    primary.cli('replicaof', '127.0.0.1', String(replica.port))
    for (const { key, record } of made) {
      await node(replica.url).revoke(record.id)
      expect(await judged(keys, key, { cost: 0 })).toBe('unavailable')
    }
    await until(() => primary.cli('info', 'replication').includes('master_link_status:up'))
    for (const { key } of made) expect(await judged(keys, key, { cost: 0 })).toBe('unavailable')
    primary.cli('replicaof', 'no', 'one')
    for (const { key } of made) await expect.poll(() => judged(keys, key), { timeout: 5_000 }).toBe('revoked')
  })

  it('D-10 that fails over loses no revocation that it acknowledged with replicas: 1, however soon it dies', async () => {
    const { primary, replica } = await pair()
    const keys = node(primary.url, { cache: false }, { replicas: 1 })
    const made = await Promise.all(Array.from({ length: 60 }, () => keys.create({ owner: 'acct_1' })))
    const revoked: string[] = []
    const work = made.map(async ({ key, record }, at) => {
      await new Promise((resolve) => setTimeout(resolve, at))
      await keys.revoke(record.id)
      revoked.push(key)
      if (revoked.length === 30) await primary.kill()
    })
    await Promise.allSettled(work)
    replica.cli('replicaof', 'no', 'one')
    const after = node(replica.url)
    expect(revoked.length).toBeGreaterThanOrEqual(30)
    for (const key of revoked) expect(await judged(after, key)).toBe('revoked')
  })

  it('D-10 acknowledges no change with replicas: 1 that no replica has, nor the same again, until one has it', async () => {
    const { primary, replica } = await pair()
    const keys = node(primary.url, { cache: false }, { replicas: 1, timeout: 400 })
    const create = () => keys.create({ owner: 'acct_1', limits: { hour: 10 } })
    const [kept, gone, all] = [await create(), await create(), await create()]
    const unknown = { code: 'STORE', outcome: 'unknown' }
    // Who does not wait as long as the store does is told no other.
    const hasty = node(primary.url, { cache: false, storeTimeout: 100 }, { replicas: 1, timeout: 400 })
    await expect.poll(() => hasty.get(kept.record.id).then(() => 'there', String)).toBe('there')
    process.kill(replica.pid(), 'SIGSTOP')
    for (const _ of ['the first time', 'and again']) {
      await expect(hasty.revoke(kept.record.id)).rejects.toMatchObject({ code: 'STORE' })
    }
    for (const _ of ['the first time', 'and again']) {
      await expect(keys.revoke(kept.record.id)).rejects.toMatchObject({ code: 'STORE' })
      await expect(keys.revokeAll({ owner: 'acct_1' })).rejects.toMatchObject(unknown)
    }
    await expect(keys.create({ owner: 'acct_2' })).rejects.toMatchObject(unknown)
    await expect(keys.remove(gone.record.id)).rejects.toMatchObject({ code: 'STORE' })
    for (const { key } of [kept, all]) expect(['revoked', 'unavailable']).toContain(await judged(keys, key))
    process.kill(replica.pid(), 'SIGCONT')
    // Who was told so, says it again.
    await expect.poll(() => keys.revoke(kept.record.id).then(() => 'done', String), { timeout: 5_000 }).toBe('done')
    await keys.revokeAll({ owner: 'acct_1' })
    await primary.kill()
    replica.cli('replicaof', 'no', 'one')
    for (const { key } of [kept, all]) expect(await judged(node(replica.url), key)).toBe('revoked')
    expect(await judged(node(replica.url), gone.key)).toBe('invalid_key')
  })
})

/** A primary and its replica, and a key of each kind that both know. */
async function pair() {
  // By a file: else a replica that is there hears of changes a second later, when it has said so.
  const [primary, replica] = [await server('--repl-diskless-sync', 'no'), await server()]
  const keys = node(primary.url)
  const made = [
    await keys.create({ owner: 'acct_1' }),
    await keys.create({ owner: 'acct_1', limits: { hour: 10 } }),
    await keys.create({ owner: 'acct_1', credits: { remaining: 10 } }),
  ]
  for (const { key } of made) expect(await judged(keys, key)).toBe('admitted')
  replica.cli('replicaof', '127.0.0.1', String(primary.port))
  await until(() => primary.cli('info', 'replication').includes('state=online'))
  return { primary, replica, made }
}
