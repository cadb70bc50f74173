import { type Created, createApiKeys, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { hold } from '../support/money.ts'
import { failure, judged } from '../support/outcome.ts'
import { unknownKeys } from '../support/strangers.ts'

const HERE = '203.0.113.9'

async function stranger(): Promise<string> {
  const [made] = await unknownKeys('fb_', 1)
  return (made as Created).key
}

/** Whether failures from one address hold another one back. */
async function shareBudget(one: string, other: string): Promise<boolean> {
  const keys = createApiKeys({ prefix: 'fb_', trustedProxies: [], failures: { limit: 1, window: '1h' } })
  const key = await stranger()
  await keys.verify({ rawHeaders: ['X-API-Key', key], peer: one })
  expect(await judged(keys, { rawHeaders: ['X-API-Key', key], peer: one })).toBe('too_many_failures')
  return (await judged(keys, { rawHeaders: ['X-API-Key', key], peer: other })) === 'too_many_failures'
}

describe('Failure budget: networks', () => {
  it.each([
    ['2001:db8:0:1::1', '2001:db8:0:1::2'],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
  ])('I-23 one IPv6 /64 is one network: %s and %s', async (one, other) => {
    expect(await shareBudget(one, other)).toBe(true)
  })

  it.each([
    ['two IPv6 /64', '2001:db8:0:1::1', '2001:db8:0:2::1'],
    ['two IPv6 /64 that differ high up', '2001:db8:0:1::1', '2001:db9:0:1::1'],
    ['two IPv4 addresses', '203.0.113.9', '203.0.113.8'],
    ['two IPv4 addresses, mapped', '::ffff:203.0.113.9', '::ffff:203.0.113.8'],
    ['an IPv4 address and IPv6 with its digits', '203.0.113.9', '::203.0.113.9'],
    ['an IPv4 address and its NAT64 form', '203.0.113.9', '64:ff9b::203.0.113.9'],
    ['0.0.0.1 and ::1', '0.0.0.1', '::1'],
  ])('I-23 %s are two networks', async (_, one, other) => {
    expect(await shareBudget(one, other)).toBe(false)
    expect(await shareBudget(other, one)).toBe(false)
  })

  it.each([
    ['2001:db8::1', '2001:DB8:0:0:0:0:0:1'],
    ['2001:db8::1', '2001:0db8:0000:0000:0000:0000:0000:0001'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:cb00:7109', '203.0.113.9'],
    ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
  ])('I-24 two spellings of one address are one: %s and %s', async (one, other) => {
    expect(await shareBudget(one, other)).toBe(true)
  })

  it('an attacker who walks through a /64 gains nothing, and one with many gets the budget of each', async () => {
    const keys = createApiKeys({ prefix: 'fb_', failures: { limit: 5, window: '1h' } })
    const key = await stranger()
    let tried = 0
    for (let i = 0; i < 3_000; i++) {
      const address = `2001:db8:0:${(i % 3).toString(16)}::${(i + 1).toString(16)}`
      if ((await judged(keys, { key, address })) === 'invalid_key') tried++
    }
    expect(tried).toBe(15)
  })

  it('A-09 a flood from 110,000 networks neither frees one that is held back nor stops the counting', async () => {
    const keys = createApiKeys({ prefix: 'fb_', failures: { limit: 2, window: '1h' } })
    const [key, { key: honest }] = [await stranger(), await keys.create({ owner: 'acct_1' })]
    const blocked = Array.from({ length: 200 }, (_, i) => `198.51.100.${i + 1}`)
    for (const address of [...blocked, ...blocked]) await keys.verify({ key, address })
    for (let i = 0; i < 110_000; i++) await keys.verify({ key, address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` })
    const outcomes = new Set<string>()
    for (const address of blocked) outcomes.add(await judged(keys, { key, address }))
    expect(outcomes).toEqual(new Set(['too_many_failures']))
    // A newcomer is counted as ever, and an honest one is served.
    const seen = []
    for (let i = 0; i < 3; i++) seen.push(await judged(keys, { key, address: '192.0.2.1' }))
    expect(seen).toEqual(['invalid_key', 'invalid_key', 'too_many_failures'])
    expect(await judged(keys, { key: honest, address: '192.0.2.2' })).toBe('admitted')
  })
})

describe('Failure budget: whom it concerns', () => {
  it('an address that is unknown has none: nothing is counted, nothing held back', async () => {
    const keys = createApiKeys({ prefix: 'fb_', failures: { limit: 1, window: '1h' } })
    const key = await stranger()
    for (let i = 0; i < 5; i++) {
      expect(await judged(keys, key)).toBe('invalid_key')
      expect(await judged(keys, { key })).toBe('invalid_key')
      expect(await judged(keys, { key, address: 'nowhere' })).toBe('invalid_key')
      expect(await judged(keys, { rawHeaders: ['X-API-Key', key], peer: undefined })).toBe('invalid_key')
    }
    expect(await judged(keys, { key, address: HERE })).toBe('invalid_key')
    expect(await judged(keys, { key, address: HERE })).toBe('too_many_failures')
    expect(await judged(keys, key)).toBe('invalid_key')
  })

  it('each instance has its own', async () => {
    const options = { prefix: 'fb_', store: memoryStore(), failures: { limit: 1, window: '1h' } } as const
    const [one, two] = [createApiKeys(options), createApiKeys(options)]
    const key = await stranger()
    await one.verify({ key, address: HERE })
    expect(await judged(one, { key, address: HERE })).toBe('too_many_failures')
    expect(await judged(two, { key, address: HERE })).toBe('invalid_key')
  })

  it('explain() says who is held back, and counts nothing', async () => {
    const keys = createApiKeys({ prefix: 'fb_', failures: { limit: 2, window: '1h' } })
    const key = await stranger()
    const { key: honest, record } = await keys.create({ owner: 'acct_1' })
    for (let i = 0; i < 5; i++) expect((await keys.explain({ key, address: HERE })).code).toBe('invalid_key')
    for (let i = 0; i < 2; i++) expect(await judged(keys, { key, address: HERE })).toBe('invalid_key')
    const held = await keys.explain({ key: honest, address: HERE })
    expect([held.ok, held.code]).toEqual([false, 'too_many_failures'])
    expect(held.steps.at(-1)).toMatchObject({ ok: false })
    expect((await keys.explain(honest)).ok).toBe(true)
    expect((await keys.explain({ id: record.id, address: HERE })).ok).toBe(true)
  })

  it('a store that fails is no failure of the client', async () => {
    const store = { ...memoryStore(), find: () => Promise.reject(new Error('gone')) }
    const keys = createApiKeys({ prefix: 'fb_', store, failures: { limit: 1, window: '1h' } })
    const key = await stranger()
    for (let i = 0; i < 3; i++) expect(await judged(keys, { key, address: HERE })).toBe('unavailable')
  })

  it('holds of a proved key work from a network that is held back', async () => {
    const keys = createApiKeys({ prefix: 'fb_', failures: { limit: 1, window: '1h' } })
    const { key } = await keys.create({ owner: 'acct_1', credits: { remaining: 5 } })
    expect(await (await hold({ keys, key }, { reserve: 2 })).settle(1)).toEqual({ charged: 1, short: 0 })
    await judged(keys, { key: await stranger(), address: HERE })
    expect(await judged(keys, { key, address: HERE }, { cost: 4 })).toBe('admitted')
  })

  it.each([
    5,
    'on',
    true,
    null,
    [],
    {},
    { limit: 3 },
    { window: '1m' },
    { limit: 0, window: '1m' },
    { limit: -1, window: '1m' },
    { limit: 1.5, window: '1m' },
    { limit: '3', window: '1m' },
    { limit: Number.NaN, window: '1m' },
    { limit: 3, window: 0 },
    { limit: 3, window: -5 },
    { limit: 3, window: '1 minute' },
    { limit: 3, window: Number.POSITIVE_INFINITY },
    { limit: 3, window: '1m', perKey: true },
  ])('failures: %j is CONFIG that names the option', async (failures) => {
    const error = await failure(() => createApiKeys({ prefix: 'fb_', failures } as never))
    expect(error.code).toBe('CONFIG')
    expect(error.issues?.[0]?.path).toMatch(/^failures/)
  })
})
