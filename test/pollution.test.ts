import { type ApiKeysOptions, type Credential, createApiKeys, type Demand, type Verdict } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { wrongSecretFor } from './support/stores.ts'

const HOSTILE = { hash: 'sha256$', since: 0, until: 8e12 }

/** What an attacker who can write one member of `Object.prototype` would write: names of the catalogue, then our own. */
const POLLUTION: readonly (readonly [string, unknown])[] = [
  ['scopes', ['*']],
  ['tenantId', 'acct_2'],
  ['disabled', false],
  ['expiresAt', 8e12],
  ['expiresAt', 0],
  ['allowlist', ['0.0.0.0/0']],
  ['cost', 0],
  ['skip', true],
  ['owner', 'acct_2'],
  ['resource', '*'],
  ['environment', 'live'],
  ['status', 'active'],
  ['status', 'revoked'],
  ['limits', {}],
  ['limits', { minute: 0 }],
  ['allowedIps', ['0.0.0.0/0']],
  ['previous', HOSTILE],
  ['previousSecretUntil', null],
  ['credits', { remaining: 1e9, opened: 0 }],
  ['reserve', 0],
  ['optional', true],
  ['answers', {}],
  ['foreign', 'ignore'],
  ['address', '10.0.0.1'],
  ['peer', '10.0.0.1'],
  ['key', 'po_nonsense'],
  ['secret', 'po_sec_nonsense'],
  ['id', 'A'.repeat(12)],
  ['request', { owner: 'acct_2' }],
  ['ok', true],
  ['stale', undefined],
  ['access', { owner: 'acct_2' }],
  ['answer', { status: 200, headers: {}, body: '' }],
  ['overlap', { since: 0, until: 8e12 }],
  ['retryAfter', 0],
  ['any', ['a:read']],
  ['lease', 1],
  ['default', { minute: 0 }],
  ['max', { minute: 0 }],
  ['maxLag', 1e9],
  ['maxKeys', 1],
  ['minute', 0],
  ['name', 'polluted'],
  ['reason', 'polluted'],
  ['limit', 1],
  ['cursor', 'polluted'],
  ['actor', 'polluted'],
  ['uniqueName', 'polluted'],
  ['metadata', { polluted: true }],
  ['lastUsedAt', 0],
  ['uses', 1e9],
  ['revokedAt', 0],
  ['issues', []],
  ['outcome', 'unknown'],
]

let dirty: string | undefined

/**
 * Runs with `Object.prototype` polluted. Everything here answers at once or within microtasks: nobody else's code,
 * such as the test runner's, runs in between.
 */
async function polluted<T>([name, value]: readonly [string, unknown], act: () => Promise<T>): Promise<T> {
  Object.defineProperty(Object.prototype, name, { value, enumerable: true, configurable: true, writable: true })
  dirty = name
  try {
    return await act()
  } finally {
    Reflect.deleteProperty(Object.prototype, name)
    dirty = undefined
  }
}

afterEach(() => {
  if (dirty !== undefined) Reflect.deleteProperty(Object.prototype, dirty)
  expect(Object.keys(Object.prototype)).toEqual([])
})

const START = Date.UTC(2026, 0, 1)

/** Everything that decisions are made of: keys in every state, and how they are asked for. */
async function world(options: Partial<ApiKeysOptions> = {}) {
  const clock = fakeClock(START)
  let made = 0
  const generateId = () => `${++made}`.padStart(12, '0')
  const keys = createApiKeys({ prefix: 'po_', clock, generateId, ...options })
  const create = keys.create
  const bare = await create({ owner: 'acct_1' })
  const full = await create({ owner: 'acct_1', scopes: ['a:read'], limits: { minute: 5 }, allowedIps: ['10.0.0.0/8'] })
  const bound = await create({ owner: 'acct_1', resource: 'agent:1' })
  const [revoked, disabled, expired, exhausted] = await Promise.all([
    create({ owner: 'acct_1' }),
    create({ owner: 'acct_1' }),
    create({ owner: 'acct_1', expiresAt: new Date(START + 1) }),
    create({ owner: 'acct_1', limits: { minute: 0 } }),
  ])
  const rotated = await create({ owner: 'acct_1' })
  await keys.revoke(revoked.record.id)
  await keys.disable(disabled.record.id)
  await keys.rotate(rotated.record.id, { overlap: 0 })
  clock.advance(1)
  const wrong = await wrongSecretFor(bare.record.id, 'po_')
  return { keys, bare, full, bound, revoked, disabled, expired, exhausted, rotated, wrong }
}

type World = Awaited<ReturnType<typeof world>>

