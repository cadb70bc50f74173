import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis, until } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'

const TIMEOUT = 200

/** A way to a server on which what stands can fall silent: nothing is refused, and nobody hears of it. */
async function silentWay() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const ways: { isSilent: boolean }[] = []
  const proxy = createServer((near) => {
    const way = { isSilent: false }
    ways.push(way)
    const far = connect(server.port, '127.0.0.1')
    near.on('data', (data) => way.isSilent || far.write(data)).on('error', () => {})
    far.on('data', (data) => way.isSilent || near.write(data)).on('error', () => {})
    near.on('close', () => far.destroy())
    onTestFinished(() => void near.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => void proxy.close())
  const silence = () => {
    for (const way of ways) way.isSilent = true
  }
  return { url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`, silence, server }
}

describe.each([
  { name: 'ioredis 6', open: (url: string) => new Redis(url, { lazyConnect: true }) },
  { name: 'ioredis 5', open: (url: string) => new Redis5(url, { lazyConnect: true }) },
])('redisStore whose connection falls silent, over $name', ({ open }) => {
  async function storeThere() {
    const way = await silentWay()
    const store = redisStore(open(way.url), { timeout: TIMEOUT }) as Required<KeyStore>
    onTestFinished(() => void store.close())
    return { ...way, store }
  }

  it('serves over another, as soon as nobody waits for an answer on the first', async () => {
    const { store, silence } = await storeThere()
    const key = storedKey()
    await store.insert(key)
    silence()
    await expect(store.find(key.id)).rejects.toMatchObject({ code: 'STORE' })
    await until(() => Promise.resolve(store.find(key.id)).then(Boolean, () => false))
    expect(await store.find(key.id)).toEqual(key)
  })

  it('hears of changes again, though nobody asks anything', async () => {
    const { store, silence, server } = await storeThere()
    const heard: string[] = []
    await store.watch((id) => void heard.push(id))
    await until(() => heard.includes('*'))
    heard.length = 0
    silence()
    await until(() => heard.includes('*'))
    server.cli('publish', 'keyward:changes', 'k1')
    await until(() => heard.includes('k1'))
  })
})
