import { Redis } from 'ioredis'
import type { KeyStore, StoredKey } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'

const SPEND = { windows: [{ name: 'minute', limit: 5, ms: 60_000 }], cost: 1 }

/** What all answers of TAKE begin with. */
const TIME = Buffer.alloc(8)

let server: RedisServer
let client: Redis
let store: Required<KeyStore>
let keys: readonly StoredKey[]

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.url, { lazyConnect: true })
  store = redisStore(client) as Required<KeyStore>
})

afterAll(async () => {
  store.close()
  client.disconnect()
  await server.stop()
})

beforeEach(async () => {
  keys = Array.from({ length: 40 }, () => storedKey())
  for (const key of keys) await store.insert(key)
  // The server knows the script.
  await take(keys[0] as StoredKey, 0)
  server.cli('config', 'resetstat')
})

function take({ id, version }: StoredKey, cost = 1) {
  return store.take(id, version, { ...SPEND, cost }, 0)
}

function commands(name = 'evalsha'): number {
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(server.cli('info', 'commandstats'))?.[1] ?? 0)
}

describe('takes of redisStore', () => {
  it('are one command each, one after the other', async () => {
    for (const key of keys) expect(await take(key)).toMatchObject({ ok: true })
    expect(commands()).toBe(keys.length)
  })

  it('go together when they come together, and each is counted for itself', async () => {
    const all = await Promise.all([...keys, ...keys].map((key) => take(key)))
    expect(all.every(({ ok }) => ok)).toBe(true)
    expect(commands()).toBeLessThan(keys.length / 4)
    const after = await Promise.all(keys.map((key) => take(key, 0)))
    for (const { readings } of after as { readings: unknown }[]) expect(readings).toMatchObject([{ remaining: 3 }])
  })

  it('do not suffer from a key beside them that is damaged, gone, changed or at its limit', async () => {
    const [first, damaged, gone, changed, full, ...others] = keys as [
      StoredKey,
      StoredKey,
      StoredKey,
      StoredKey,
      StoredKey,
    ]
    server.cli('set', `keyward:windows:{${damaged.id}}`, 'nonsense')
    await store.remove(gone.id)
    await store.replace({ ...changed, version: changed.version + 1 }, changed.version)
    await take(full, 5)
    const asked = [first, damaged, gone, changed, full, ...others]
    const answers = await Promise.allSettled(asked.map((key) => take(key)))
    expect(answers.slice(1, 5)).toMatchObject([
      { reason: { code: 'STORE' } },
      { value: { stale: undefined } },
      { value: { stale: { id: changed.id, version: changed.version + 1 } } },
      { value: { ok: false, readings: [{ remaining: 0 }] } },
    ])
    for (const answer of answers.slice(5)) expect(answer).toMatchObject({ value: { ok: true } })
  })

  it('take from its own windows, and its own cost, whatever those before them take', async () => {
    const [first, gone, ...others] = keys as [StoredKey, StoredKey]
    await store.remove(gone.id)
    const spends = others.map((_, at) => ({
      windows: [{ name: at % 5 < 3 ? 'minute' : 'hour', limit: 50 + (at % 3), ms: at % 5 < 3 ? 60_000 : 3_600_000 }],
      cost: at % 4 < 2 ? 1 : at,
    }))
    const asked = [gone, ...others].map(
      ({ id, version }, at) =>
        () =>
          store.take(id, version, spends[Math.max(0, at - 1)] as (typeof spends)[number], 0),
    )
    const [, stale, ...taken] = await Promise.all([take(first), ...asked.map((ask) => ask())])
    expect(stale).toEqual({ stale: undefined })
    for (const [at, { windows, cost }] of spends.entries()) {
      const readings = windows.map(({ name, limit }) => ({ name, limit, remaining: limit - cost }))
      expect(taken[at]).toMatchObject({ ok: true, readings })
    }
    expect(commands()).toBeLessThan(keys.length / 4)
  })

  it('read the record of a key only when they have not proved it yet, or it was changed', async () => {
    const key = keys[0] as StoredKey
    const changed = { ...key, version: key.version + 1 }
    await take(key)
    expect(commands('getrange')).toBe(1)
    await take(key)
    await Promise.all([take(key), take(key)])
    expect(commands('getrange')).toBe(1)
    await store.replace(changed, key.version)
    expect(await take(key)).toMatchObject({ stale: { version: changed.version } })
    expect(await take(changed)).toMatchObject({ ok: true, readings: [{ remaining: 0 }] })
    expect(commands('getrange')).toBe(3)
  })

  it('know a record that was put in the place of one that somebody deleted by hand', async () => {
    const key = keys[0] as StoredKey
    await take(key)
    server.cli('del', `keyward:key:{${key.id}}`)
    const again = { ...key, version: key.version + 7 }
    await store.insert(again)
    expect(await take(key)).toMatchObject({ stale: { version: again.version } })
    expect(await take(again)).toMatchObject({ ok: true, readings: [{ remaining: 3 }] })
  })

  it('leave alone what somebody else keeps under the name of counters, which hinders no change of the key', async () => {
    const [key, other] = keys as [StoredKey, StoredKey]
    const name = `keyward:windows:{${key.id}}`
    server.cli('lpush', name, 'theirs')
    await expect(take(key)).rejects.toMatchObject({ code: 'STORE' })
    const [, , beside] = await Promise.allSettled([take(other), take(key), take(other)])
    expect(beside).toMatchObject({ value: { ok: true } })
    expect(await store.replace({ ...key, version: key.version + 1 }, key.version)).toBe(true)
    expect(server.cli('lrange', name, '0', '-1')).toBe('theirs')
  })

  it('are charged once when the server forgets the script', async () => {
    server.cli('script', 'flush')
    await Promise.all(keys.map((key) => take(key)))
    const after = await Promise.all(keys.map((key) => take(key, 0)))
    for (const { readings } of after as { readings: unknown }[]) expect(readings).toMatchObject([{ remaining: 4 }])
  })

  it.each([
    ['nothing', undefined],
    ['a text', 'OK'],
    ['an empty list', []],
    ['numbers in place of bytes', [1, 2, 3]],
    ['half a time', [Buffer.alloc(4)]],
    ['no more than a time', [TIME]],
    ['no more than an outcome', [Buffer.concat([TIME, Buffer.from([1])])]],
    ['half a number', [Buffer.concat([TIME, Buffer.alloc(12, 1)])]],
    ['a damaged record', [Buffer.concat([TIME, Buffer.from([2])]), Buffer.from('nonsense')]],
    ['words', [Buffer.concat([TIME, Buffer.from([3])]), Buffer.from('ERR no')]],
  ])('fail where the server answers %s', async (_, reply) => {
    const strange = new Redis(server.url, { lazyConnect: true })
    const duplicate = strange.duplicate.bind(strange)
    strange.duplicate = (...overrides) => Object.assign(duplicate(...overrides), { evalshaBuffer: async () => reply })
    const asked = redisStore(strange) as Required<KeyStore>
    const { id, version } = keys[0] as StoredKey
    const answers = await Promise.allSettled(Array.from({ length: 3 }, () => asked.take(id, version, SPEND, 0)))
    for (const answer of answers) expect(answer).toMatchObject({ reason: { code: 'STORE' } })
    asked.close?.()
    strange.disconnect()
  })
})
