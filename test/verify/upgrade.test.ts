import {
  type ApiKeys,
  createApiKeys,
  type Hasher,
  hmac,
  type KeyStore,
  memoryStore,
  type StoredKey,
  sha256,
} from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { judged, listener } from '../support/outcome.ts'
import { deferred, kept, never, sabotagedStore, wrapStore } from '../support/stores.ts'

const PEPPERED = hmac({ current: 'p1', peppers: { p1: 'v7Qm0z2LsE9rKc4TbXfY8nWd' } })

/** A key that was made under an older scheme, and an instance that makes newer ones. */
async function aged(store: KeyStore = memoryStore(), change: (stored: StoredKey) => StoredKey = (stored) => stored) {
  const heard = listener()
  const clock = fakeClock()
  const before = createApiKeys({ prefix: 'up_', store, clock })
  const made = await before.create({ owner: 'acct_1', name: 'Sync', scopes: ['a:read'], limits: { minute: 60 } })
  const stored = await kept(store, made.record.id)
  if (change(stored) !== stored) await store.replace({ ...change(stored), version: stored.version + 1 }, stored.version)
  const keys = createApiKeys({ prefix: 'up_', store, clock, hasher: [PEPPERED, sha256()], onEvent: heard.onEvent })
  const upgraded = () => vi.waitFor(async () => expect((await kept(store, made.record.id)).hash).toMatch(/^hmac\$/))
  return { store, clock, heard, before, keys, upgraded, ...made }
}