/** Questions with fresh credentials and demands, as a request brings them. */
const QUESTIONS: readonly (readonly [string, (w: World) => Credential, () => Demand | undefined])[] = [
  ['a key, nothing demanded', (w) => w.bare.key, () => undefined],
  ['a key, an empty demand', (w) => ({ key: w.bare.key }), () => ({})],
  ['a key without the scope', (w) => w.bare.key, () => ({ scopes: ['a:read'] })],
  ['a key with the scope', (w) => ({ key: w.full.key, address: '10.0.0.1' }), () => ({ scopes: ['a:read'], cost: 0 })],
  ['another scope', (w) => ({ key: w.full.key, address: '10.0.0.1' }), () => ({ scopes: { any: ['a:write'] } })],
  ['an allowlist and no address', (w) => w.full.key, () => ({ cost: 0 })],
  ['an allowlist and a credential without address', (w) => ({ key: w.full.key }), () => ({ cost: 0 })],
  ['an allowlist and a request without peer', (w) => header(w.full.key), () => ({ cost: 0 })],
  ['a bound key', (w) => w.bound.key, () => ({})],
  ['another owner', (w) => w.bare.key, () => ({ owner: 'acct_2' })],
  ['a revoked key', (w) => w.revoked.key, () => ({})],
  ['a disabled key', (w) => w.disabled.key, () => ({})],
  ['an expired key', (w) => w.expired.key, () => ({})],
  ['an exhausted key', (w) => w.exhausted.key, () => ({})],
  ['a secret that was rotated away', (w) => w.rotated.key, () => ({})],
  ['a wrong secret', (w) => w.wrong.key, () => ({})],
  ['a request with a key', (w) => header(w.bare.key), () => ({})],
  ['a request without one', () => ({ rawHeaders: ['Accept', '*/*'] }), () => ({})],
  ['a request with no headers told', () => ({ headers: {} }), () => ({})],
  ['a foreign credential where none is needed', () => header('sk-0123456789'), () => ({ optional: true })],
  [
    'a foreign token where none is needed',
    () => ({ headers: { authorization: 'Bearer eyJ' } }),
    () => ({ optional: true }),
  ],
]

const header = (key: string): Credential => ({ rawHeaders: ['X-API-Key', key] })

/** What everybody is told: the verdict, but for what differs from one run to the next. */
async function asked(w: World): Promise<Record<string, unknown>> {
  const told: Record<string, unknown> = {}
  for (const [question, credential, demand] of QUESTIONS) {
    let verdict: Verdict | string
    try {
      verdict = await w.keys.verify(credential(w), demand())
    } catch (error) {
      verdict = String(error)
    }
    told[question] = JSON.parse(JSON.stringify(verdict))
  }
  return told
}

const title = POLLUTION.map(([name, value]) => [name, value] as const)

describe('P. Prototype pollution', () => {
  it('P-01 the questions tell admissions from refusals of every kind', async () => {
    const told = Object.values(await asked(await world())) as { ok: boolean; code?: string }[]
    expect(told.filter(({ ok }) => ok)).toHaveLength(4)
    expect([...new Set(told.map(({ code }) => code ?? 'admitted'))].sort()).toEqual([
      ...['admitted', 'disabled', 'expired', 'insufficient_scope', 'invalid_key', 'ip_not_allowed'],
      ...['missing_credentials', 'owner_mismatch', 'rate_limited', 'resource_mismatch', 'revoked'],
    ])
  })

  it.each(title)(
    'P-01 Object.prototype.%s = %j before a request changes no decision, remembered or not',
    async (...pollution) => {
      const w = await world()
      const expected = await asked(w)
      expect(await polluted(pollution, () => asked(w))).toEqual(expected)
      const cold = await world({ cache: false })
      expect(await polluted(pollution, () => asked(cold))).toEqual(expected)
    },
  )

  it.each(title)(
    'P-01 Object.prototype.%s = %j from the start changes neither options nor keys nor decisions',
    async (...pollution) => {
      const expected = await asked(await world())
      expect(await polluted(pollution, async () => asked(await world()))).toEqual(expected)
    },
  )
})

describe('P. Prototype pollution of management', () => {
  /** The lives of three keys with as little said as possible: what came of each call, and whom it may ask later. */
  async function lives() {
    const clock = fakeClock(START)
    const random = (size: number) => new Uint8Array(size).fill(clock.now() % 199)
    const keys = createApiKeys({ prefix: 'po_', clock, random })
    const outcomes: unknown[] = []
    const attempt = async <T>(act: () => Promise<T>, shown: (result: T) => unknown = () => 'done') => {
      try {
        outcomes.push(shown(await act()))
      } catch (error) {
        outcomes.push(String(error))
      }
    }
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      clock.advance(1)
      await attempt(
        () => keys.create({ owner: 'acct_1' }),
        ({ record }) => ids.push(record.id),
      )
    }
    const [first = '', second = '', third = ''] = ids
    await attempt(() => keys.update(first, { description: 'x' }))
    await attempt(() => keys.rotate(first, { overlap: '1h' }))
    await attempt(() => keys.update(first, {}))
    await attempt(() => keys.disable(first))
    await attempt(() => keys.enable(first))
    await attempt(
      () => keys.list(),
      ({ items, cursor }) => [items.map(({ id }) => id), cursor],
    )
    await attempt(
      () => keys.list({ status: 'active' }),
      ({ items }) => items.length,
    )
    await attempt(
      () => keys.get(first),
      (record) => record?.id,
    )
    await attempt(() => keys.revokeAll({}))
    await attempt(() => keys.revoke(second, {}))
    await attempt(() => keys.remove(third))
    return { outcomes, records: async () => JSON.parse(JSON.stringify(await keys.list())) }
  }

  it.each(title)('P-01 Object.prototype.%s = %j is neither obeyed nor kept', async (...pollution) => {
    const expected = await lives()
    expect(expected.outcomes).not.toContainEqual(expect.stringContaining('TypeError'))
    const seen = await polluted(pollution, lives)
    expect(seen.outcomes).toEqual(expected.outcomes)
    expect(await seen.records()).toEqual(await expected.records())
  })

  it.each(title)('P-01 Object.prototype.%s = %j does not reach what revokeAll revokes', async (...pollution) => {
    const keys = createApiKeys({ prefix: 'po_', clock: fakeClock(START) })
    await keys.create({ owner: 'acct_1', resource: 'agent:1' })
    const { record } = await keys.create({ owner: 'acct_2' })
    expect(await polluted(pollution, () => keys.revokeAll({ owner: 'acct_1' }).catch(String))).toBe(1)
    expect(await keys.get(record.id)).toEqual(record)
  })
})
