import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { KeyStore, StoredKey } from 'keyward'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type RedisClient, type RedisStoreOptions, redisStore } from '../../src/storage/redis.ts'
import { type RedisServer, startRedis, until } from '../support/redis.ts'
import { NONSENSE, storedKey } from './stored-key.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

type Closable = RedisClient & { disconnect(): void }

function storeOver(client: Closable = new Redis(server.url), options: RedisStoreOptions = {}): Required<KeyStore> {
  const store = redisStore(client, options) as Required<KeyStore>
  onTestFinished(() => {
    store.close()
    client.disconnect()
  })
  return store
}

const spend = (limit: number, cost = 1) => ({ windows: [{ name: 'minute', limit, ms: 60_000 }], cost })

describe('redisStore refuses with CONFIG', () => {
  const client = new Redis({ lazyConnect: true, password: 'do-not-show' })
  const refused = expect.objectContaining({ name: 'KeywardError', code: 'CONFIG' })

  it.each([undefined, null, 'redis://localhost', {}, { duplicate() {}, on() {} }, new Map()])(
    'what is no client of ioredis: %j',
    (other) => {
      expect(() => redisStore(other as unknown as RedisClient)).toThrow(refused)
    },
  )

  it.each([
    [{ namespace: '' }, /namespace.*not ""/],
    [{ namespace: 'a{b}' }, /namespace.*a\{b\}/],
    [{ namespace: 'a b' }, /namespace/],
    [{ namespace: 'x'.repeat(65) }, /namespace/],
    [{ namespace: 5 }, /namespace.*not 5/],
    [{ timeout: 0 }, /timeout.*not 0/],
    [{ timeout: 1.5 }, /timeout.*not 1.5/],
    [{ timeout: '1s' }, /timeout.*not "1s"/],
    [{ timeout: 60_001 }, /timeout/],
    [{ replicas: -1 }, /replicas.*not -1/],
    [{ replicas: 1.5 }, /replicas.*not 1.5/],
    [{ replicas: '1' }, /replicas.*not "1"/],
    [{ replicas: 101 }, /replicas.*not 101/],
    [{ replicas: null }, /replicas.*not null/],
    [{ prefix: 'x' }, /no option "prefix"/],
    [null, /options.*not null/],
    ['keyward', /options.*not "keyward"/],
  ])('the options %j, and names them', (options, message) => {
    expect(() => redisStore(client, options as RedisStoreOptions)).toThrow(refused)
    expect(() => redisStore(client, options as RedisStoreOptions)).toThrow(message)
  })

  it('replicas on a Cluster, where each slot has replicas of its own', () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true })
    expect(() => redisStore(cluster, { replicas: 1 })).toThrow(refused)
    expect(() => redisStore(cluster, { replicas: 1 })).toThrow(/replicas.*min-replicas-to-write/)
    expect(() => redisStore(cluster, { replicas: 0 })).not.toThrow()
  })

  it('a client of a replica, which cannot write', () => {
    const replica = new Redis({
      sentinels: [{ host: '127.0.0.1', port: 1 }],
      name: 'm',
      role: 'slave',
      lazyConnect: true,
    })
    expect(() => redisStore(replica)).toThrow(/role/)
  })
})

