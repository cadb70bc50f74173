import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import { storeChecks } from 'keyward/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type * as sources from '../../src/storage/redis.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

/** The build takes from the scripts what no server need read; what is left must be the same programs. */
const { redisStore }: typeof sources = await import(pathToFileURL(resolve('dist/redis.js')).href)

let server: RedisServer
let client: Redis

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.url)
})

afterAll(async () => {
  client.disconnect()
  await server.stop()
})

for (const check of storeChecks(() => redisStore(client))) {
  it.concurrent(check.name, async () => {
    expect(await check.run()).toBeUndefined()
  })
}
