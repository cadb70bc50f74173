import { createApiKeys, type KeyStore, type Moved, memoryStore, type StoredKey, type Taken } from 'keyward'
import { describe, expect, it } from 'vitest'
import { purse } from '../support/money.ts'
import { failure, judged, listener } from '../support/outcome.ts'
import { alteredStore, never } from '../support/stores.ts'

describe('L. Balances that cannot be relied on', () => {
  const BALANCES = [Number.NaN, null, '5', undefined, 1.5, Number.POSITIVE_INFINITY, {}, true]

  it.each(BALANCES)('L-23 a take that answers a balance of %o is unavailable, never admitted', async (balance) => {
    const heard = listener()
    const store: KeyStore = { ...memoryStore(), take: () => ({ ok: true, readings: [], balance }) as Taken }
    const { ask } = await purse({ remaining: 5 }, { store, onEvent: heard.onEvent })
    expect(await ask()).toBe('unavailable')
    expect(await ask({ reserve: 1 })).toBe('unavailable')
    expect(heard.of('fault')).toMatchObject([{ code: 'take' }, { code: 'take' }])
  })

  it.each([
    undefined,
    null,
    {},
    { ok: 'yes', readings: [], balance: 5 },
    { ok: 1, readings: [], balance: 5 },
    'ok',
    [],
  ])('L-23 a take that answers %j is unavailable, never admitted', async (taken) => {
    const store: KeyStore = { ...memoryStore(), take: () => taken as Taken }
    expect(await (await purse({ remaining: 5 }, { store })).ask()).toBe('unavailable')
  })

  it.each([
    null,
    5,
    [],
    {},
    { remaining: Number.NaN, opened: 1 },
    { remaining: null, opened: 1 },
    { remaining: '5', opened: 1 },
    { remaining: 1.5, opened: 1 },
    { remaining: 5 },
    { remaining: 5, opened: 'now' },
    { remaining: 5, opened: Number.NaN },
    { remaining: 5, opened: 1, refill: null },
    { remaining: 5, opened: 1, refill: {} },
    { remaining: 5, opened: 1, refill: { amount: '9', every: 'day' } },
    { remaining: 5, opened: 1, refill: { amount: Number.NaN, every: 'day' } },
    { remaining: 5, opened: 1, refill: { amount: 9, every: 'year' } },
    { remaining: 5, opened: 1, refill: { amount: 9, every: '0h' } },
  ])(
    'L-23 a record whose credits are %j is no key: refused, told as a fault, and neither shown nor changed',
    async (credits) => {
      const inner = memoryStore()
      const { key, record } = await createApiKeys({ prefix: 'pay_', store: inner }).create({ owner: 'acct_1' })
      const heard = listener()
      const store: KeyStore = {
        ...alteredStore((stored: StoredKey) => ({ ...stored, credits }), inner),
        move: (...args) => inner.move?.(...args) as Moved,
      }
      const keys = createApiKeys({ prefix: 'pay_', store, onEvent: heard.onEvent })
      expect(await judged(keys, key)).toBe('invalid_key')
      expect(heard.of('fault')).toMatchObject([{ code: 'record' }])
      const { id } = record
      for (const act of [
        () => keys.balance({ id }),
        () => keys.credit({ id }, 1),
        () => keys.update(id, { name: 'n' }),
      ]) {
        expect((await failure(act)).code).toBe('STORE')
      }
    },
  )

  it.each([
    [
      'throws',
      () => {
        throw new Error('gone')
      },
    ],
    ['rejects', () => Promise.reject(new Error('gone'))],
    ['never answers', never],
  ])('L-24 a store whose take %s is unavailable, and takes nothing that could be seen', async (_, take) => {
    const inner = memoryStore()
    const { ask, left } = await purse({ remaining: 5 }, { store: { ...inner, take }, storeTimeout: 20 })
    expect(await ask()).toBe('unavailable')
    expect(await left()).toBe(5)
  })
})
