import { Redis } from 'ioredis'
import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { auditLog, management } from 'keyward/management'
import { redisStore } from 'keyward/redis'
import { migrate, sqlStore } from 'keyward/sql'
import { sqliteStore } from 'keyward/sqlite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connect, type ENGINES, prepare } from '../../storage/sql/databases.ts'
import { startRedis } from '../../support/redis.ts'
import { clientAt } from '../openapi/client.ts'
import { MOUNTS } from './mounts.ts'

/** A store, and another over a connection of its own, as another process has it. */
interface Opened {
  readonly stores: readonly [KeyStore, KeyStore]
  close(): Promise<void>
}

const STORES: readonly (readonly [string, () => Promise<Opened>])[] = [
  ['memory', openMemory],
  ['SQLite file', openSqlite],
  ['Redis', openRedis],
  ['PostgreSQL', () => openSql('PostgreSQL')],
  ['MariaDB', () => openSql('MariaDB')],
  ['SQLite through Kysely', () => openSql('SQLite')],
]

async function openMemory(): Promise<Opened> {
  const store = memoryStore()
  return { stores: [store, store], close: async () => {} }
}

async function openSqlite(): Promise<Opened> {
  const { target, end } = await prepare('SQLite')
  const file = 'file' in target ? target.file : ''
  const stores = [sqliteStore(file), sqliteStore(file)] as const
  return {
    stores,
    async close() {
      for (const store of stores) await store.close?.()
      await end()
    },
  }
}

async function openRedis(): Promise<Opened> {
  const server = await startRedis()
  const clients = [new Redis(server.url), new Redis(server.url)] as const
  const stores = [redisStore(clients[0]), redisStore(clients[1])] as const
  return {
    stores,
    async close() {
      for (const store of stores) await store.close?.()
      for (const client of clients) client.disconnect()
      await server.stop()
    },
  }
}

async function openSql(engine: (typeof ENGINES)[number]): Promise<Opened> {
  const { target, end } = await prepare(engine)
  const first = connect(target)
  await migrate(first)
  // One file is opened by one Kysely of a process, as the README says.
  const all = engine === 'SQLite' ? [first] : [first, connect(target)]
  const [one, two = one] = all.map((kysely) => sqlStore(kysely)) as [KeyStore, KeyStore?]
  return {
    stores: [one, two],
    async close() {
      for (const kysely of all) await kysely.destroy()
      await end()
    },
  }
}

