import { type CreateInput, createApiKeys, memoryStore, type UpdatePatch } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, failure, judged, listener } from '../support/outcome.ts'
import { kept, wrapStore } from '../support/stores.ts'

const FULL = {
  owner: 'acct_1',
  name: 'Sync',
  description: 'what for',
  scopes: ['a:read'],
  limits: { minute: 60, hour: 1000 },
  allowedIps: ['10.0.0.0/8'],
  expiresAt: '2030-01-01T00:00:00.000Z',
  metadata: { plan: 'free' },
} satisfies CreateInput

const CLEARED: Readonly<Record<string, unknown>> = { scopes: [], limits: {} }
const FIELDS = ['name', 'description', 'scopes', 'limits', 'allowedIps', 'expiresAt', 'metadata'] as const

async function instance(input: CreateInput = FULL) {
  const [clock, store] = [fakeClock(), memoryStore()]
  const keys = createApiKeys({ prefix: 'up_', store, clock })
  return { clock, store, keys, ...(await keys.create(input)) }
}

describe('update', () => {
  it.each([
    ['name', 'Renamed'],
    ['description', 'what else for'],
    ['scopes', ['a:write', 'b:*']],
    ['allowedIps', ['192.0.2.0/24', '2001:db8::/32']],
    ['expiresAt', '2031-01-01T00:00:00.000Z'],
    ['metadata', { plan: 'pro' }],
  ])('changes %s and nothing else', async (field, value) => {
    const { keys, record, clock } = await instance()
    clock.advance(1000)
    const updated = await keys.update(record.id, { [field]: value })
    expect(updated).toEqual({ ...record, [field]: value, updatedAt: new Date(clock.now()).toISOString() })
    expect(await keys.get(record.id)).toEqual(updated)
  })

  it.each(FIELDS)('null clears %s, and nothing else', async (field) => {
    const { keys, record, store } = await instance()
    const updated = await keys.update(record.id, { [field]: null })
    expect(updated).toEqual({ ...record, [field]: CLEARED[field], updatedAt: updated.updatedAt })
    const stored = await kept(store, record.id)
    if (field !== 'scopes') expect(Object.keys(stored)).not.toContain(field)
    expect(Object.values(stored)).not.toContain(null)
  })

  it.each(FIELDS)('undefined leaves %s', async (field) => {
    const { keys, record } = await instance()
    const updated = await keys.update(record.id, { [field]: undefined, description: 'changed' })
    expect(updated[field]).toEqual(field === 'description' ? 'changed' : record[field])
  })

  it('with nothing in it changes nothing that can be seen', async () => {
    const { keys, record } = await instance()
    expect(await keys.update(record.id, {})).toEqual(record)
  })

  it('with nothing in it is no change, of which anybody hears', async () => {
    const { onEvent, events } = listener()
    const keys = createApiKeys({ prefix: 'up_', onEvent, clock: fakeClock() })
    const { record } = await keys.create(FULL)
    for (const patch of [{}, { name: undefined }])
      expect(await keys.update(record.id, patch as UpdatePatch)).toEqual(record)
    expect(events.map(({ type }) => type)).toEqual(['created'])
  })

  it('writes no list of scopes in place of a damaged one, unless it is given one; what stops the key goes first', async () => {
    for (const stop of ['disable', 'revoke'] as const) {
      const { keys, record, store } = await instance()
      const stored = await kept(store, record.id)
      const scopes = 'a:read' as never
      await store.replace({ ...stored, scopes, version: stored.version + 1 }, stored.version)
      const told = { code: 'STORE', message: `the record of ${record.id} has scopes that are no list of text` }
      expect(await failure(() => keys.update(record.id, { name: 'renamed' }))).toMatchObject(told)
      expect(await failure(() => keys.rotate(record.id, { overlap: 0 }))).toMatchObject(told)
      expect((await kept(store, record.id)).scopes).toBe(scopes)
      if (stop === 'disable') expect((await keys.update(record.id, { scopes: ['a:read'] })).scopes).toEqual(['a:read'])
      expect((await keys[stop](record.id)).status).not.toBe('active')
    }
  })

  it('gives a later version with each change', async () => {
    const { keys, record, store } = await instance()
    const { version } = await kept(store, record.id)
    await keys.update(record.id, { name: 'once' })
    const { version: second } = await kept(store, record.id)
    await keys.update(record.id, { name: 'twice' })
    expect(second).toBeGreaterThan(version)
    expect((await kept(store, record.id)).version).toBeGreaterThan(second)
  })

  it('replaces metadata whole, and copies it', async () => {
    const { keys, record } = await instance()
    const metadata = { seats: 3, nested: { list: [1] } }
    await keys.update(record.id, { metadata })
    metadata.nested.list.push(2)
    expect((await keys.get(record.id))?.metadata).toEqual({ seats: 3, nested: { list: [1] } })
  })

  it('is obeyed by the next request: an address, a scope, an end', async () => {
    const { keys, key, record, clock } = await instance()
    const here = { key, address: '10.1.2.3' }
    expect(await judged(keys, here)).toBe('admitted')
    await keys.update(record.id, { allowedIps: ['192.0.2.1'] })
    expect(await judged(keys, here)).toBe('ip_not_allowed')
    await keys.update(record.id, { allowedIps: null, scopes: null })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key, { scopes: ['a:read'] })).toBe('insufficient_scope')
    await keys.update(record.id, { expiresAt: new Date(clock.now() + 1) })
    clock.advance(1)
    expect(await judged(keys, key)).toBe('expired')
  })

  it('is refused for a revoked key, which stays byte for byte', async () => {
    const { keys, record, store } = await instance()
    await keys.revoke(record.id)
    const before = await kept(store, record.id)
    for (const patch of [{ name: 'x' }, {}, { expiresAt: null }]) {
      expect((await failure(() => keys.update(record.id, patch))).code).toBe('STATE')
    }
    expect(await kept(store, record.id)).toEqual(before)
  })

  it('is possible while a key is disabled or expired, and revives neither', async () => {
    const { keys, key, record, clock } = await instance({ owner: 'acct_1', expiresAt: new Date(Date.UTC(2026, 0, 2)) })
    await keys.disable(record.id)
    expect((await keys.update(record.id, { name: 'renamed' })).status).toBe('disabled')
    await keys.enable(record.id)
    clock.advance('1d')
    expect((await keys.update(record.id, { name: 'again' })).status).toBe('expired')
    expect(await judged(keys, key)).toBe('expired')
  })

  it('loses nothing when it meets another change: both are kept', async () => {
    const { keys, record } = await instance()
    await Promise.all([
      keys.update(record.id, { name: 'renamed' }),
      keys.update(record.id, { scopes: ['b:read'] }),
      keys.disable(record.id),
      keys.update(record.id, { metadata: null }),
    ])
    const after = await keys.get(record.id)
    expect(after).toMatchObject({ name: 'renamed', scopes: ['b:read'], status: 'disabled', metadata: undefined })
  })

  it('cannot undo a revocation that comes first', async () => {
    const inner = memoryStore()
    const other = createApiKeys({ prefix: 'up_', store: inner })
    let revoke = async (): Promise<unknown> => undefined
    const store = wrapStore(inner, async (verb, ask) => {
      if (verb === 'replace') await revoke()
      return ask()
    })
    const keys = createApiKeys({ prefix: 'up_', store })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    revoke = () => other.revoke(record.id)
    expect((await failure(() => keys.update(record.id, { name: 'late' }))).code).toBe('STATE')
    expect(await keys.get(record.id)).toMatchObject({ status: 'revoked', name: undefined })
    expect(await judged(keys, key)).toBe('revoked')
  })

  it('gives up with CONFLICT where others keep changing the key', async () => {
    const inner = memoryStore()
    const other = createApiKeys({ prefix: 'up_', store: inner })
    const store = wrapStore(inner, async (verb, ask, [key]) => {
      if (verb === 'replace') await other.update((key as { id: string }).id, { description: 'theirs' })
      return ask()
    })
    const keys = createApiKeys({ prefix: 'up_', store })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect((await failure(() => keys.update(record.id, { name: 'mine' }))).code).toBe('CONFLICT')
    expect(await keys.get(record.id)).toMatchObject({ description: 'theirs', name: undefined })
  })
})

