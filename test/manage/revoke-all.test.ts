import { createApiKeys, type KeyStore, memoryStore, type RevokeOptions } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'
import { kept, spiedStore, wrapStore } from '../support/stores.ts'

/** The same keys in a store that revokes by itself, and in one that must be asked key by key. */
const STORES = [
  { kind: 'with revokeWhere', make: memoryStore },
  {
    kind: 'without revokeWhere',
    make: (): KeyStore => {
      const { revokeWhere: _, ...store } = memoryStore()
      return store
    },
  },
]

function instance(make: () => KeyStore) {
  const [clock, heard, store] = [fakeClock(), listener(), make()]
  const keys = createApiKeys({ prefix: 'ra_', store, clock, onEvent: heard.onEvent })
  return { clock, heard, store, keys }
}

describe.each(STORES)('revokeAll on a store $kind', ({ make }) => {
  it('ends every key of an owner, whatever its state, and answers how many', async () => {
    const { keys, clock, store } = instance(make)
    const mine = await Promise.all(
      Array.from({ length: 4 }, () => keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + 5) })),
    )
    const theirs = await keys.create({ owner: 'acct_2' })
    for (const { key } of [...mine, theirs]) await keys.verify(key)
    const [, disabled, revoked] = mine.map(({ record }) => record.id)
    await keys.disable(disabled ?? '')
    await keys.revoke(revoked ?? '', { reason: 'before' })
    const before = await kept(store, theirs.record.id)
    clock.advance(5)
    expect(await keys.revokeAll({ owner: 'acct_1', reason: 'account closed' })).toBe(3)
    for (const { key } of mine) expect(await judged(keys, key)).toBe('revoked')
    expect(await judged(keys, theirs.key)).toBe('admitted')
    expect(await kept(store, theirs.record.id)).toEqual(before)
    const reasons = (await keys.list({ owner: 'acct_1' })).items.map(({ id, revokedReason }) => [
      id === revoked,
      revokedReason,
    ])
    expect(reasons.sort()).toEqual([...Array(3).fill([false, 'account closed']), [true, 'before']])
  })

  it('marks each with a time and a new version', async () => {
    const { keys, clock, store } = instance(make)
    const { record } = await keys.create({ owner: 'acct_1' })
    const before = await kept(store, record.id)
    clock.advance(1000)
    await keys.revokeAll({ owner: 'acct_1' })
    const after = await kept(store, record.id)
    expect(after).toEqual({
      ...before,
      status: 'revoked',
      version: after.version,
      updatedAt: clock.now(),
      revokedAt: clock.now(),
    })
    expect(after.version).toBeGreaterThan(before.version)
  })

  it('ends every key of a resource, or of an owner’s resource', async () => {
    const { keys } = instance(make)
    const create = async (owner: string, resource?: string) => (await keys.create({ owner, resource })).record.id
    const a = await create('acct_1', 'agent:1')
    const b = await create('acct_2', 'agent:1')
    const c = await create('acct_1', 'agent:2')
    const d = await create('acct_1')
    const revoked = async () => (await keys.list({ status: 'revoked' })).items.map(({ id }) => id).sort()
    expect(await keys.revokeAll({ owner: 'acct_1', resource: 'agent:1' })).toBe(1)
    expect(await revoked()).toEqual([a])
    expect(await keys.revokeAll({ resource: 'agent:1' })).toBe(1)
    expect(await revoked()).toEqual([a, b].sort())
    expect(await keys.revokeAll({ owner: 'acct_1' })).toBe(2)
    expect(await revoked()).toEqual([a, b, c, d].sort())
  })

  it('a second time finds nothing to do, and tells nobody', async () => {
    const { keys, heard } = instance(make)
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.revokeAll({ owner: 'acct_1', reason: 'first' })).toBe(1)
    const first = await keys.get(record.id)
    heard.events.length = 0
    expect(await keys.revokeAll({ owner: 'acct_1', reason: 'second' })).toBe(0)
    expect(await keys.revokeAll({ owner: 'nobody' })).toBe(0)
    expect(await keys.get(record.id)).toEqual(first)
    expect(heard.events).toEqual([])
  })

  it('reaches beyond a page: 250 keys', async () => {
    const { keys } = instance(make)
    for (let i = 0; i < 250; i++) await keys.create({ owner: 'acct_1' })
    expect(await keys.revokeAll({ owner: 'acct_1' })).toBe(250)
    expect((await keys.list({ status: 'active' })).items).toEqual([])
  })

  it('counts each key once when two are at it', async () => {
    const { keys, heard } = instance(make)
    for (let i = 0; i < 3; i++) await keys.create({ owner: 'acct_1' })
    const counts = await Promise.all([keys.revokeAll({ owner: 'acct_1' }), keys.revokeAll({ owner: 'acct_1' })])
    expect(counts.reduce((sum, count) => sum + count)).toBe(3)
    expect(heard.of('revoked').reduce((sum, event) => sum + ('count' in event ? event.count : 0), 0)).toBe(3)
  })

  it('sees only the prefixes of its instance', async () => {
    const { keys, store } = instance(make)
    const other = createApiKeys({ prefix: 'rb_', store })
    const { key } = await other.create({ owner: 'acct_1' })
    await keys.create({ owner: 'acct_1' })
    expect(await keys.revokeAll({ owner: 'acct_1' })).toBe(1)
    expect(await judged(other, key)).toBe('admitted')
  })

  it('tells of it once, with who, whose and how many', async () => {
    const { keys, heard, clock } = instance(make)
    for (let i = 0; i < 3; i++) await keys.create({ owner: 'acct_1', resource: 'agent:1' })
    heard.events.length = 0
    await keys.revokeAll({ owner: 'acct_1', resource: 'agent:1', actor: 'admin_1', reason: 'closed' })
    const at = new Date(clock.now()).toISOString()
    const told = { type: 'revoked', at, count: 3, owner: 'acct_1', resource: 'agent:1', actor: 'admin_1' }
    expect(heard.events).toEqual([told])
  })

  it.each([undefined, null, {}, [], { owner: undefined }, { actor: 'a' }, { reason: 'x' }, { resource: undefined }])(
    'R-20 an empty condition revokes nothing: %j',
    async (options) => {
      const { keys } = instance(make)
      const { key } = await keys.create({ owner: 'acct_1', resource: 'agent:1' })
      expect((await failure(() => keys.revokeAll(options as RevokeOptions))).code).toBe('INPUT')
      expect(await judged(keys, key, { resource: '*' })).toBe('admitted')
    },
  )

  it.each([
    { owner: '' },
    { owner: null },
    { owner: { $ne: null } },
    { owner: ['acct_1'] },
    { id: 'x' },
    { ownerId: 'acct_1' },
    { owner: 'acct_1', status: 'active' },
  ])('R-20 a condition that is none revokes nothing: %j', async (options) => {
    const { keys } = instance(make)
    const { key } = await keys.create({ owner: 'acct_1' })
    expect((await failure(() => keys.revokeAll(options as RevokeOptions))).code).toBe('INPUT')
    expect(await judged(keys, key)).toBe('admitted')
  })
})

