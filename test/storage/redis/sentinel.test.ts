import { Redis } from 'ioredis'
import { createApiKeys } from 'keyward'
import { redisStore } from 'keyward/redis'
import { expect, it, onTestFinished } from 'vitest'
import { type RedisServer, startRedis, startSentinel, until } from '../../support/redis.ts'

it.each(['dies', 'stands still'])(
  'goes on behind a Sentinel when the master %s, and what was revoked stays so',
  async (how) => {
    const master = await startRedis('--repl-diskless-sync-delay', '0')
    onTestFinished(() => master.stop())
    const replica = await startRedis('--replicaof', '127.0.0.1', String(master.port))
    onTestFinished(() => replica.stop())
    await until(() => replica.cli('INFO', 'replication').includes('master_link_status:up'))
    const sentinel = await startSentinel(master)
    onTestFinished(() => sentinel.stop())
    await until(() => /^master-link-status\nok$/m.test(sentinel.cli('SENTINEL', 'REPLICAS', 'keys')))

    const client = new Redis({ name: 'keys', sentinels: [{ host: '127.0.0.1', port: sentinel.port }] })
    client.on('error', () => {})
    const store = redisStore(client)
    const keys = createApiKeys({ prefix: 'sen_', store, limits: { default: { minute: 20 } } })
    onTestFinished(async () => {
      await keys.close()
      await store.close?.()
      client.disconnect()
    })
    const codeOf = async (key: string) => {
      const verdict = await keys.verify(key)
      return verdict.ok ? 'admitted' : verdict.code
    }
    const [live, dead] = await Promise.all(['live', 'dead'].map((name) => keys.create({ owner: 'acct_1', name })))
    if (live === undefined || dead === undefined) throw new Error('no keys')
    expect(await codeOf(live.key)).toBe('admitted')
    expect(await codeOf(dead.key)).toBe('admitted')
    await keys.revoke(dead.record.id)
    const offsetOf = ({ cli }: RedisServer, kind: string) =>
      new RegExp(`^${kind}_repl_offset:(\\d+)`, 'm').exec(cli('INFO', 'replication'))?.[1]
    await until(() => offsetOf(replica, 'slave') === offsetOf(master, 'master'))

    // One that stands still refuses nothing: only that it says nothing shows it.
    if (how === 'dies') await master.kill()
    else process.kill(master.pid(), 'SIGSTOP')
    await until(async () => {
      expect(['unavailable', 'revoked']).toContain(await codeOf(dead.key))
      const code = await codeOf(live.key)
      expect(['unavailable', 'admitted']).toContain(code)
      return code === 'admitted'
    })
    expect(replica.cli('ROLE')).toMatch(/^master/)
    expect(await codeOf(dead.key)).toBe('revoked')
    // What was used before the failover counts.
    let admitted = 2
    await until(async () => {
      const code = await codeOf(live.key)
      if (code === 'admitted') admitted++
      return code === 'rate_limited'
    })
    expect(admitted).toBeLessThanOrEqual(20)
    expect(admitted).toBeGreaterThan(2)
  },
)
