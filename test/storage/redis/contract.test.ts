import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { storeChecks } from 'keyward/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisClient, redisStore } from '../../../src/storage/redis.ts'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'

let server: RedisServer
let cluster: RedisCluster
const clients: { disconnect(): void }[] = []

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})

afterAll(async () => {
  for (const client of clients) client.disconnect()
  await Promise.all([server.stop(), cluster.stop()])
})

function opened<Client extends RedisClient & { disconnect(): void }>(client: Client): Client {
  clients.push(client)
  return client
}

const startupNodes = () => cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))

const WAYS: readonly (readonly [string, () => RedisClient])[] = [
  ['ioredis 6', () => opened(new Redis(server.url))],
  ['ioredis 5', () => opened(new Redis5(server.url))],
  ['a Cluster with ioredis 6', () => opened(new Cluster(startupNodes()))],
  ['a Cluster with ioredis 5', () => opened(new Cluster5(startupNodes()))],
]

describe.each(WAYS)('redisStore keeps the storage contract over %s', (way, connect) => {
  // Each has names of its own: none sees what another left.
  const namespace = way.replaceAll(' ', '-')
  for (const check of storeChecks(() => redisStore(connect(), { namespace }))) {
    it.concurrent(check.name, async () => {
      expect(await check.run()).toBeUndefined()
    })
  }
})
