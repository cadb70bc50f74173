import { type ApiKeysOptions, createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { CARRIERS } from '../support/express.ts'
import { atOnce, carrying, farAway, hold, tally } from '../support/money.ts'
import { accessIn, failure, judged } from '../support/outcome.ts'

/** A store without some of its verbs. */
function without(...verbs: readonly ('take' | 'move')[]): KeyStore {
  const entries = Object.entries(memoryStore()).filter(([verb]) => !verbs.some((absent) => absent === verb))
  return Object.fromEntries(entries) as unknown as KeyStore
}

function owners(options: Partial<ApiKeysOptions> = {}) {
  return createApiKeys({ prefix: 'pay_', credits: 'owner', ...options })
}

describe('Credits per owner', () => {
  it.each(CARRIERS)('are one balance for all keys of an owner: $source', async (carrier) => {
    const keys = owners(carrier.options)
    const [one, two] = [await keys.create({ owner: 'acct_1' }), await keys.create({ owner: 'acct_1' })]
    await keys.credit({ owner: 'acct_1' }, 3)
    expect(await judged(keys, carrying(carrier, one), { cost: 2 })).toBe('admitted')
    expect(await judged(keys, carrying(carrier, two), { cost: 2 })).toBe('insufficient_balance')
    expect(await judged(keys, carrying(carrier, two))).toBe('admitted')
    expect(await keys.balance({ owner: 'acct_1' })).toBe(0)
  })

  it('an owner never credited has 0, and is refused unless the request costs nothing', async () => {
    const keys = owners()
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await keys.balance({ owner: 'acct_1' })).toBe(0)
    expect(await judged(keys, key)).toBe('insufficient_balance')
    expect(await judged(keys, key, { reserve: 1 })).toBe('insufficient_balance')
    expect(await judged(keys, key, { cost: 0 })).toBe('admitted')
  })

  it('owners are apart, however alike they are written', async () => {
    const keys = owners()
    const names = [
      'acct',
      'ACCT',
      ':acct',
      'acct:',
      'acct:1',
      '__proto__',
      'constructor',
      'ac\u0301ct',
      '\u00e1cct',
      '*',
    ]
    for (const owner of names) expect(await keys.balance({ owner })).toBe(0)
    for (const [i, owner] of names.entries()) await keys.credit({ owner }, i + 1)
    expect(await Promise.all(names.map((owner) => keys.balance({ owner })))).toEqual(names.map((_, i) => i + 1))
  })

  it('an owner who is called like a key of somebody else has nothing of its balance', async () => {
    const store = memoryStore()
    const perKey = createApiKeys({ prefix: 'own_', store })
    const { record } = await perKey.create({ owner: 'acct_1', credits: { remaining: 50 } })
    const keys = owners({ store })
    for (const owner of [record.id, `${record.id}:${Date.parse(record.createdAt)}`]) {
      expect(await keys.balance({ owner })).toBe(0)
    }
    await keys.credit({ owner: record.id }, 7)
    expect(await perKey.balance({ id: record.id })).toBe(50)
  })

  it('instances on one store share it, of whatever prefix and process', async () => {
    const store = memoryStore()
    const live = owners({ store })
    const [again, test] = [owners({ store }), owners({ store, prefix: 'try_' })]
    const [first, other] = [await live.create({ owner: 'acct_1' }), await test.create({ owner: 'acct_1' })]
    await test.credit({ owner: 'acct_1' }, 2)
    expect(await judged(again, first.key)).toBe('admitted')
    expect(await judged(test, other.key)).toBe('admitted')
    expect(await judged(live, first.key)).toBe('insufficient_balance')
  })

  it('L-22 100 callers at once by ten keys of an owner who has 10: ten are served', async () => {
    const keys = owners({ store: farAway(), storeTimeout: '10s' })
    const made = await atOnce(10, () => keys.create({ owner: 'acct_1' }))
    await keys.credit({ owner: 'acct_1' }, 10)
    const texts = made.map(({ key }) => key)
    const outcomes = await atOnce(100, (i) => judged(keys, texts[i % 10] ?? ''))
    expect(tally(outcomes)).toEqual({ admitted: 10, insufficient_balance: 90 })
    expect(await keys.balance({ owner: 'acct_1' })).toBe(0)
  })

  it('is held by one key, free for none, and settled on the owner’s balance', async () => {
    const keys = owners()
    const [one, two] = [await keys.create({ owner: 'acct_1' }), await keys.create({ owner: 'acct_1' })]
    await keys.credit({ owner: 'acct_1' }, 10)
    const { settle } = await hold({ keys, key: one.key }, { reserve: 8 })
    expect(await judged(keys, two.key, { cost: 3 })).toBe('insufficient_balance')
    expect(await settle(5)).toEqual({ charged: 5, short: 0 })
    expect(await judged(keys, two.key, { cost: 5 })).toBe('admitted')
    expect(await keys.balance({ owner: 'acct_1' })).toBe(0)
  })

  it('stays where it is when a key of the owner goes, or is rotated or revoked', async () => {
    const keys = owners()
    const { record } = await keys.create({ owner: 'acct_1' })
    await keys.credit({ owner: 'acct_1' }, 10)
    await keys.rotate(record.id, { overlap: 0 })
    await keys.revoke(record.id, { reason: 'gone' })
    await keys.remove(record.id)
    expect(await keys.balance({ owner: 'acct_1' })).toBe(10)
  })

  it('is credited and read by the id of any key, too', async () => {
    const keys = owners()
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.credit({ id: record.id }, 4)).toBe(4)
    expect([await keys.balance({ id: record.id }), await keys.balance({ owner: 'acct_1' })]).toEqual([4, 4])
  })

  it('is no field of a key: neither given nor changed with one, nor shown as the key’s', async () => {
    const keys = owners()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.credit({ owner: 'acct_1' }, 4)
    for (const act of [
      () => keys.create({ owner: 'acct_1', credits: { remaining: 1 } }),
      () => keys.update(record.id, { credits: { remaining: 1 } }),
    ]) {
      const error = await failure(act)
      expect([error.code, error.issues?.[0]?.path]).toEqual(['INPUT', 'credits'])
    }
    expect((await keys.get(record.id))?.credits).toBeUndefined()
    expect(accessIn(await keys.verify(key)).credits).toBeUndefined()
    expect(await keys.balance({ owner: 'acct_1' })).toBe(3)
  })

  it('is never remembered: what another instance gave counts at once, also for a key that was used long ago', async () => {
    const [store, clock] = [memoryStore(), fakeClock()]
    const [keys, other] = [owners({ store, clock }), owners({ store, clock })]
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('insufficient_balance')
    clock.advance('1h')
    await other.credit({ owner: 'acct_1' }, 1)
    expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'insufficient_balance'])
  })
})

