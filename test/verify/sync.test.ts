import { createApiKeys, hmac, type Limits, memoryStore, sha256 } from 'keyward'
import { describe, expect, it } from 'vitest'
import { facts, listener } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { distantStore } from '../support/stores.ts'

const HASHERS = [
  ['sha256', sha256()],
  ['hmac', hmac({ current: 'p1', peppers: { p1: 'v7Qm0z2LsE9rKc4TbXfY8nWd' } })],
] as const

const LIMITS: readonly (readonly [string, Limits | undefined])[] = [
  ['without limits', undefined],
  ['with limits', { minute: 100, hour: 1000 }],
]

const CASES = SOURCES.flatMap((source) =>
  HASHERS.flatMap(([scheme, hasher]) => LIMITS.map(([how, limits]) => ({ ...source, scheme, hasher, how, limits }))),
)

describe('what need not wait', () => {
  it.each(CASES)('a warm verification on memoryStore is no promise ($source, $scheme, $how)', async (c) => {
    const keys = createApiKeys({ prefix: 'sy_', pair: c.pair, hasher: c.hasher })
    const made = await keys.create({ owner: 'acct_1', limits: c.limits })
    await keys.verify(carried(c, made))
    const verdict = keys.verify(carried(c, made))
    expect(verdict).not.toBeInstanceOf(Promise)
    expect(verdict).toMatchObject({ ok: true, access: { id: made.record.id } })
  })

  it('nor is a cold one, nor one without a cache', async () => {
    for (const cache of [false, {}] as const) {
      const keys = createApiKeys({ prefix: 'sy_', cache })
      const { key } = await keys.create({ owner: 'acct_1' })
      expect(keys.verify(key)).toMatchObject({ ok: true })
    }
  })

  it('nor is a refusal of any kind', async () => {
    const keys = createApiKeys({ prefix: 'sy_' })
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 0 } })
    const codes = [
      keys.verify('sy_nonsense'),
      keys.verify(facts()),
      keys.verify(facts(['X-API-Key', 'a, b'])),
      keys.verify(key),
      keys.verify(key, { scopes: ['a:read'] }),
    ]
    await keys.revoke(record.id)
    expect([...codes, keys.verify(key)]).toMatchObject([
      { code: 'invalid_key' },
      { code: 'missing_credentials' },
      { code: 'ambiguous_credentials' },
      { code: 'rate_limited' },
      { code: 'insufficient_scope' },
      { code: 'revoked' },
    ])
  })

  it('behind a network the first waits, and from then on nothing does for the record', async () => {
    const keys = createApiKeys({ prefix: 'sy_', store: distantStore() })
    const { key } = await keys.create({ owner: 'acct_1' })
    const first = keys.verify(key)
    expect(first).toBeInstanceOf(Promise)
    await first
    expect(keys.verify(key)).toMatchObject({ ok: true })
  })

  it('a slow store waits for its take alone', async () => {
    const inner = memoryStore()
    const take = async (...args: Parameters<NonNullable<typeof inner.take>>) => inner.take?.(...args) as never
    const keys = createApiKeys({ prefix: 'sy_', store: { ...inner, take } })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 1 } })
    await keys.verify(key)
    const later = keys.verify(key)
    expect(later).toBeInstanceOf(Promise)
    expect(await later).toMatchObject({ code: 'rate_limited' })
  })

  it('a listener does not make it wait', async () => {
    const { onEvent } = listener()
    const keys = createApiKeys({ prefix: 'sy_', onEvent })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(keys.verify(key)).not.toBeInstanceOf(Promise)
  })
})

describe('what a handler gets', () => {
  it('is the record, frozen all the way down, with readings and can()', async () => {
    const keys = createApiKeys({ prefix: 'sy_' })
    const input = { owner: 'acct_1', scopes: ['a:*'], metadata: { plan: { tier: 1 } }, allowedIps: ['10.0.0.0/8'] }
    const { key, record } = await keys.create({ ...input, limits: { minute: 5 } })
    const verdict = await keys.verify({ key, address: '10.0.0.1' })
    if (!verdict.ok || verdict.access === undefined) throw new Error('not admitted')
    const { access } = verdict
    expect(access).toMatchObject({ ...record })
    expect([access.can('a:read'), access.can('b:read')]).toEqual([true, false])
    const parts = [access, access.scopes, access.limits, access.allowedIps, access.metadata, access.metadata?.plan]
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true)
  })

  it.each([
    ['the windows of all keys', {}],
    ['windows of its own', { limits: { minute: 2 } }],
  ])('R-23 is shown %s, which nobody can change for the next request', async (_, own) => {
    const keys = createApiKeys({ prefix: 'sy_', limits: { default: { minute: 2 } } })
    const { key } = await keys.create({ owner: 'acct_1', ...own })
    for (const limited of [false, false, true]) {
      const verdict = await keys.verify(key)
      expect(verdict.ok).toBe(!limited)
      const windows = verdict.windows as unknown as { limit: number }[]
      expect(windows).toEqual([{ name: 'minute', limit: 2, ms: 60_000 }])
      expect(() => windows.pop()).toThrow(TypeError)
      expect(() => Object.assign(windows[0] ?? {}, { limit: 100 })).toThrow(TypeError)
    }
  })

  it('R-23 is not changed for the next request by whoever tries', async () => {
    const keys = createApiKeys({ prefix: 'sy_' })
    const { key } = await keys.create({ owner: 'acct_1', scopes: ['a:read'], metadata: { plan: 'free' } })
    const attempt = async () => {
      const verdict = await keys.verify(key)
      if (!verdict.ok || verdict.access === undefined) throw new Error('not admitted')
      return verdict.access as unknown as { scopes: string[]; metadata: { plan: string }; owner: string; can: unknown }
    }
    const access = await attempt()
    expect(() => access.scopes.push('*')).toThrow(TypeError)
    expect(() => {
      access.metadata.plan = 'pro'
    }).toThrow(TypeError)
    expect(() => {
      access.owner = 'acct_2'
    }).toThrow(TypeError)
    expect(await attempt()).toMatchObject({ scopes: ['a:read'], metadata: { plan: 'free' }, owner: 'acct_1' })
  })

  it.each([
    ['with a limit', { minute: 5 }, [{ remaining: 4 }], [{ remaining: 3 }]],
    ['without', {}, [], []],
  ] as const)('R-23 has readings of its own, %s', async (_, limits, first, second) => {
    const keys = createApiKeys({ prefix: 'sy_' })
    const { key } = await keys.create({ owner: 'acct_1', limits })
    const attempt = async () => {
      const verdict = await keys.verify(key)
      if (!verdict.ok || verdict.access === undefined) throw new Error('not admitted')
      return verdict.access.readings as unknown[]
    }
    const readings = await attempt()
    expect(readings).toMatchObject(first)
    try {
      readings.length = 0
      readings.push({ remaining: 1_000 })
    } catch {}
    expect(await attempt()).toMatchObject(second)
  })

  it('R-22 is that of its own request, however many are under way', async () => {
    const keys = createApiKeys({ prefix: 'sy_', store: distantStore(), cache: false })
    const made = await Promise.all(Array.from({ length: 50 }, (_, n) => keys.create({ owner: `acct_${n}` })))
    const asked = Array.from({ length: 1000 }, (_, n) => made[(n * 7) % 50] ?? made[0])
    const found = await Promise.all(asked.map((each) => keys.verify(each?.key ?? '')))
    expect(found.map((verdict) => (verdict.ok ? verdict.access?.owner : verdict.code))).toEqual(
      asked.map((each) => each?.record.owner),
    )
  })
})
