import { Redis } from 'ioredis'
import type { KeyStore, StoredKey } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { memberOf } from '../../../src/storage/redis/keys.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

function storeIn(namespace: string): Required<KeyStore> {
  const client = new Redis(server.url, { lazyConnect: true })
  const store = redisStore(client, { namespace, timeout: 20_000 }) as Required<KeyStore>
  onTestFinished(() => {
    store.close()
    client.disconnect()
  })
  return store
}

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Ids that begin alike, are cut short, or hold what stands for something elsewhere. */
function ids(next: (below: number) => number): () => string {
  const letters = ['a', 'A', 'b', 'Z', '_', ' ', '\u0000', '\u0001', '\n', 'é', 'z', '0', '🔑', '\uffee']
  const known = new Set<string>()
  return () => {
    for (;;) {
      const id = Array.from({ length: 1 + next(6) }, () => letters[next(letters.length)]).join('')
      if (!known.has(id) && known.add(id)) return id
    }
  }
}

async function listed(store: KeyStore, limit: number, owner?: string): Promise<readonly string[]> {
  const found: string[] = []
  let cursor: string | undefined
  do {
    const query = { prefixes: ['agk_'], limit, ...(owner !== undefined && { owner }), ...(cursor && { cursor }) }
    const page = await store.list(query)
    expect(page.items.length).toBeLessThanOrEqual(limit)
    found.push(...page.items.map(({ id }) => id))
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

function inOrder(keys: Iterable<StoredKey>): readonly string[] {
  const places = [...keys].map((key) => ({ id: key.id, place: Buffer.from(memberOf(key)) }))
  return places.sort((a, b) => Buffer.compare(b.place, a.place)).map(({ id }) => id)
}

describe('a list of many keys in Redis', () => {
  it.each([1, 2, 3])('goes by time and id through any changes (%i)', async (seed) => {
    const store = storeIn(`shelf${seed}`)
    const next = numbers(seed)
    const newId = ids(next)
    const held = new Map<string, StoredKey>()
    const someone = () => [...held.values()][next(held.size)] as StoredKey
    const add = async () => {
      const key = storedKey({ id: newId(), createdAt: next(60), updatedAt: 60 })
      await store.insert(key)
      held.set(key.id, key)
    }
    const drop = async () => {
      const { id } = someone()
      expect(await store.remove(id)).toBe(true)
      held.delete(id)
    }
    const move = async () => {
      const key = someone()
      const moved = { ...key, version: key.version + 1, createdAt: next(60) }
      expect(await store.replace(moved, key.version)).toBe(true)
      held.set(key.id, moved)
    }
    // Grows to several hundred, shrinks to a few, grows again.
    for (const [steps, most] of [
      [500, add],
      [150, move],
      [420, drop],
      [300, add],
    ] as const) {
      for (let step = 0; step < steps; step++) await (held.size > 0 && next(6) === 0 ? move() : most())
      expect(await listed(store, 1 + next(40))).toEqual(inOrder(held.values()))
      expect(await listed(store, 250, 'acct_1')).toEqual(inOrder(held.values()))
    }
    while (held.size > 0) await drop()
    expect(server.cli('exists', `shelf${seed}:prefix:{agk_}`, `shelf${seed}:owner:{acct_1}`)).toBe('0')
  })

  it.each([
    ['oldest', (at: number) => at, 55],
    ['youngest', (at: number) => 2_000 - at, 80],
  ])('takes little, whether the %s came first', async (how, time, most) => {
    const store = storeIn(how)
    const keys = Array.from({ length: 1_000 }, (_, at) => storedKey({ createdAt: time(at) }))
    for (const key of keys) await store.insert(key)
    expect(await listed(store, 250)).toEqual(inOrder(keys))
    const bytes = Number(server.cli('memory', 'usage', `${how}:prefix:{agk_}`, 'samples', '0'))
    // A place alone would take 129.
    expect(bytes / keys.length).toBeLessThan(most)
    // A change writes one of these anew.
    const members = server.cli('zrange', `${how}:prefix:{agk_}`, '0', '-1').split('\n')
    expect(Math.max(...members.map(({ length }) => length))).toBeLessThan(950)
  })

  it('is read from where a page ended, though the key there is gone', async () => {
    const store = storeIn('gone')
    const keys = Array.from({ length: 400 }, (_, at) => storedKey({ createdAt: at % 7 }))
    for (const key of keys) await store.insert(key)
    const expected = inOrder(keys)
    const { items, cursor = '' } = await store.list({ prefixes: ['agk_'], limit: 173 })
    for (const { id } of items) await store.remove(id)
    const rest = await store.list({ prefixes: ['agk_'], limit: 250, cursor })
    expect(rest.items.map(({ id }) => id)).toEqual(expected.slice(173))
  })
})

describe('a record in Redis', () => {
  it('takes few characters, and is read as it was written', async () => {
    const store = storeIn('small')
    const digest = '0f'.repeat(32)
    const keys = [
      storedKey({ hash: `sha256$${digest}`, limits: { minute: { limit: 60, ms: 60_000 }, hour: null } }),
      storedKey({
        hash: `hmac$v$1$${digest}`,
        limits: { minute: { limit: 60, ms: 90_000 }, own: { limit: 1, ms: 5 } },
      }),
      storedKey({ hash: `sha256$${digest.toUpperCase()}`, limits: {}, name: 'a' }),
      storedKey({ hash: 'x$', scopes: [], description: 'b', limits: JSON.parse('{"__proto__":{"limit":1,"ms":9}}') }),
      storedKey({ metadata: { hash: ['x', 'y'], '0': 1 } }),
      storedKey({ hash: `$${digest}`, previous: { hash: `sha256$${digest}`, since: 1, until: 2 } }),
    ]
    for (const key of keys) await store.insert(key)
    for (const key of keys) expect(await store.find(key.id)).toEqual(key)
    const [first] = keys as [StoredKey, ...StoredKey[]]
    expect(server.cli('get', `small:key:{${first.id}}`).length).toBeLessThan(150)
  })
})