describe('Credits need a store that keeps balances', () => {
  it.each([
    ['take', without('take')],
    ['move', without('move')],
    ['take and move', without('take', 'move')],
  ] as const)(
    'without %s, credits per owner are CONFIG at construction, credits of a key at create and update',
    async (_, store) => {
      const error = await failure(() => owners({ store }))
      expect([error.code, error.issues?.[0]?.path]).toEqual(['CONFIG', 'credits'])
      const keys = createApiKeys({ prefix: 'pay_', store })
      const { key, record } = await keys.create({ owner: 'acct_1' })
      expect((await failure(() => keys.create({ owner: 'acct_1', credits: { remaining: 1 } }))).code).toBe('CONFIG')
      expect((await failure(() => keys.update(record.id, { credits: { remaining: 1 } }))).code).toBe('CONFIG')
      expect((await keys.list()).items).toHaveLength(1)
      expect((await keys.get(record.id))?.credits).toBeUndefined()
      expect(await judged(keys, key)).toBe('admitted')
      // To clear what is not there needs no balance.
      expect((await keys.update(record.id, { credits: null })).credits).toBeUndefined()
    },
  )

  it('a key with credits on a store that cannot take them is unavailable, never admitted', async () => {
    const inner = memoryStore()
    const { key, record } = await createApiKeys({ prefix: 'pay_', store: inner }).create({
      owner: 'acct_1',
      credits: { remaining: 5 },
    })
    const { take: _, move: __, ...five } = inner
    const keys = createApiKeys({ prefix: 'pay_', store: five })
    expect(await judged(keys, key)).toBe('unavailable')
    expect(await judged(keys, key, { cost: 0 })).toBe('unavailable')
    expect((await failure(() => keys.credit({ id: record.id }, 1))).code).toBe('CONFIG')
  })

  it.each(['keys', '', true, null, ['owner'], {}])(
    'credits: %j is CONFIG that names the option and its value',
    async (credits) => {
      const error = await failure(() => createApiKeys({ prefix: 'pay_', credits } as never))
      expect([error.code, error.issues?.[0]?.path]).toEqual(['CONFIG', 'credits'])
      expect(error.message).toContain(JSON.stringify(credits))
    },
  )
})
