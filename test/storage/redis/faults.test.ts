import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { createApiKeys, type KeyStore, memoryStore, type StoredKey } from 'keyward'
import { redisStore } from 'keyward/redis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { judged, listener } from '../../support/outcome.ts'
import { type RedisServer, startRedis, startRedisCluster, until } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'

const TIMEOUT = 300
const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']

async function serverHere(...settings: readonly string[]): Promise<RedisServer> {
  const server = await startRedis(...settings)
  onTestFinished(() => server.stop())
  return server
}

async function passwordServer(): Promise<string> {
  const server = await serverHere()
  server.cli('config', 'set', 'requirepass', 'hidden-password')
  return server.url
}

function storeAt(url: string): Required<KeyStore> {
  const client = new Redis(url, { lazyConnect: true })
  const store = redisStore(client, { timeout: TIMEOUT }) as Required<KeyStore>
  onTestFinished(() => {
    store.close()
    client.disconnect()
  })
  return store
}

const windows = (limit: number) => ({ windows: [{ name: 'hour', limit, ms: 3_600_000 }], cost: 1 })

async function added(store: KeyStore, changes: Partial<StoredKey> = {}): Promise<StoredKey> {
  const key = storedKey(changes)
  await store.insert(key)
  return key
}

/** How each ended: what it answered, or the code of its error. */
async function ended(calls: readonly unknown[]): Promise<readonly unknown[]> {
  const all = await Promise.allSettled(calls)
  return all.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as { code?: string }).code))
}

const found = (store: KeyStore, id: string) => async () => {
  const answer = await Promise.resolve(store.find(id)).catch(() => undefined)
  return answer !== undefined
}

