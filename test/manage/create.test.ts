import { type CreateInput, createApiKeys, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'
import { kept, sabotagedStore, spiedStore } from '../support/stores.ts'

const EVERYTHING: CreateInput = {
  owner: 'acct_1',
  name: 'Production sync',
  description: 'Line one\nline two',
  resource: 'agent:42',
  scopes: ['contacts:read', 'files:*'],
  limits: { minute: 60, hour: 1000 },
  allowedIps: ['10.0.0.0/8', '2001:db8::1'],
  expiresAt: '2027-01-01T00:00:00Z',
  metadata: { plan: 'pro', nested: { list: [1, 'two', null, true] } },
}

describe('create', () => {
  it('answers the text once, with the record of what was asked for', async () => {
    const keys = createApiKeys({ prefix: 'agk_live_', clock: fakeClock(Date.UTC(2026, 0, 1)) })
    const { key, record, ...more } = await keys.create(EVERYTHING)
    expect(more).toEqual({})
    expect(key).toMatch(new RegExp(`^agk_live_${record.id}[0-9A-Za-z]{38}$`))
    expect(record).toEqual({
      ...EVERYTHING,
      id: expect.stringMatching(/^[0-9A-Za-z]{12}$/),
      prefix: 'agk_live_',
      environment: undefined,
      expiresAt: '2027-01-01T00:00:00.000Z',
      display: `agk_live_${record.id}…`,
      status: 'active',
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
      lastUsedAt: undefined,
      uses: 0,
      revokedAt: undefined,
      revokedReason: undefined,
      previousSecretUntil: undefined,
    })
  })

  it('needs an owner and nothing else; what is left out grants nothing and allows any address', async () => {
    const keys = createApiKeys({ prefix: 'mk_' })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(record).toMatchObject({ scopes: [], limits: {}, status: 'active' })
    const absent = ['name', 'description', 'resource', 'allowedIps', 'metadata', 'expiresAt', 'environment'] as const
    for (const field of absent) expect(record[field]).toBeUndefined()
    expect(await judged(keys, { key, address: '203.0.113.9' })).toBe('admitted')
    expect(await judged(keys, key, { scopes: ['a:read'] })).toBe('insufficient_scope')
  })

  it('takes undefined for absent', async () => {
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 'mk_', store })
    const input = Object.fromEntries(Object.keys(EVERYTHING).map((field) => [field, undefined]))
    const { record } = await keys.create({ ...input, owner: 'acct_1' })
    const stored = await kept(store, record.id)
    expect(Object.entries(stored).filter(([, value]) => value === undefined || value === null)).toEqual([])
    expect(Object.keys(stored).sort()).toEqual(
      ['createdAt', 'hash', 'id', 'owner', 'prefix', 'scopes', 'status', 'updatedAt', 'version'].sort(),
    )
  })

  it('gives a pair where keys come as key and secret', async () => {
    const keys = createApiKeys({ prefix: 'mk_', pair: true })
    const { key, secret = '', record } = await keys.create({ owner: 'acct_1' })
    expect(key).toMatch(new RegExp(`^mk_${record.id}[0-9A-Za-z]{6}$`))
    expect(secret).toMatch(/^mk_sec_[0-9A-Za-z]{38}$/)
    expect(await judged(keys, { key, secret })).toBe('admitted')
  })

  it('keeps no text and no secret: the hash is the one thing that tells of it', async () => {
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 'mk_', store })
    const { key, record } = await keys.create(EVERYTHING)
    const stored = await kept(store, record.id)
    expect(JSON.stringify(stored)).not.toContain(key.slice(15, 47))
    expect(JSON.stringify(record)).not.toContain(stored.hash)
    expect(Object.keys(record)).not.toContain('hash')
  })

  it('answers a record that nobody can change', async () => {
    const keys = createApiKeys({ prefix: 'mk_' })
    const { record } = await keys.create(EVERYTHING)
    const metadata = record.metadata as { nested: { list: unknown } }
    for (const value of [record, record.scopes, record.limits, record.allowedIps, metadata, metadata.nested.list]) {
      expect(Object.isFrozen(value)).toBe(true)
    }
  })

  it('copies what it is given', async () => {
    const keys = createApiKeys({ prefix: 'mk_' })
    const metadata = { plan: 'free' }
    const allowedIps = ['10.0.0.0/8']
    const { record } = await keys.create({ owner: 'acct_1', metadata, allowedIps })
    metadata.plan = 'pro'
    allowedIps.push('0.0.0.0/0')
    expect(await keys.get(record.id)).toMatchObject({ metadata: { plan: 'free' }, allowedIps: ['10.0.0.0/8'] })
  })

  it('makes keys of the environment that is asked for, and asks which', async () => {
    const keys = createApiKeys({ prefix: { live: ['lv_', 'old_'], test: 'ts_' } })
    const live = await keys.create({ owner: 'acct_1', environment: 'live' })
    const test = await keys.create({ owner: 'acct_1', environment: 'test' })
    expect([live.record.prefix, live.record.environment]).toEqual(['lv_', 'live'])
    expect([test.record.prefix, test.record.environment]).toEqual(['ts_', 'test'])
    for (const environment of [undefined, 'prod', 'Live', '', '__proto__', 'constructor']) {
      const error = await failure(() => keys.create({ owner: 'acct_1', environment }))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'environment' }] })
    }
    const plain = createApiKeys({ prefix: 'mk_' })
    const error = await failure(() => plain.create({ owner: 'acct_1', environment: 'live' }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'environment' }] })
  })

  it('holds a new key to the conditions of whoever makes it', async () => {
    const keys = createApiKeys({ prefix: 'mk_' })
    const foreign = await failure(() => keys.create({ owner: 'acct_2' }, { owner: 'acct_1' }))
    expect(foreign).toMatchObject({ code: 'INPUT', issues: [{ path: 'owner' }] })
    const unbound = await failure(() => keys.create({ owner: 'acct_1' }, { resource: 'agent:42' }))
    expect(unbound).toMatchObject({ code: 'INPUT', issues: [{ path: 'resource' }] })
    expect((await keys.list()).items).toEqual([])
    const bound = { owner: 'acct_1', resource: 'agent:42' }
    expect((await keys.create(bound, { ...bound, actor: 'user_7' })).record).toMatchObject(bound)
  })
})

