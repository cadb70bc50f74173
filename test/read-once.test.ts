import {
  type ApiKeysOptions,
  type CreateInput,
  createApiKeys,
  type Demand,
  KeywardError,
  memoryStore,
  sha256,
} from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { judged, refusalIn } from './support/outcome.ts'
import { serve } from './support/serve.ts'

/** An object whose members answer once, and with something else ever after; and how often each was read. */
function fickle<T extends object>(first: T, then: Partial<Record<keyof T, unknown>> = {}) {
  const reads = new Map<string, number>()
  const object = {}
  for (const [name, value] of Object.entries(first)) {
    const get = () => {
      const count = (reads.get(name) ?? 0) + 1
      reads.set(name, count)
      return count === 1 ? value : name in then ? then[name as keyof T] : value
    }
    Object.defineProperty(object, name, { get, enumerable: true, configurable: true })
  }
  return { object: object as T, reads: () => Object.fromEntries(reads) }
}

/** The same as a Proxy, which answers what it likes for every member. */
function shifty<T extends object>(first: T, then: Partial<T>): T {
  const seen = new Set<PropertyKey>()
  return new Proxy(first, {
    get(target, name, receiver) {
      const source = seen.has(name) && name in then ? then : target
      seen.add(name)
      return Reflect.get(source, name, source === target ? receiver : source)
    },
  })
}

const each = (reads: Record<string, number>) => Object.values(reads).every((count) => count === 1)

const OPTIONS = {
  prefix: 'ro_',
  pair: false,
  store: memoryStore(),
  hasher: sha256(),
  names: 'unique',
  storeTimeout: 100,
  reveal: 'nobody',
  rateHeaders: 'both',
  realm: 'once',
  trustedProxies: ['10.0.0.0/8'],
  requireTls: false,
  hideCredentials: false,
  limits: { default: { minute: 5 } },
  cache: { maxLag: 500 },
  clock: fakeClock(),
} satisfies ApiKeysOptions