describe('redisStore when the server fails', () => {
  it.each([
    ['is not there', () => 'redis://127.0.0.1:1', /ECONNREFUSED/],
    ['wants a password', () => passwordServer(), /NOAUTH/],
  ])('and %s tells why, also where nobody waits as long as it does, as with the defaults', async (_, at, why) => {
    const client = new Redis(await at(), { lazyConnect: true })
    const heard = listener()
    const keys = createApiKeys({ prefix: 'a_', store: redisStore(client), onEvent: heard.onEvent })
    onTestFinished(async () => {
      await keys.close()
      client.disconnect()
    })
    const { key } = await createApiKeys({ prefix: 'a_', store: memoryStore() }).create({ owner: 'acct_1' })
    const told = async () => {
      expect(await judged(keys, key)).toBe('unavailable')
      return heard.of('fault').at(-1)?.message
    }
    await expect.poll(told, { interval: 100, timeout: 5_000 }).toMatch(why)
  })

  it('D-01 answers STORE while there is no server, and serves as soon as there is one', async () => {
    const server = await serverHere()
    await server.kill()
    const store = storeAt(server.url)
    const calls = [
      store.find('x'),
      store.insert(storedKey()),
      store.take('x', 1, windows(1), 0),
      store.list({ prefixes: ['a_'], limit: 1 }),
    ]
    expect(await ended(calls)).toEqual(['STORE', 'STORE', 'STORE', 'STORE'])
    await server.start()
    const key = storedKey()
    await until(async () => (await ended([store.insert(key)]))[0] === undefined)
    expect(await store.find(key.id)).toEqual(key)
  })

  it.each([
    [5, Redis5 as unknown as typeof Redis],
    [6, Redis],
  ])('serves again where the client of the host gave up in between (ioredis %i)', async (_, Client) => {
    const server = await serverHere(...AOF)
    const client = new Client(server.url, { lazyConnect: true })
    const store = redisStore(client, { timeout: TIMEOUT })
    onTestFinished(() => {
      store.close?.()
      client.disconnect()
    })
    const { id } = await added(store)
    await server.kill()
    // Some of these fall between two attempts of the store.
    for (let times = 0; times < 20; times++) {
      await ended([Promise.race([store.find(id), new Promise((resolve) => setTimeout(resolve, 20))])])
      client.emit('end')
    }
    await server.start()
    await until(found(store, id))
  })

  it('D-11 loses nothing that it acknowledged to a durable server that is killed under load, and heals', async () => {
    const server = await serverHere(...AOF)
    const store = storeAt(server.url)
    const keys = await Promise.all(Array.from({ length: 50 }, () => added(store)))
    const revoked = { ...(keys[0] as StoredKey), version: 8, status: 'revoked', revokedAt: 1 } as const
    expect(await store.replace(revoked, 7)).toBe(true)
    const calls = keys.map(({ id, version }) => store.take(id, version, windows(5), 0))
    const more = keys.map(({ id }) => store.find(id))
    const answers = ended([...calls, ...more])
    await server.kill()
    for (const answer of await answers) {
      expect(answer === 'STORE' || typeof answer === 'object').toBe(true)
    }
    expect(await ended(keys.map(({ id }) => store.find(id)))).toEqual(keys.map(() => 'STORE'))
    await server.start()
    await until(found(store, keys[1]?.id ?? ''))
    expect(await Promise.all(keys.map(({ id }) => store.find(id)))).toEqual([revoked, ...keys.slice(1)])
  })

  it('D-05 answers STORE while the server stands still, and serves again when it goes on', async () => {
    const server = await serverHere()
    const store = storeAt(server.url)
    const key = await added(store)
    process.kill(server.pid(), 'SIGSTOP')
    expect(await ended([store.find(key.id), store.take(key.id, 7, windows(5), 0)])).toEqual(['STORE', 'STORE'])
    process.kill(server.pid(), 'SIGCONT')
    await until(found(store, key.id))
  })

  it('D-07 loses no script and charges nothing twice when scripts are flushed under load', async () => {
    const server = await serverHere()
    const store = storeAt(server.url)
    const key = await added(store)
    const won: unknown[] = []
    for (let round = 0; round < 10; round++) {
      const calls = Array.from({ length: 40 }, () => store.take(key.id, key.version, windows(150), 0))
      server.cli('script', 'flush')
      won.push(...(await Promise.all(calls)).filter(({ ok }) => ok))
    }
    expect(won).toHaveLength(150)
  })

  it('D-06, L-11 never sends again what may have been done: a lost answer is charged once', async () => {
    const server = await serverHere()
    const key = await added(storeAt(server.url))
    const cut = await proxyTo(server.port)
    const store = storeAt(`redis://127.0.0.1:${cut.port}`)
    await store.take(key.id, key.version, windows(100), 0)
    cut.loseNextAnswer()
    const takes = [store.take(key.id, key.version, windows(100), 0)]
    expect(await ended(takes)).toEqual(['STORE'])
    await until(found(store, key.id))
    expect(await store.take(key.id, key.version, windows(100), 0)).toMatchObject({ readings: [{ remaining: 97 }] })
  })

  it('D-08 answers STORE, not nonsense, when the server is out of memory or asks for a password', async () => {
    const server = await serverHere()
    const store = storeAt(server.url)
    const key = await added(store)
    server.cli('config', 'set', 'maxmemory', '1')
    expect(await ended([store.insert(storedKey()), store.take(key.id, 7, windows(5), 0)])).toEqual(['STORE', 'STORE'])
    server.cli('config', 'set', 'maxmemory', '0')
    server.cli('config', 'set', 'requirepass', 'hidden-password')
    await expect(storeAt(server.url).find(key.id)).rejects.toMatchObject({
      code: 'STORE',
      message: expect.not.stringMatching(/hidden-password/),
    })
  })

  it('D-13 warns of a server that throws away what it has no room for', async () => {
    const server = await serverHere('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
    const warned = once(process, 'warning')
    await storeAt(server.url).find('x')
    const [warning] = await warned
    expect(warning).toMatchObject({
      code: 'KEYWARD_REDIS_EVICTION',
      message: expect.stringMatching(/allkeys-lru.*noeviction/),
    })
  })

  it('D-11 warns of a server that forgets in a crash what it acknowledged, and not of one that writes it down', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockReturnValue()
    onTestFinished(() => emit.mockRestore())
    for (const [appendonly, count] of [
      ['yes', 0],
      ['no', 1],
    ] as const) {
      const { url } = await serverHere('--appendonly', appendonly)
      // A program of its own: each warns once.
      vi.resetModules()
      const fresh = await import('keyward/redis')
      const client = new Redis(url, { lazyConnect: true })
      const store = fresh.redisStore(client)
      onTestFinished(() => void store.close?.())
      await store.find('x')
      await store.find('y')
      expect(emit).toHaveBeenCalledTimes(count)
    }
    const warning = expect.stringMatching(/revocations.*appendonly yes.*appendfsync always/)
    expect(emit).toHaveBeenCalledWith(warning, expect.objectContaining({ code: 'KEYWARD_REDIS_PERSISTENCE' }))
  })

  it('D-27 serves what lies on the other nodes when one of a Cluster is down, and all of it afterwards', async () => {
    const cluster = await startRedisCluster()
    const [node] = cluster.nodes as [RedisServer]
    const startupNodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    const client = new Cluster(startupNodes, { lazyConnect: true })
    const store = redisStore(client, { timeout: TIMEOUT })
    onTestFinished(async () => {
      store.close?.()
      client.disconnect()
      await cluster.stop()
    })
    const keys = await Promise.all(Array.from({ length: 30 }, () => added(store)))
    await node.kill()
    const answers = await ended(keys.map(({ id }) => store.find(id)))
    expect(new Set(answers.map((answer) => (answer === 'STORE' ? answer : typeof answer)))).toEqual(
      new Set(['STORE', 'object']),
    )
    await node.start()
    const lost = keys.filter((_, at) => answers[at] === 'STORE')
    const again = storedKey({ id: lost[0]?.id ?? '' })
    // It kept nothing, so that what was there is gone; but it serves.
    await until(async () => (await ended([store.insert(again)]))[0] === undefined)
    expect(await store.find(again.id)).toEqual(again)
  })
})

/** A way to a server that can let a command through and break before its answer. */
async function proxyTo(port: number) {
  let isCutting = false
  const sockets = new Set<Socket>()
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    near.on('close', () => far.destroy())
    near.on('data', (data) => far.write(data))
    far.on('data', (data) => {
      if (!isCutting) return near.write(data)
      isCutting = false
      return near.destroy()
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return {
    port: (proxy.address() as AddressInfo).port,
    loseNextAnswer: () => {
      isCutting = true
    },
  }
}