it('create keeps each member of metadata, also where Object.prototype is frozen and has one of that name', async () => {
  const keys = createApiKeys({ prefix: 'mk_' })
  const metadata = { constructor: 'Ferrari', toString: 1, nested: { valueOf: [2] } }
  const before = Object.getOwnPropertyDescriptors(Object.prototype)
  const lock = (writable: boolean) => {
    for (const name of ['constructor', 'toString', 'valueOf'] as const)
      Object.defineProperty(Object.prototype, name, { ...before[name], writable })
  }
  lock(false)
  try {
    const { record } = await keys.create({ owner: 'acct_1', metadata: { ...metadata } })
    expect(record.metadata).toEqual(metadata)
    expect((await keys.get(record.id))?.metadata).toEqual(metadata)
  } finally {
    lock(true)
  }
})

it('create names null where metadata should be', async () => {
  const keys = createApiKeys({ prefix: 'agk_' })
  const error = await failure(() => keys.create({ owner: 'acct_1', metadata: null as never }))
  expect(error.message).toContain('metadata must be a JSON object, not null')
})

describe('create, when an id is taken', () => {
  /** Ids in turn, the last one for ever. */
  function ids(...given: readonly string[]) {
    let calls = 0
    return { generateId: () => given[Math.min(calls++, given.length - 1)] ?? '', calls: () => calls }
  }
  const [A, B] = ['A'.repeat(12), 'B'.repeat(12)]

  it('F-23 asks for another, and never overwrites the key that has it', async () => {
    const store = memoryStore()
    const { generateId, calls } = ids(A, A, A, A, B)
    const keys = createApiKeys({ prefix: 'mk_', store, generateId })
    const first = await keys.create({ owner: 'acct_1' })
    const before = await kept(store, A)
    const second = await keys.create({ owner: 'acct_2' })
    expect([second.record.id, calls()]).toEqual([B, 5])
    expect(await kept(store, A)).toEqual(before)
    expect(await judged(keys, first.key)).toBe('admitted')
  })

  it('F-23 three times; then it is a CONFLICT, and nothing was written', async () => {
    const { generateId, calls } = ids(A)
    const spied = spiedStore()
    const { events, onEvent } = listener()
    const keys = createApiKeys({ prefix: 'mk_', store: spied.store, generateId, onEvent })
    const { key } = await keys.create({ owner: 'acct_1' })
    const before = await kept(spied.store, A)
    expect((await failure(() => keys.create({ owner: 'acct_2' }))).code).toBe('CONFLICT')
    expect(calls()).toBe(1 + 4)
    expect(await kept(spied.store, A)).toEqual(before)
    expect(await judged(keys, key)).toBe('admitted')
    expect(events.filter(({ type }) => type === 'created')).toHaveLength(1)
    expect(spied.asked('replace')).toBe(0)
  })

  it('F-23 also where the random source repeats itself', async () => {
    let byte = 7
    const keys = createApiKeys({ prefix: 'mk_', random: (size) => new Uint8Array(size).fill(byte) })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect((await failure(() => keys.create({ owner: 'acct_2' }))).code).toBe('CONFLICT')
    expect(await judged(keys, key, { owner: 'acct_1' })).toBe('admitted')
    byte = 8
    expect((await keys.create({ owner: 'acct_2' })).record.owner).toBe('acct_2')
  })

  it('waits for an id that is given later', async () => {
    const keys = createApiKeys({ prefix: 'mk_', generateId: async () => A })
    expect((await keys.create({ owner: 'acct_1' })).record.id).toBe(A)
  })

  it.each([['too short'], ['A'.repeat(13)], ['AAAAAAAAAAA-'], ['AAAAAAAAAAAé'], [''], [undefined], [null], [12], [{}]])(
    'refuses what is no id: %j',
    async (id) => {
      const { store, asked } = spiedStore()
      const keys = createApiKeys({ prefix: 'mk_', store, generateId: () => id as string })
      expect((await failure(() => keys.create({ owner: 'acct_1' }))).code).toBe('CONFIG')
      expect(asked('insert')).toBe(0)
    },
  )

  it('tells a store that failed from an id that is taken', async () => {
    const { generateId, calls } = ids(A)
    const sabotaged = sabotagedStore()
    const keys = createApiKeys({ prefix: 'mk_', store: sabotaged.store, generateId })
    sabotaged.break('insert', () => Promise.reject(new Error('disk full')))
    expect(await failure(() => keys.create({ owner: 'acct_1' }))).toMatchObject({ code: 'STORE', outcome: 'unknown' })
    expect(calls()).toBe(1)
  })
})
