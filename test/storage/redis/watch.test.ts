import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { KeyStore } from 'keyward'
import { type RedisClient, redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster, until } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})

afterAll(() => Promise.all([server.stop(), cluster.stop()]))

const lazyConnect = true

interface Way {
  readonly name: string
  readonly connect: () => RedisClient
  readonly serverOf: () => RedisServer
  /** The nodes of a Cluster pass messages on as well as they can: one may be lost on a busy machine. */
  readonly retry: number
}

const ways: readonly Way[] = [
  {
    name: 'ioredis 6',
    connect: () => new Redis(server.url, { lazyConnect, keyPrefix: 'app:' }),
    serverOf: () => server,
    retry: 0,
  },
  { name: 'ioredis 5', connect: () => new Redis5(server.url, { lazyConnect }), serverOf: () => server, retry: 0 },
  {
    name: 'a Cluster',
    connect: () => {
      const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
      return new Cluster(nodes, { lazyConnect, scaleReads: 'slave' })
    },
    serverOf: () => cluster.nodes[0] as RedisServer,
    retry: 2,
  },
]

function storeOver(client: RedisClient): Required<KeyStore> {
  const store = redisStore(client) as Required<KeyStore>
  onTestFinished(() => void store.close())
  return store
}

/** A watch that stands; what it heard since. */
async function watching(store: Required<KeyStore>) {
  const heard: string[] = []
  const stop = await store.watch((id) => void heard.push(id))
  await until(() => heard.includes('*'))
  heard.length = 0
  return { heard, stop }
}

for (const { name, connect, serverOf, retry } of ways) {
  describe(`watch over ${name}`, { retry }, () => {
    it('C-01 tells of every change by another process, and once of a bulk change', async () => {
      const [store, other] = [storeOver(connect()), storeOver(connect())]
      const { heard } = await watching(store)
      const owner = `owner ${Math.random()}`
      const keys = [storedKey({ owner }), storedKey({ owner, id: 'a\0{odd}\ud83d' })] as const
      for (const key of keys) await other.insert(key)
      await other.replace({ ...keys[0], version: 8 }, 7)
      await other.remove(keys[1].id)
      await until(() => heard.length === 4)
      // In whichever order: the nodes of a Cluster pass on what others were told.
      expect(heard.toSorted()).toEqual([keys[0].id, keys[1].id, keys[0].id, keys[1].id].toSorted())
      heard.length = 0
      await other.touch([{ id: keys[0].id, at: 5, uses: 1 }])
      await other.take(keys[0].id, 8, { windows: [{ name: 'a', limit: 5, ms: 60_000 }], cost: 1 }, 0)
      await other.revokeWhere({ prefixes: ['agk_'], owner }, 1)
      await until(() => heard.length > 0)
      expect(heard).toEqual(['*'])
    })

    it('C-05 says * when it listens again after its connection was cut', async () => {
      const store = storeOver(connect())
      const { heard } = await watching(store)
      for (const { cli } of [serverOf(), ...cluster.nodes]) cli('client', 'kill', 'type', 'pubsub')
      await until(() => heard.includes('*'))
      heard.length = 0
      await until(async () => {
        await store.insert(storedKey({ id: `again-${Math.random()}` }))
        return heard.some((id) => id.startsWith('again-'))
      })
    })

    it('C-07 takes forged, malformed and huge messages for hints, and lives', async () => {
      const store = storeOver(connect())
      const { heard } = await watching(store)
      const { cli } = serverOf()
      const publish = (message: string) => {
        for (const channel of ['keyward:changes', 'app:keyward:changes']) cli('publish', channel, message)
      }
      const hints = ['', 'no-such-id', '\u0001zzzz']
      await until(() => {
        for (const hint of hints) publish(hint)
        return hints.every((hint) => heard.includes(hint))
      })
      await until(() => {
        publish('x'.repeat(100_000))
        return heard.includes('*')
      })
      expect(new Set(heard)).toEqual(new Set([...hints, '*']))
    })

    it('tells nothing more after it was stopped, or the store closed', async () => {
      const [store, other] = [storeOver(connect()), storeOver(connect())]
      const [one, two] = [await watching(store), await watching(store)]
      await one.stop()
      await one.stop()
      const key = storedKey({ id: `stopped-${Math.random()}` })
      await other.insert(key)
      await until(() => two.heard.length === 1)
      store.close()
      const third = await watching(other)
      await other.remove(key.id)
      await until(() => third.heard.length === 1)
      expect([one.heard, two.heard]).toEqual([[], [key.id]])
    })
  })
}

it('watch begins as soon as there is a server, and again after each of its ends', async () => {
  const late = await startRedis()
  onTestFinished(() => late.stop())
  await late.kill()
  const store = storeOver(new Redis(late.url, { lazyConnect }))
  const heard: string[] = []
  await store.watch((id) => void heard.push(id))
  for (let round = 1; round <= 2; round++) {
    await late.start()
    await until(() => heard.length === round)
    await late.kill()
  }
  expect(heard).toEqual(['*', '*'])
})