describe('upgrades of hashes on use', () => {
  it('change the hash and the version of a record, and nothing else', async () => {
    const { store, keys, upgraded, key, record } = await aged()
    const { hash: _, version, ...before } = await kept(store, record.id)
    expect(await judged(keys, key)).toBe('admitted')
    await upgraded()
    const { hash: __, version: next, ...after } = await kept(store, record.id)
    expect(after).toEqual(before)
    expect(next).toBeGreaterThan(version)
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('are told nobody: a hash is no change of a key', async () => {
    const { heard, keys, upgraded, key } = await aged()
    await keys.verify(key)
    await upgraded()
    expect(heard.events.map(({ type }) => type)).toEqual(['admitted'])
  })

  it('are made of a proved secret only, and by an admission only', async () => {
    const { store, keys, key, record } = await aged()
    const { hash } = await kept(store, record.id)
    const other = await keys.create({ owner: 'acct_2' })
    await keys.verify(key.slice(0, 15) + other.key.slice(15))
    await keys.verify(key, { scopes: ['a:write'] })
    await new Promise((resolve) => setImmediate(resolve))
    expect((await kept(store, record.id)).hash).toBe(hash)
  })

  it.each([
    ['revoked', (keys: ApiKeys, id: string) => keys.revoke(id), 'revoked'],
    ['disabled', (keys: ApiKeys, id: string) => keys.disable(id), 'disabled'],
    ['given other scopes', (keys: ApiKeys, id: string) => keys.update(id, { scopes: null }), 'insufficient_scope'],
    ['removed', (keys: ApiKeys, id: string) => keys.remove(id), 'invalid_key'],
  ] as const)('D-21 cannot undo a change that comes first: a key that is %s stays so', async (_, change, code) => {
    const inner = memoryStore()
    const [reached, held, over] = [deferred(), deferred(), deferred()]
    const slow = wrapStore(inner, async (verb, ask) => {
      if (verb !== 'replace') return ask()
      reached.resolve()
      await held.promise
      const answer = await ask()
      over.resolve()
      return answer
    })
    const { before, key, record } = await aged(inner)
    const keys = createApiKeys({ prefix: 'up_', store: slow, hasher: [PEPPERED, sha256()], storeTimeout: 5_000 })
    expect(await judged(keys, key)).toBe('admitted')
    await reached.promise
    await change(before, record.id)
    const changed = await inner.find(record.id)
    held.resolve()
    await over.promise
    expect(await inner.find(record.id)).toEqual(changed)
    const now = createApiKeys({ prefix: 'up_', store: inner, hasher: [PEPPERED, sha256()] })
    expect(await judged(now, key, { scopes: ['a:read'] })).toBe(code)
  })

  it('that fail are a fault and nothing else, and are tried again', async () => {
    const sabotaged = sabotagedStore()
    const { keys, heard, upgraded, key } = await aged(sabotaged.store)
    sabotaged.break('replace', () => Promise.reject(new Error('redis://:hunter2@host')))
    expect(await judged(keys, key)).toBe('admitted')
    await vi.waitFor(() => expect(heard.of('fault')).toMatchObject([{ code: 'upgrade' }]))
    expect(JSON.stringify(heard.events)).not.toContain('hunter2')
    sabotaged.break('replace', undefined)
    expect(await judged(keys, key)).toBe('admitted')
    await upgraded()
  })

  it('that are late are not begun again with every use: they wait for the row, and each would hold a connection', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const sabotaged = sabotagedStore()
    const { keys, heard, key, record } = await aged(sabotaged.store)
    let writes = 0
    sabotaged.break('replace', () => {
      writes++
      return never()
    })
    for (let round = 0; round < 20; round++) {
      expect(await judged(keys, key)).toBe('admitted')
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(writes).toBe(1)
    expect(heard.of('fault')).toMatchObject([{ code: 'upgrade' }])
    sabotaged.break('replace', undefined)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await judged(keys, key)).toBe('admitted')
    await keys.close()
    expect((await kept(sabotaged.store, record.id)).hash).toMatch(/^hmac\$/)
  })

  it('do not mend a damaged record: what a store holds of scopes stays as it is', async () => {
    const damage = (stored: StoredKey): StoredKey => ({ ...stored, scopes: 'a:read' as never })
    const { store, keys, key, record } = await aged(memoryStore(), damage)
    expect(await judged(keys, key)).toBe('admitted')
    await new Promise((resolve) => setImmediate(resolve))
    expect((await kept(store, record.id)).scopes).toBe('a:read')
  })

  it('leave an overlap as it is, and the replaced secret under its own scheme', async () => {
    const { store, before, keys, upgraded, key, record, clock } = await aged()
    const { key: fresh } = await before.rotate(record.id, { overlap: '1h' })
    const { previous } = await kept(store, record.id)
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, fresh)).toBe('admitted')
    await upgraded()
    expect((await kept(store, record.id)).previous).toEqual(previous)
    expect([await judged(keys, key), await judged(keys, fresh)]).toEqual(['admitted', 'admitted'])
    clock.advance('1h')
    expect([await judged(keys, key), await judged(keys, fresh)]).toEqual(['invalid_key', 'admitted'])
  })

  it('are no rotation: one that meets an upgrade still wins', async () => {
    const inner = memoryStore()
    const { keys, upgraded, key, record } = await aged(inner)
    let first = true
    const store = wrapStore(inner, async (verb, ask) => {
      if (verb === 'replace' && first) {
        first = false
        await keys.verify(key)
        await upgraded()
      }
      return ask()
    })
    const rotating = createApiKeys({ prefix: 'up_', store, hasher: [PEPPERED, sha256()], storeTimeout: 5_000 })
    const { key: fresh } = await rotating.rotate(record.id, { overlap: 0 })
    expect([await judged(rotating, key), await judged(rotating, fresh)]).toEqual(['invalid_key', 'admitted'])
  })

  it('come to rest while some processes are newer than others: one write of each, at the most', async () => {
    const peppers = { p1: 'v7Qm0z2LsE9rKc4TbXfY8nWd', p2: 'Hn5wRt9XkQs2LzVc7MfBd3Gj' }
    let writes = 0
    const inner = memoryStore()
    const store = wrapStore(inner, async (verb, ask) => {
      const answer = await ask()
      if (verb === 'replace' && answer === true) writes++
      return answer
    })
    const processes = ['p1', 'p2', 'p1', 'p2'].map((current) =>
      createApiKeys({ prefix: 'up_', store, hasher: hmac({ current, peppers }), cache: false }),
    )
    const [first] = processes as [ApiKeys]
    const { key, record } = await first.create({ owner: 'acct_1' })
    for (let round = 0; round < 20; round++) {
      for (const keys of processes) {
        expect(await judged(keys, key)).toBe('admitted')
        await keys.close()
      }
    }
    expect(writes).toBeGreaterThan(0)
    expect(writes).toBeLessThanOrEqual(processes.length)
    await first.revoke(record.id)
    for (const keys of processes) expect(await judged(keys, key)).toBe('revoked')
  })

  it('to a slow hash are made one at a time, and close() waits for the one that is under way', async () => {
    const store = memoryStore()
    const before = createApiKeys({ prefix: 'up_', store })
    const made = await Promise.all(Array.from({ length: 20 }, () => before.create({ owner: 'acct_1' })))
    let [running, most, hashed] = [0, 0, 0]
    const slow: Hasher = {
      ...PEPPERED,
      cheap: false,
      async make(text) {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, 5))
        running--
        hashed++
        return PEPPERED.make(text)
      },
    }
    const keys = createApiKeys({ prefix: 'up_', store, hasher: [slow, sha256()] })
    expect(await Promise.all(made.map(({ key }) => judged(keys, key)))).toEqual(made.map(() => 'admitted'))
    await keys.close()
    expect([most, running, hashed]).toEqual([1, 0, 1])
    const hashes = await Promise.all(made.map(async ({ record }) => (await kept(store, record.id)).hash))
    expect(hashes.filter((hash) => hash.startsWith('hmac$'))).toHaveLength(1)
  })
})