describe('redisStore', () => {
  it('D-06 works over a client that nobody connects, and over settings that would hang or repeat', async () => {
    const settings = {
      lazyConnect: true,
      maxRetriesPerRequest: null,
      enableOfflineQueue: true,
      autoResendUnfulfilledCommands: true,
      stringNumbers: true,
      enableAutoPipelining: true,
      keyPrefix: 'app:{x}:',
    }
    for (const client of [new Redis(server.url, settings), new Redis5(server.url, settings)]) {
      const store = storeOver(client)
      const key = storedKey({ id: `odd-${client === undefined}-${Math.random()}` })
      await store.insert(key)
      expect(await store.find(key.id)).toEqual(key)
      expect(await store.take(key.id, key.version, spend(2), 0)).toMatchObject({
        ok: true,
        readings: [{ remaining: 1 }],
      })
      expect(client.status).toBe('wait')
    }
    expect(server.cli('--scan', '--pattern', 'app:{x}:keyward:key:*').split('\n')).toHaveLength(2)
  })

  it('keeps apart what differs in a NUL, half an emoji or a brace', async () => {
    const store = storeOver()
    const texts = [
      '',
      '}',
      '{}',
      'a',
      'a\0',
      'a\0b',
      'a\ud83d',
      'a\ud83e',
      'a\u0001',
      'a\u0001d83d',
      'a}',
      '{a}',
      ':a',
      'a:1',
    ]
    const keys = texts.map((id) => storedKey({ id, owner: `odd${id}`, uniqueName: id, prefix: `p${id}_` }))
    for (const key of keys) await store.insert(key)
    for (const key of keys) {
      expect(await store.find(key.id)).toEqual(key)
      expect(await store.list({ prefixes: [key.prefix], owner: key.owner, limit: 9 })).toEqual({ items: [key] })
      expect(await store.list({ prefixes: [key.prefix], limit: 9 })).toEqual({ items: [key] })
    }
    for (const key of keys) expect(await store.remove(key.id)).toBe(true)
  })

  it('keeps stores of different namespaces apart', async () => {
    const [one, two] = [storeOver(undefined, { namespace: 'one' }), storeOver(undefined, { namespace: 'two:a' })]
    const key = storedKey({ uniqueName: 'same' })
    await one.insert(key)
    expect(await two.find(key.id)).toBeUndefined()
    await two.insert(key)
    expect(await one.remove(key.id)).toBe(true)
    expect(await two.find(key.id)).toEqual(key)
  })

  it('forgets every trace of a key that is removed', async () => {
    const store = storeOver(undefined, { namespace: 'traces' })
    const key = storedKey({ uniqueName: 'n', credits: { remaining: 9, opened: 1 } })
    await store.insert(key)
    await store.touch([{ id: key.id, at: 1, uses: 1 }])
    const credits = { account: `${key.id}:1`, opening: { amount: 9, at: 1 }, amount: 1 }
    await store.take(key.id, key.version, { ...spend(5), credits: { ...credits, hold: { id: 'h', until: 9e12 } } }, 0)
    expect(server.cli('--scan', '--pattern', 'traces:*').split('\n')).toHaveLength(7)
    await store.remove(key.id)
    expect(server.cli('--scan', '--pattern', 'traces:*')).toBe('')
  })

  it('marks 250 keys with three commands, whatever became of some of them, and keeps that when they are revoked', async () => {
    const store = storeOver(undefined, { namespace: 'marks' })
    const ids = Array.from({ length: 250 }, (_, n) => `marked-${n}`)
    for (const id of ids) await store.insert(storedKey({ id }))
    const lines = server.cli('GET', 'marks:key:{marked-1}').split('\n')
    server.cli('SET', 'marks:key:{marked-1}', lines.with(1, 'nonsense').join('\n'))
    server.cli('SET', 'marks:key:{marked-2}', 'no record')
    await store.remove('marked-3')
    server.cli('CONFIG', 'RESETSTAT')
    for (const at of [1_000, 900]) await store.touch(ids.map((id) => ({ id, at, uses: 2 })))
    expect(server.cli('INFO', 'commandstats')).toMatch(/cmdstat_eval(sha)?:calls=6,/)

    const marksOf = async (id: string) =>
      (({ lastUsedAt, uses } = {} as StoredKey) => [lastUsedAt, uses])(await store.find(id))
    expect(await Promise.all(['marked-0', 'marked-1', 'marked-249'].map(marksOf))).toEqual(Array(3).fill([1_000, 4]))
    expect(await store.find('marked-3')).toBeUndefined()
    expect(server.cli('EXISTS', 'marks:key:{marked-3}').trim()).toBe('0')
    expect(await store.revokeWhere?.({ prefixes: ['agk_'] }, 2_000)).toBe(248)
    expect(await marksOf('marked-0')).toEqual([1_000, 4])
  })

  it('lets counters end by themselves, and records not', async () => {
    const store = storeOver(undefined, { namespace: 'ends' })
    const key = storedKey()
    await store.insert(key)
    await store.take(key.id, key.version, spend(5), 0)
    const ttl = (kind: string) => Number(server.cli('pttl', `ends:${kind}:{${key.id}}`))
    expect(ttl('windows')).toBeGreaterThan(60_000)
    expect(ttl('windows')).toBeLessThanOrEqual(121_000)
    expect(ttl('key')).toBe(-1)
  })

  it('keeps a full window in less than 1 KiB, and nothing of what it denies', async () => {
    const store = storeOver(undefined, { namespace: 'small' })
    const key = storedKey()
    await store.insert(key)
    const size = () => Number(server.cli('strlen', `small:windows:{${key.id}}`))
    for (let at = 0; at < 100; at++) await store.take(key.id, key.version, spend(100), 0)
    const full = size()
    expect(full).toBeLessThan(1_024)
    const dump = server.cli('get', `small:windows:{${key.id}}`)
    for (let at = 0; at < 20; at++) {
      expect(await store.take(key.id, key.version, spend(100), 0)).toMatchObject({ ok: false })
    }
    expect(server.cli('get', `small:windows:{${key.id}}`)).toBe(dump)
  })

  it('D-26 goes by the clock of the server, whatever the caller says', async () => {
    const store = storeOver()
    const key = storedKey()
    await store.insert(key)
    for (const now of [0, 9e12]) {
      const { ok, at } = (await store.take(key.id, key.version, spend(2), now)) as { ok: boolean; at: number }
      expect(ok).toBe(true)
      expect(Math.abs(at - Date.now())).toBeLessThan(5_000)
    }
    expect(await store.take(key.id, key.version, spend(2), 0)).toMatchObject({ ok: false })
  })

  it.each([0.5, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'L-08 refuses a cost of %d with INPUT, and counts nothing',
    async (cost) => {
      const store = storeOver()
      const key = storedKey({ id: `cost${cost}` })
      await store.insert(key)
      await expect(store.take(key.id, key.version, spend(5, cost), 0)).rejects.toMatchObject({ code: 'INPUT' })
      expect(await store.take(key.id, key.version, spend(5), 0)).toMatchObject({ readings: [{ remaining: 4 }] })
      await store.remove(key.id)
    },
  )

  it('refuses a key that is too large with INPUT, and claims no name for it', async () => {
    const store = storeOver()
    const large = storedKey({ uniqueName: 'large', metadata: { text: 'x'.repeat(140_000) } })
    await expect(store.insert(large)).rejects.toMatchObject({
      code: 'INPUT',
      message: expect.not.stringMatching(/xxx/),
    })
    await store.insert(storedKey({ uniqueName: 'large' }))
  })

  it.each(NONSENSE)('refuses the cursor %j with INPUT', async (cursor) => {
    const refused = { code: 'INPUT', issues: [{ path: 'cursor' }] }
    await expect(storeOver().list({ prefixes: ['agk_'], limit: 9, cursor })).rejects.toMatchObject(refused)
  })

  it('lists a key under the owner, the prefix and the age that a replacement gives it', async () => {
    const store = storeOver(undefined, { namespace: 'moved' })
    const key = storedKey()
    await store.insert(key)
    await store.replace({ ...key, version: 8, owner: 'acct_2', prefix: 'new_', createdAt: 9_999_999 }, 7)
    const ids = async (prefixes: string[], owner?: string) =>
      (await store.list({ prefixes, limit: 9, ...(owner !== undefined && { owner }) })).items.map(({ id }) => id)
    expect(await ids(['agk_', 'new_'], 'acct_1')).toEqual([])
    expect(await ids(['agk_'])).toEqual([])
    expect(await ids(['agk_', 'new_'])).toEqual([key.id])
    expect(await ids(['new_'], 'acct_2')).toEqual([key.id])
    expect(Number(server.cli('zcard', 'moved:owner:{acct_1}'))).toBe(0)
  })

  it('answers STORE after close, which may be called twice', async () => {
    const store = storeOver()
    await store.find('x')
    store.close()
    store.close()
    const closed = { code: 'STORE', message: expect.stringMatching(/closed/) }
    await expect(store.find('x')).rejects.toMatchObject(closed)
    await expect((async () => store.watch?.(() => {}))()).rejects.toMatchObject(closed)
  })

  it('lets go of its connection when the client is closed, and of a Cluster', async () => {
    const client = new Redis(server.url)
    const store = storeOver(client)
    await store.find('x')
    const before = Number(/connected_clients:(\d+)/.exec(server.cli('info', 'clients'))?.[1])
    await client.quit()
    await until(() => Number(/connected_clients:(\d+)/.exec(server.cli('info', 'clients'))?.[1]) === before - 2)
    const cluster = new Cluster([{ host: '127.0.0.1', port: server.port }], { lazyConnect: true })
    expect(() => storeOver(cluster)).not.toThrow()
  })

  it('removes a record whatever is damaged in it', async () => {
    const store = storeOver(undefined, { namespace: 'worse' })
    for (const damage of [
      ['set', 'text'],
      ['rpush', 'no text'],
    ] as const) {
      await store.insert(storedKey({ id: 'damaged' }))
      server.cli('del', 'worse:key:{damaged}')
      server.cli(damage[0], 'worse:key:{damaged}', damage[1])
      expect(await store.remove('damaged'), damage[0]).toBe(true)
      expect(await store.find('damaged'), damage[0]).toBeUndefined()
    }
    expect(await store.remove('damaged')).toBe(false)
  })

  it('D-15 answers STORE for a record or counters that are damaged, and shows nothing of them', async () => {
    const store = storeOver(undefined, { namespace: 'bad' })
    const key = storedKey({ id: 'damaged', hash: 'secret-hash' })
    const refused = { code: 'STORE', message: expect.not.stringMatching(/secret-hash/) }
    await store.insert(key)
    const lines = server.cli('get', 'bad:key:{damaged}').split('\n')
    const withLine = (at: number, line: string) => ['set', 'bad:key:{damaged}', lines.with(at, line).join('\n')]
    const damages: readonly (readonly string[])[] = [
      withLine(3, '{"hash":"secret-hash"'),
      withLine(3, '[]'),
      withLine(2, '["active"]'),
      withLine(0, 'x'),
      ['set', 'bad:key:{damaged}', lines.slice(0, 3).join('\n')],
      ['append', 'bad:key:{damaged}', '\n'],
      ['hset', 'bad:key:{damaged}', 'v', '1'],
      ['set', 'bad:key:{damaged}', 'text'],
    ]
    for (const damage of damages) {
      server.cli('del', 'bad:key:{damaged}')
      await store.insert(key)
      if (damage[0] === 'hset') server.cli('del', 'bad:key:{damaged}')
      server.cli(...damage)
      await expect(store.find(key.id), damage.join(' ')).rejects.toMatchObject(refused)
    }
    // What is none at all is no record that a list would have to look for again: its place stays.
    const listed = await store.list({ prefixes: ['agk_'], limit: 9 })
    expect(listed).toEqual({ items: [], damaged: ['damaged'] })
    expect(server.cli('hlen', 'bad:prefix-suspects:{agk_}')).toBe('0')
    expect(await store.revokeWhere?.({ prefixes: ['agk_'] }, 1)).toBe(0)
    server.cli('del', 'bad:key:{damaged}')
    await store.insert(key)
    for (const nonsense of ['nonsense', '', '\u0005', '{}']) {
      server.cli('set', 'bad:windows:{damaged}', nonsense)
      await expect(store.take(key.id, key.version, spend(5), 0)).rejects.toMatchObject({ code: 'STORE' })
    }
    expect(await store.remove(key.id)).toBe(true)
  })
})