describe('update of limits', () => {
  it('adds no more windows than a new key may have, and null makes room', async () => {
    const { keys, record } = await instance({ owner: 'acct_1', limits: { minute: 60 } })
    const windows = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ name: `w${n}`, limit: 5, window: '1h' as const }))
    await keys.update(record.id, { limits: windows(7) })
    const more = { limits: [{ name: 'w8', limit: 5, window: '1h' }] } as const
    expect(await failure(() => keys.update(record.id, more))).toMatchObject({
      code: 'INPUT',
      issues: [{ path: 'limits' }],
    })
    expect(Object.keys((await keys.update(record.id, { limits: { minute: 6 } })).limits)).toHaveLength(8)
    await keys.update(record.id, { limits: null })
    expect(Object.keys((await keys.update(record.id, more)).limits)).toEqual(['w8'])
  })

  it('null lifts a default in both forms', async () => {
    const burst = [{ name: 'burst', limit: 5, window: '10s' }] as const
    const keys = createApiKeys({ prefix: 'up_', limits: { default: burst } })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(record.limits).toEqual({ burst: { limit: 5, window: 10_000 } })
    expect((await keys.update(record.id, { limits: [{ ...burst[0], limit: null }] })).limits).toEqual({})
  })

  it('merges windows into the key’s own by name', async () => {
    const { keys, record } = await instance()
    expect((await keys.update(record.id, { limits: { hour: 10, day: 50 } })).limits).toEqual({
      minute: 60,
      hour: 10,
      day: 50,
    })
    const burst = [{ name: 'burst', limit: 5, window: '10s' }] as const
    const updated = await keys.update(record.id, { limits: burst })
    expect(updated.limits).toEqual({ minute: 60, hour: 10, day: 50, burst: { limit: 5, window: 10_000 } })
    expect((await keys.update(record.id, { limits: { minute: 0 } })).limits.minute).toBe(0)
  })

  it('goes back to the defaults for null, and lifts one of them where that is allowed', async () => {
    const limits = { default: { minute: 60, hour: 1000 }, max: { hour: 2000 } }
    const keys = createApiKeys({ prefix: 'up_', limits })
    const { record } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    expect(record.limits).toEqual({ minute: 5, hour: 1000 })
    expect((await keys.update(record.id, { limits: { minute: null } })).limits).toEqual({ hour: 1000 })
    expect((await keys.update(record.id, { limits: null })).limits).toEqual({ minute: 60, hour: 1000 })
    const refusals: UpdatePatch[] = [{ limits: { hour: null } }, { limits: { hour: 2001 } }]
    for (const patch of refusals) {
      const error = await failure(() => keys.update(record.id, patch))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'limits.hour' }] })
    }
    expect((await keys.update(record.id, { limits: { hour: 2000 } })).limits).toEqual({ minute: 60, hour: 2000 })
  })

  it('a window from before there was a maximum gives way to it, also where it is of another length', async () => {
    const store = memoryStore()
    const before = createApiKeys({ prefix: 'up_', store })
    const burst = [{ name: 'burst', limit: 2, window: '1s' }] as const
    const { key, record } = await before.create({ owner: 'acct_1', limits: burst })
    const max = [{ name: 'burst', limit: 3, window: '1h' }] as const
    const keys = createApiKeys({ prefix: 'up_', store, limits: { max } })
    expect((await keys.get(record.id))?.limits).toEqual({ burst: { limit: 3, window: 3_600_000 } })
    expect(accessIn(await keys.verify(key)).readings).toMatchObject([{ name: 'burst', limit: 3, remaining: 2 }])
  })

  it('L-17 counts at the next request: used beyond a lowered limit is full, a raised one has room', async () => {
    const { keys, key, record } = await instance({ owner: 'acct_1', limits: { minute: 100 } })
    for (let i = 0; i < 50; i++) await keys.verify(key)
    await keys.update(record.id, { limits: { minute: 10 } })
    expect(await judged(keys, key)).toBe('rate_limited')
    await keys.update(record.id, { limits: { minute: 60 } })
    expect(accessIn(await keys.verify(key)).readings).toMatchObject([{ name: 'minute', limit: 60, remaining: 9 }])
  })
})