describe.each(STORES)('the life of a key over HTTP, kept in %s,', (_, open) => {
  let opened: Opened
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened?.close())

  /** Two processes of one service, each with its own routes and its own connection. */
  function start(owner: string) {
    return opened.stores.map((store) => {
      const audit = auditLog(store)
      onTestFinished(audit.close)
      const options = { prefix: 'ml_', store, onEvent: audit.onEvent, trustedProxies: [], storeTimeout: '5s' } as const
      const keys = createApiKeys({ ...options, limits: { default: { minute: 5 } }, names: 'unique' })
      onTestFinished(keys.close)
      const authorize = ({ headers }: Request) => (headers.has('x-user') ? { owner, actor: 'user_7' } : undefined)
      return { keys, handler: management(keys, { authorize, audit, path: '/keys' }) }
    }) as [Side, Side]
  }

  it.each(MOUNTS)('on $name', async ({ name, open: mount }) => {
    const [{ keys, handler }, other] = start(`life-${name}`)
    const url = await mount(handler)
    const call = clientAt(url, { 'x-user': '1' })
    const elsewhere = clientAt(await mount(other.handler), { 'x-user': '1' })

    const body = { name: 'Sync', scopes: ['a:read'], credits: { remaining: 9 }, metadata: { ü: '🔑' } }
    const header = { 'Idempotency-Key': 'once' }
    const sent = [call, elsewhere].map((each) => each('post', '/', { header, body }))
    const made = await Promise.all(sent)
    expect(made.map(({ status }) => status).sort()).toEqual([200, 201])
    const first = made.find(({ status }) => status === 201)?.body
    if (first === undefined || !('key' in first)) throw new Error('nobody was told the key')
    const path = { id: first.record.id }
    expect(new Set(made.map((each) => each.body.record.id))).toEqual(new Set([path.id]))

    expect(await keys.verify(first.key, { scopes: ['a:read'] })).toMatchObject({ ok: true })
    const { usage } = (await elsewhere('get', '/{id}/usage', { path })).body
    expect([usage.readings.map(({ remaining }) => remaining), usage.balance]).toEqual([[4], 8])

    const etag = (await call('get', '/{id}', { path })).etag ?? ''
    const match = { 'If-Match': etag }
    const renames = [call, elsewhere].map((each, i) =>
      each('patch', '/{id}', { path, header: match, body: { name: `n${i}` } }).then(() => 200, statusIn),
    )
    expect((await Promise.all(renames)).sort()).toEqual([200, 412])
    const rotated = (await elsewhere('post', '/{id}/rotate', { path, body: { overlap: 0 } })).body
    const own = clientAt(url, { authorization: `Bearer ${rotated.key}` })
    expect((await own('get', '/self', {})).body.record.id).toBe(path.id)
    await expect(clientAt(url, { 'x-api-key': first.key })('get', '/self', {})).rejects.toThrow('401')
    expect((await call('post', '/{id}/disable', { path })).body.record.status).toBe('disabled')
    await expect(own('delete', '/self', {})).rejects.toThrow('401')
    expect((await elsewhere('post', '/{id}/enable', { path })).body.record.status).toBe('active')
    expect((await own('delete', '/self', {})).status).toBe(204)
    const revoked = (await elsewhere('get', '/', { query: { status: 'revoked', limit: 1 } })).body.items
    expect(revoked).toMatchObject([{ id: path.id, metadata: { ü: '🔑' } }])
    expect((await call('delete', '/{id}', { path, header: { 'If-Match': '*' } })).status).toBe(204)
    await expect(call('get', '/{id}', { path })).rejects.toThrow('404')

    const told = async () => {
      const { items } = (await call('get', '/audit', { query: { key: path.id } })).body
      return items.map(({ type, actor, address }) => `${type} by ${actor} from ${address}`).sort()
    }
    // What the other process did, it writes a moment later.
    await expect
      .poll(told, { timeout: 5_000 })
      .toEqual(
        [
          'created by user_7 from 127.0.0.1',
          'updated by user_7 from 127.0.0.1',
          'rotated by user_7 from 127.0.0.1',
          'disabled by user_7 from 127.0.0.1',
          'enabled by user_7 from 127.0.0.1',
          `revoked by key:${path.id} from 127.0.0.1`,
          'removed by user_7 from 127.0.0.1',
        ].sort(),
      )
    await expect(clientAt(url)('get', '/', {})).rejects.toThrow('401')
  })

  it('X-09: an Idempotency-Key makes one key of forty requests to two processes, and is kept nowhere', async () => {
    const [one, two] = start('many')
    const asks = [
      clientAt(await first(one.handler), { 'x-user': '1' }),
      clientAt(await first(two.handler), { 'x-user': '1' }),
    ]
    const header = { 'Idempotency-Key': 'order-66-6d9a' }
    const body = { name: 'once' }
    const told = await Promise.all(Array.from({ length: 40 }, (_, i) => asks[i % 2]?.('post', '/', { header, body })))
    expect(told.map((each) => each?.status).sort()).toEqual([...Array(39).fill(200), 201])
    expect((await one.keys.list({ owner: 'many' })).items).toHaveLength(1)
    const stored = await opened.stores[0].find(told[0]?.body.record.id ?? '')
    expect(JSON.stringify(stored)).not.toContain('order-66')
  })
})

interface Side {
  readonly keys: ReturnType<typeof createApiKeys>
  readonly handler: ReturnType<typeof management>
}

const first = (handler: Side['handler']) => (MOUNTS[0] as (typeof MOUNTS)[number]).open(handler)

/** The status of a refusal, as the client tells it. */
function statusIn(error: Error): number {
  return Number(/: (\d{3}) /.exec(error.message)?.[1])
}