describe('revokeAll', () => {
  it('asks a store that can do it once, and no other verb', async () => {
    const spied = spiedStore()
    const keys = createApiKeys({ prefix: 'ra_', store: spied.store })
    await keys.create({ owner: 'acct_1' })
    spied.forget()
    await keys.revokeAll({ owner: 'acct_1', reason: 'closed' })
    const filter = { prefixes: ['ra_'], owner: 'acct_1' }
    expect(spied.calls).toEqual([{ verb: 'revokeWhere', args: [filter, expect.any(Number), 'closed'] }])
  })

  it('does not stumble over keys that others remove meanwhile', async () => {
    const { revokeWhere: _, ...inner } = memoryStore()
    const other = createApiKeys({ prefix: 'ra_', store: inner })
    const ids: string[] = []
    const store = wrapStore(inner, async (verb, ask) => {
      const answer = await ask()
      if (verb === 'list') for (const id of ids.splice(0, 1)) await other.remove(id)
      return answer
    })
    const keys = createApiKeys({ prefix: 'ra_', store })
    for (let i = 0; i < 3; i++) ids.push((await other.create({ owner: 'acct_1' })).record.id)
    expect(await keys.revokeAll({ owner: 'acct_1' })).toBe(2)
    expect((await keys.list({ status: 'active' })).items).toEqual([])
  })

  it('that breaks off tells what it has done', async () => {
    const { revokeWhere: _, ...inner } = memoryStore()
    let left = 2
    const store = wrapStore(inner, (verb, ask) => {
      if (verb === 'replace' && left-- === 0) throw new Error('gone')
      return ask()
    })
    const heard = listener()
    const keys = createApiKeys({ prefix: 'ra_', store, onEvent: heard.onEvent })
    for (let i = 0; i < 4; i++) await keys.create({ owner: 'acct_1' })
    expect((await failure(() => keys.revokeAll({ owner: 'acct_1' }))).code).toBe('STORE')
    expect(heard.events.filter(({ type }) => type === 'revoked')).toMatchObject([{ count: 2, owner: 'acct_1' }])
    expect(await keys.revokeAll({ owner: 'acct_1' })).toBe(2)
  })

  it('does not stumble over a damaged record, which it tells of', async () => {
    const { revokeWhere: _, ...store } = memoryStore()
    const [clock, heard] = [fakeClock(), listener()]
    const keys = createApiKeys({ prefix: 'ra_', store, clock, onEvent: heard.onEvent })
    const sound = await keys.create({ owner: 'acct_1' })
    clock.advance(1)
    const { record } = await keys.create({ owner: 'acct_1' })
    const stored = await kept(store, record.id)
    await store.replace({ ...stored, version: stored.version + 1, expiresAt: 'soon' as never }, stored.version)
    expect(await keys.revokeAll({ owner: 'acct_1' })).toBe(1)
    expect(await judged(keys, sound.key)).toBe('revoked')
    expect(heard.events.filter(({ type }) => type === 'fault')).toMatchObject([{ code: 'record', id: record.id }])
  })

  it('that fails is a STORE error with nothing secret in it, and what is remembered is forgotten', async () => {
    const inner = memoryStore()
    const store = wrapStore(inner, async (verb, ask) => {
      if (verb !== 'revokeWhere') return ask()
      await ask()
      throw new Error('connect ECONNREFUSED postgres://user:hunter2@db.internal:5432')
    })
    const keys = createApiKeys({ prefix: 'ra_', store, clock: fakeClock() })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    const error = await failure(() => keys.revokeAll({ owner: 'acct_1' }))
    expect(error).toMatchObject({ code: 'STORE', outcome: 'unknown' })
    expect(error.message).not.toContain('hunter2')
    expect(await judged(keys, key)).toBe('revoked')
  })
})
