import { Redis } from 'ioredis'
import type { KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { INSERT, REVOKE } from '../../../src/storage/redis/scripts.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'

let server: RedisServer
const cli = (...command: readonly string[]) => server.cli(...command)

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

function storeIn(namespace: string, client = new Redis(server.url, { lazyConnect: true })): Required<KeyStore> {
  const store = redisStore(client, { namespace }) as Required<KeyStore>
  onTestFinished(() => void store.close())
  return store
}

/** A client whose store loses its connection for good at a command: as a process that dies there. */
function dyingAt(isLast: (sha: string, keys: readonly unknown[]) => boolean): Redis {
  const client = new Redis(server.url, { lazyConnect: true })
  const duplicate = client.duplicate.bind(client)
  let isDead = false
  client.duplicate = (...overrides) => {
    const copy = duplicate(...overrides)
    const { evalshaBuffer } = copy as unknown as Record<'evalshaBuffer', (...args: unknown[]) => Promise<unknown>>
    const asked = (sha: string, ...rest: unknown[]) => {
      isDead ||= isLast(sha, rest)
      return isDead ? Promise.reject(new Error('Connection is closed.')) : evalshaBuffer.call(copy, sha, ...rest)
    }
    return Object.assign(copy, { evalshaBuffer: asked }) as Redis
  }
  return client
}

const page = { prefixes: ['agk_'], limit: 9 }
const place = (createdAt: number, id: string) => String(createdAt).padStart(16, '0') + id

describe('what a process leaves behind that ends half-way', () => {
  it('X-07 is no key, where the record is missing: lists leave its places out, and take them away in time', async () => {
    const store = storeIn('half')
    const [key, gone] = [storedKey(), storedKey()]
    await store.insert(key)
    const dying = storeIn(
      'half',
      dyingAt((sha) => sha === INSERT.sha),
    )
    await expect(dying.insert(gone)).rejects.toMatchObject({ code: 'STORE' })
    const entry = place(gone.createdAt, gone.id)
    const indexes = ['half:owner:{acct_1}', 'half:prefix:{agk_}']
    for (const index of indexes) expect(cli('zscore', index, entry)).toBe('0')
    for (const query of [page, { ...page, owner: 'acct_1' }]) expect(await store.list(query)).toEqual({ items: [key] })
    // Its record may be on its way still.
    for (const index of indexes) expect(cli('zscore', index, entry)).toBe('0')
    for (const kind of ['owner-suspects:{acct_1}', 'prefix-suspects:{agk_}']) cli('hset', `half:${kind}`, entry, '5')
    for (const query of [page, { ...page, owner: 'acct_1' }]) expect(await store.list(query)).toEqual({ items: [key] })
    for (const index of indexes) expect(cli('zscore', index, entry)).toBe('')
    await store.insert(gone)
    expect((await store.list(page)).items).toHaveLength(2)
  })

  it('X-07 does not hold a name for ever: a claim without a record is void after a while', async () => {
    const store = storeIn('names')
    const dying = storeIn(
      'names',
      dyingAt((sha) => sha === INSERT.sha),
    )
    await expect(dying.insert(storedKey({ uniqueName: 'n' }))).rejects.toMatchObject({ code: 'STORE' })
    const key = storedKey({ uniqueName: 'n' })
    await expect(store.insert(key)).rejects.toMatchObject({ code: 'CONFLICT' })
    const [, token, id] = cli('get', 'names:name:{n}').split('|')
    cli('set', 'names:name:{n}', `${Date.now() - 31_000}|${token}|${id}`)
    await store.insert(key)
    await expect(store.insert(storedKey({ uniqueName: 'n' }))).rejects.toMatchObject({ code: 'CONFLICT' })
    // However old the claim is: there is a record to it.
    const [, own] = cli('get', 'names:name:{n}').split('|')
    cli('set', 'names:name:{n}', `5|${own}|${key.id}`)
    await expect(store.insert(storedKey({ uniqueName: 'n' }))).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('D-05 writes no record that comes too late for its name', () => {
    const script = (key: string, until: number) =>
      cli('eval', INSERT.text, '1', key, 'id', '1', 'm', 'd', String(until), 'channel')
    expect([script('late', Date.now() - 1), script('early', Date.now() + 60_000)]).toEqual(['2', '1'])
    expect([cli('exists', 'late'), cli('exists', 'early')]).toEqual(['0', '1'])
  })

  it('a key that was removed only half is gone, with its name and its place', async () => {
    const store = storeIn('removed')
    const key = storedKey({ uniqueName: 'n' })
    await store.insert(key)
    cli('del', `removed:key:{${key.id}}`)
    expect(await store.list(page)).toEqual({ items: [] })
    expect(await store.remove(key.id)).toBe(false)
    const [, token] = cli('get', 'removed:name:{n}').split('|')
    cli('set', 'removed:name:{n}', `5|${token}|${key.id}`)
    await store.insert(storedKey({ uniqueName: 'n' }))
  })

  it('C-13 a bulk revocation keeps what it did when it breaks off, and the same again does the rest', async () => {
    const store = storeIn('bulk')
    const keys = Array.from({ length: 700 }, () => storedKey({ owner: 'acct_9' }))
    await Promise.all(keys.map((key) => store.insert(key)))
    await store.insert(storedKey({ owner: 'acct_8' }))
    let revocations = 0
    const dying = storeIn(
      'bulk',
      dyingAt((sha) => sha === REVOKE.sha && ++revocations > 300),
    )
    const filter = { prefixes: ['agk_'], owner: 'acct_9' }
    await expect(dying.revokeWhere(filter, 5, 'left')).rejects.toMatchObject({ code: 'STORE' })
    expect(await store.revokeWhere(filter, 6)).toBe(400)
    expect(await store.revokeWhere(filter, 7)).toBe(0)
    const { items } = await store.list({ ...page, owner: 'acct_9', limit: 1_000, status: 'revoked' })
    expect(items).toHaveLength(700)
    expect(await store.revokeWhere({ prefixes: ['agk_'] }, 8)).toBe(1)
  })
})

it('a page is short, and goes on, where few of very many match', async () => {
  const store = storeIn('sparse')
  const keys = Array.from({ length: 1_300 }, (_, at) => storedKey(at === 0 ? { status: 'disabled' } : {}))
  await Promise.all(keys.map((key) => store.insert(key)))
  const first = await store.list({ ...page, status: 'disabled' })
  expect(first.items).toEqual([])
  const second = await store.list({ ...page, status: 'disabled', cursor: first.cursor ?? '' })
  expect(second).toEqual({ items: [keys[0]] })
})
