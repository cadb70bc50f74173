import { type ApiKeysOptions, createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { failure } from '../../support/outcome.ts'
import { wrapStore } from '../../support/stores.ts'
import { clientOf, unnumbered } from './client.ts'

const UNKNOWN = '0'.repeat(12)

describe.each(BOTH_STORES)('GET /:id/usage on the %s store', (_, open) => {
  const start = (more: Partial<ApiKeysOptions> = {}) => {
    const clock = fakeClock()
    const { store, rows } = open()
    const keys = createApiKeys({ prefix: 'mu_', store, clock, cache: false, ...more })
    return { clock, keys, rows, ask: clientOf(keys) }
  }

  it('tells what was used of every window, when more is free, and the balance', async () => {
    const { clock, keys, ask } = start({ limits: { default: { hour: 100 } } })
    const input = { limits: { minute: 3 }, credits: { remaining: 10 } }
    const { key, record } = (await ask('POST', '/', { json: input })).body
    await keys.verify(key)
    clock.advance(10_000)
    await keys.verify(key, { cost: 2 })
    await keys.flush()
    const told = await ask('GET', `/${record.id}/usage`)
    const [first, last] = [-10_000, 0].map((ago) => clock.now() + ago) as [number, number]
    expect([told.status, told.body]).toEqual([
      200,
      {
        usage: {
          uses: 2,
          lastUsedAt: new Date(last).toISOString(),
          readings: [
            { name: 'hour', limit: 100, remaining: 97, resetsAt: new Date(first + 3_600_000).toISOString() },
            { name: 'minute', limit: 3, remaining: 0, resetsAt: new Date(first + 60_000).toISOString() },
          ],
          balance: 7,
        },
      },
    ])
  })

  it('spends nothing, however often it is asked, and changes nothing', async () => {
    const { keys, rows, ask } = start()
    const json = { limits: { minute: 3 }, credits: { remaining: 10 } }
    const { key, record } = (await ask('POST', '/', { json })).body
    await keys.verify(key)
    await keys.flush()
    const before = await rows([record.id])
    for (let i = 0; i < 10; i++) await ask('GET', `/${record.id}/usage`)
    expect(await rows([record.id])).toBe(before)
    expect(await keys.verify(key)).toMatchObject({ ok: true, readings: [{ remaining: 1 }] })
  })

  it('tells of a key that was never used, that has no limits, and that is revoked', async () => {
    const { ask } = start()
    const { id } = (await ask('POST', '/', { json: {} })).body.record
    expect((await ask('GET', `/${id}/usage`)).body).toEqual({ usage: { uses: 0, readings: [] } })
    await ask('POST', `/${id}/revoke`)
    expect((await ask('GET', `/${id}/usage`)).body).toEqual({ usage: { uses: 0, readings: [] } })
  })

  it('tells the balance of the owner where balances are theirs', async () => {
    const { keys, ask } = start({ credits: 'owner' })
    await keys.credit({ owner: 'acct_1' }, 30)
    const { key, record } = (await ask('POST', '/', { json: {} })).body
    await keys.verify(key, { reserve: 5 })
    expect((await ask('GET', `/${record.id}/usage`)).body).toMatchObject({ usage: { balance: 25 } })
  })

  it('M-09: tells a key of others as one that was never made', async () => {
    const { ask } = start()
    const { id } = (await ask('POST', '/', { json: { resource: 'agent:1' } })).body.record
    for (const headers of [{ 'x-owner': 'acct_2' }, { 'x-resource': 'agent:2' }]) {
      const foreign = await ask('GET', `/${id}/usage`, { headers })
      expect(foreign.status).toBe(404)
      expect(unnumbered(foreign)).toEqual(unnumbered(await ask('GET', `/${UNKNOWN}/usage`, { headers })))
    }
  })
})

describe('usage()', () => {
  it('counts in this process where the store counts nothing', async () => {
    const { take: _, move: __, lease: ___, ...plain } = memoryStore()
    const keys = createApiKeys({ prefix: 'mu_', store: plain, limits: { default: { minute: 2 } } })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.verify(key)
    expect(await keys.usage(record.id)).toMatchObject({ readings: [{ remaining: 1 }], balance: undefined })
  })

  it('looks again where the key changes meanwhile', async () => {
    const inner = memoryStore()
    const changes: (() => unknown)[] = []
    const store = wrapStore(inner, async (verb, ask) => {
      if (verb === 'take') await changes.pop()?.()
      return ask()
    })
    const keys = createApiKeys({ prefix: 'mu_', store, limits: { default: { minute: 2 } } })
    const other = createApiKeys({ prefix: 'mu_', store: inner, limits: { default: { minute: 2 } } })
    const { record } = await keys.create({ owner: 'acct_1' })
    changes.push(() => other.update(record.id, { limits: { minute: 7 } }))
    expect(await keys.usage(record.id)).toMatchObject({ readings: [{ limit: 7, remaining: 7 }] })
  })

  it.each([
    [
      'readings of no number',
      { ok: true, readings: [{ name: 'minute', limit: 2, remaining: Number.NaN, resetsAt: 1 }] },
    ],
    ['no readings', { ok: true, readings: [] }],
    ['no time', { ok: true, readings: [{ name: 'minute', limit: 2, remaining: 2, resetsAt: Number.NaN }] }],
  ])('is a fault where the store answers %s', async (_, answer) => {
    const store: KeyStore = { ...memoryStore(), take: () => answer }
    const keys = createApiKeys({ prefix: 'mu_', store, limits: { default: { minute: 2 } } })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect((await failure(() => keys.usage(record.id))).code).toBe('STORE')
  })

  it('refuses what is unknown, and a condition that is none', async () => {
    const keys = createApiKeys({ prefix: 'mu_' })
    expect((await failure(() => keys.usage(UNKNOWN))).code).toBe('NOT_FOUND')
    expect((await failure(() => keys.usage(UNKNOWN, { ownr: 'x' } as never))).code).toBe('INPUT')
  })
})