describe('P. What is read once', () => {
  it('P-02 each option is read exactly once', () => {
    const { object, reads } = fickle(OPTIONS)
    createApiKeys(object)
    expect(each(reads())).toBe(true)
    expect(Object.keys(reads()).sort()).toEqual(Object.keys(OPTIONS).sort())
  })

  it('P-02 so what it says later counts for nothing', async () => {
    const later = { prefix: 'evil_', pair: true, store: undefined, limits: undefined, names: 'free', reveal: 'holder' }
    const keys = createApiKeys(fickle(OPTIONS, later).object)
    const { key, record } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect([record.prefix, record.limits]).toEqual(['ro_', { minute: 5 }])
    expect(await judged(keys, key)).toBe('admitted')
    await expect(keys.create({ owner: 'acct_1', name: 'Sync' })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('P-02 also where a Proxy answers', async () => {
    const options = shifty<ApiKeysOptions>(
      { prefix: 'rp_', limits: { default: { minute: 1 } } },
      { prefix: 'evil_', limits: {} },
    )
    const { record } = await createApiKeys(options).create({ owner: 'acct_1' })
    expect([record.prefix, record.limits]).toEqual(['rp_', { minute: 1 }])
  })

  it.each([
    ['cache', { maxLag: 500, maxKeys: 10 }, { maxLag: -1, maxKeys: -1 }],
    ['limits', { default: { minute: 5 }, max: { minute: 10 } }, { default: 'none', max: 'none' }],
    ['scopes', { contacts: ['read'] }, { contacts: ['*'] }],
    ['prefix', { live: 'lv_', test: 'ts_' }, { live: 'LV', test: '' }],
  ])('P-02 what is inside of %s is read once too, and cannot become what is not allowed', (name, first, then) => {
    const { object, reads } = fickle(first, then)
    createApiKeys({ prefix: 'ro_', [name]: object } as unknown as ApiKeysOptions)
    expect(reads()).toEqual(Object.fromEntries(Object.keys(first).map((member) => [member, 1])))
  })

  it('P-02 options that are changed after construction change nothing', async () => {
    const limits = { default: { minute: 1 } }
    const cache = { maxLag: 500 }
    const trustedProxies = ['10.0.0.0/8']
    const prefix = ['ra_', 'rb_']
    const scopes = { contacts: ['read'] }
    const keys = createApiKeys({ prefix, limits, cache, trustedProxies, scopes })
    limits.default.minute = 1000
    prefix[0] = 'evil_'
    trustedProxies.push('0.0.0.0/0')
    scopes.contacts.push('delete')
    const { key, record } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    expect([record.prefix, record.limits]).toEqual(['ra_', { minute: 1 }])
    expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'rate_limited'])
    await expect(keys.create({ owner: 'a', scopes: ['contacts:delete'] })).rejects.toMatchObject({ code: 'INPUT' })
    expect(Object.isFrozen(keys)).toBe(true)
  })

  it('P-02 each member of a demand is read exactly once, when the guard is made', async () => {
    const keys = createApiKeys({ prefix: 'ro_' })
    const demand: Demand = {
      scopes: ['a:read'],
      owner: 'acct_1',
      resource: '*',
      cost: 2,
      limits: { minute: 3 },
      optional: false,
    }
    const { object, reads } = fickle(demand)
    guard(keys, object)
    expect(reads()).toEqual(Object.fromEntries(Object.keys(demand).map((member) => [member, 1])))
  })

  it('P-02 so a demand that becomes weaker stays what it was', async () => {
    const keys = createApiKeys({ prefix: 'ro_' })
    const { key } = await keys.create({ owner: 'acct_1', scopes: ['b:read'] })
    const weak = { scopes: ['b:read'], owner: 'acct_1', optional: true, cost: 0 }
    for (const strong of [
      { scopes: ['a:read'] },
      { owner: 'acct_2' },
      { limits: { minute: 1 }, cost: 2 },
    ] as Demand[]) {
      expect(refusalIn(await keys.verify(key, fickle(strong, weak).object)).status).toBeGreaterThan(401)
      expect(refusalIn(await keys.verify(key, shifty(strong, weak as Demand))).status).toBeGreaterThan(401)
    }
  })

  it('P-02 what is inside of a demand is copied', () => {
    const keys = createApiKeys({ prefix: 'ro_' })
    const { object: scopes, reads } = fickle({ any: ['a:read'] }, { any: [] })
    guard(keys, { scopes })
    expect(reads()).toEqual({ any: 1 })
  })

  it('P-02 each field of a new key, and of a patch, is read exactly once', async () => {
    const keys = createApiKeys({ prefix: 'ro_' })
    const input: CreateInput = {
      owner: 'acct_1',
      name: 'Sync',
      scopes: ['a:read'],
      limits: { minute: 5 },
      allowedIps: ['10.0.0.0/8'],
      expiresAt: '2030-01-01T00:00:00Z',
      metadata: { plan: 'free' },
    }
    const later = { owner: 'acct_2', scopes: ['*'], limits: null, allowedIps: ['0.0.0.0/0'], expiresAt: 'never' }
    const created = fickle(input, later)
    const { record } = await keys.create(created.object)
    expect(each(created.reads())).toBe(true)
    expect(record).toMatchObject({
      owner: 'acct_1',
      scopes: ['a:read'],
      limits: { minute: 5 },
      allowedIps: ['10.0.0.0/8'],
    })
    const { owner: _, ...patch } = input
    const updated = fickle(patch, later)
    expect(await keys.update(record.id, updated.object)).toMatchObject({
      scopes: ['a:read'],
      expiresAt: '2030-01-01T00:00:00.000Z',
    })
    expect(each(updated.reads())).toBe(true)
  })

  it('P-02 lists and metadata that change between reads are kept as they were checked', async () => {
    const keys = createApiKeys({ prefix: 'ro_' })
    const scopes = shifty(['a:read'], { 0: '*' } as never)
    const metadata = fickle({ plan: 'free' }, { plan: () => 'not JSON' }).object
    const made = await keys.create({ owner: 'acct_1', scopes, metadata }).then(
      ({ record }) => [record.scopes, record.metadata],
      (error: KeywardError) => error.code,
    )
    expect([[['a:read'], { plan: 'free' }], 'INPUT']).toContainEqual(made)
  })

  it('P-02 conditions and options of verbs are read once', async () => {
    const keys = createApiKeys({ prefix: 'ro_' })
    const { record } = await keys.create({ owner: 'acct_1' })
    const foreign = () => fickle({ owner: 'acct_2' }, { owner: 'acct_1' }).object
    expect(await keys.get(record.id, foreign())).toBeUndefined()
    expect(await keys.revokeAll(foreign())).toBe(0)
    for (const act of [keys.disable(record.id, foreign()), keys.rotate(record.id, { overlap: 0, ...foreign() })]) {
      await expect(act).rejects.toBeInstanceOf(KeywardError)
    }
    expect((await keys.get(record.id))?.status).toBe('active')
  })

  it('P-02 a credential is read once: what was checked is what is hashed', async () => {
    const keys = createApiKeys({ prefix: 'ro_' })
    const [mine, theirs] = [await keys.create({ owner: 'acct_1' }), await keys.create({ owner: 'acct_2' })]
    const { object, reads } = fickle({ key: mine.key, address: '10.0.0.1' }, { key: theirs.key, address: 'nowhere' })
    expect(await judged(keys, object, { owner: 'acct_1' })).toBe('admitted')
    expect(each(reads())).toBe(true)
  })
})

it('the answers of a refusal are read once: what was checked is what is sent', async () => {
  const { object, reads } = fickle({ status: 403 }, { status: 200 })
  const keys = createApiKeys({ prefix: 'ro_', trustedProxies: [], answers: { missing_credentials: object } })
  const { url } = await serve((req, res) => guard(keys)(req, res, () => res.end()))
  expect((await fetch(url)).status).toBe(403)
  expect(reads()).toEqual({ status: 1 })
})
