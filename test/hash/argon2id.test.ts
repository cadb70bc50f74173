import { createApiKeys, type Hasher, type KeyStore, memoryStore, type StoredKey, sha256 } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { describe, expect, it } from 'vitest'
import { remembering } from '../../src/hash/remembering.ts'

/** The lightest that is allowed: these tests are about what happens, not about how long it takes. */
const LIGHT = { memory: 7168, passes: 1 }

function counted(hasher: Hasher) {
  const calls = { check: 0, waste: 0 }
  const counting: Hasher = {
    ...hasher,
    check(text, kept) {
      calls.check++
      return hasher.check(text, kept)
    },
    waste(text) {
      calls.waste++
      return hasher.waste(text)
    },
  }
  return { calls, hasher: counting }
}

/** A store whose records are changed on their way out. */
function damaging(change: (stored: StoredKey) => StoredKey): KeyStore {
  const store = memoryStore()
  return {
    ...store,
    async find(id) {
      const stored = await store.find(id)
      return stored && change(stored)
    },
  }
}

/** A store that keeps nothing, so that one id can be made any number of times. */
function forgetful(): KeyStore {
  return { ...memoryStore(), insert: () => {} }
}

describe('A. argon2id', () => {
  it('keeps a key with its parameters and proves it', async () => {
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 'ap_', store, hasher: argon2id(LIGHT) })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const stored = await store.find(record.id)
    expect(stored?.hash).toMatch(/^argon2id\$v=19\$m=7168,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(await keys.verify(key)).toMatchObject({ ok: true })
  })

  it('uses the parameters that OWASP recommends by default', async () => {
    expect(await argon2id().make('text')).toMatch(/^argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  it('computes one valid key that arrives 200 times at once only once, and never again', async () => {
    const { calls, hasher } = counted(argon2id(LIGHT))
    const keys = createApiKeys({ prefix: 'ap_', hasher })
    const { key } = await keys.create({ owner: 'acct_1' })
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => keys.verify(key)))
    expect(verdicts.every(({ ok }) => ok)).toBe(true)
    expect(keys.verify(key)).toMatchObject({ ok: true })
    expect(calls.check).toBe(1)
  })

  it('remembers a proof even where no record is remembered', async () => {
    const { calls, hasher } = counted(argon2id(LIGHT))
    const keys = createApiKeys({ prefix: 'ap_', hasher, cache: false })
    const { key } = await keys.create({ owner: 'acct_1' })
    for (let i = 0; i < 3; i++) expect(await keys.verify(key)).toMatchObject({ ok: true })
    expect(calls.check).toBe(1)
  })

  it('forgets a proof with its secret: after a rotation the old text is computed anew and refused', async () => {
    const keys = createApiKeys({ prefix: 'ap_', hasher: argon2id(LIGHT) })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.verify(key)).toMatchObject({ ok: true })
    const { key: fresh } = await keys.rotate(record.id, { overlap: 0 })
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'invalid_key' })
    expect(await keys.verify(fresh)).toMatchObject({ ok: true })
  })

  it('T-06 an unknown id costs one hash of the first hasher', async () => {
    const { calls, hasher } = counted(argon2id(LIGHT))
    const keys = createApiKeys({ prefix: 'ap_', hasher: [hasher, sha256()] })
    const { key } = await createApiKeys({ prefix: 'ap_' }).create({ owner: 'acct_1' })
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'invalid_key' })
    expect(calls).toEqual({ check: 0, waste: 1 })
  })

  it('A-01 1000 wrong secrets at once are refused or turned away, never admitted', async () => {
    const keys = createApiKeys({ prefix: 'ap_', hasher: argon2id({ ...LIGHT, queue: 20 }) })
    const { record } = await keys.create({ owner: 'acct_1' })
    const elsewhere = createApiKeys({ prefix: 'ap_', store: forgetful(), generateId: () => record.id })
    const wrong = await Promise.all(Array.from({ length: 1000 }, () => elsewhere.create({ owner: 'acct_2' })))
    const verdicts = await Promise.all(wrong.map(({ key }) => keys.verify(key)))
    const codes = verdicts.map((verdict) => (verdict.ok ? 'admitted' : verdict.code))
    expect([...new Set(codes)].sort()).toEqual(['invalid_key', 'unavailable'])
    expect(codes.filter((code) => code === 'unavailable').length).toBeGreaterThan(900)
  })

  it('A-01 T-06 while the queue is full, work for an unknown id is refused as real work is', async () => {
    const hasher = argon2id({ ...LIGHT, queue: 0, concurrency: 1 })
    const busy = hasher.make('one')
    await expect(hasher.waste('two')).rejects.toThrow('no more can wait')
    await expect(hasher.make('three')).rejects.toThrow('no more can wait')
    expect(await busy).toContain('argon2id$')
  })

  it('upgrades on use in both directions', async () => {
    const store = memoryStore()
    const { key, record } = await createApiKeys({ prefix: 'ap_', store }).create({ owner: 'acct_1' })
    for (const [hasher, scheme] of [
      [[argon2id(LIGHT), sha256()], 'argon2id$v=19$m=7168,t=1'],
      [[argon2id({ ...LIGHT, passes: 2 }), sha256()], 'argon2id$v=19$m=7168,t=2'],
      [[sha256(), argon2id(LIGHT)], 'sha256$'],
    ] as const) {
      const keys = createApiKeys({ prefix: 'ap_', store, hasher })
      expect(await keys.verify(key)).toMatchObject({ ok: true })
      await expect.poll(async () => (await store.find(record.id))?.hash).toContain(scheme)
      expect(await keys.verify(key)).toMatchObject({ ok: true })
    }
  })

  it.each([
    'argon2id$v=19$m=1,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'argon2id$v=19$m=-7168,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'argon2id$v=19$m=NaN,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'argon2id$v=19$m=7168,t=99,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'argon2i$v=19$m=7168,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'argon2id$',
  ])('F-24 a stored hash altered to %s is refused', async (hash) => {
    const keys = createApiKeys({
      prefix: 'ap_',
      store: damaging((stored) => ({ ...stored, hash })),
      hasher: argon2id(LIGHT),
    })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'invalid_key' })
  })

  it.each([
    [{ memory: 1024 }, 'memory'],
    [{ memory: 1e9 }, 'memory'],
    [{ passes: 0 }, 'passes'],
    [{ lanes: 1.5 }, 'lanes'],
    [{ concurrency: 64 }, 'concurrency'],
    [{ queue: -1 }, 'queue'],
  ])('refuses the parameters %j at construction', (options, name) => {
    expect(() => argon2id(options)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(name) }),
    )
  })
})

describe('proofs', () => {
  it('are let go, the oldest first, past their number', async () => {
    const { calls, hasher } = counted(sha256())
    const bounded = remembering(hasher, 2)
    const hashes = await Promise.all(['a', 'b', 'c'].map((text) => bounded.make(text)))
    for (const [i, text] of ['a', 'b', 'c', 'c', 'b', 'a'].entries()) {
      expect(await bounded.check(text, [hashes[i < 3 ? i : 5 - i] ?? ''])).toBe(0)
    }
    expect(calls.check).toBe(4)
  })
})
