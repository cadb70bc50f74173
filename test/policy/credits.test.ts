import fc from 'fast-check'
import { createApiKeys, type Demand } from 'keyward'
import { describe, expect, it } from 'vitest'
import { CARRIERS } from '../support/express.ts'
import { atOnce, carrying, farAway, hold, purse, tally } from '../support/money.ts'
import { accessIn, failure, judged, listener, refusalIn } from '../support/outcome.ts'

describe('Credits: what a request takes', () => {
  it('takes 1 where neither cost nor reserve is stated', async () => {
    const { ask, left } = await purse({ remaining: 3 })
    expect(await ask()).toBe('admitted')
    expect(await left()).toBe(2)
  })

  it.each([
    ['a number', { cost: 4 }, 6],
    ['a function of the request', { cost: () => 7 }, 3],
    ['0, also as a function gives it', { cost: () => 0 }, 10],
    ['all that is there', { cost: 10 }, 0],
  ] satisfies [string, Demand, number][])('takes a cost that is %s', async (_, demand, rest) => {
    const { ask, left } = await purse({ remaining: 10 })
    expect(await ask(demand)).toBe('admitted')
    expect(await left()).toBe(rest)
  })

  it('gives a cost function the request, and asks it once', async () => {
    const { keys, created, left } = await purse({ remaining: 10 })
    const seen: unknown[] = []
    const cost = (given: unknown) => {
      seen.push(given)
      return (given as { tokens: number }).tokens
    }
    const requests = CARRIERS.slice(0, 2).map((carrier) => ({ carrier, request: { tokens: 5 } }))
    for (const { carrier, request } of requests) {
      expect(await judged(keys, carrying(carrier, created, { request }), { cost })).toBe('admitted')
    }
    expect(seen).toEqual(requests.map(({ request }) => request))
    expect(await left()).toBe(0)
  })

  it('charges keys without credits nothing, whatever the cost', async () => {
    const keys = createApiKeys({ prefix: 'pay_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key, { cost: 1_000_000 })).toBe('admitted')
    expect(await judged(keys, key, { reserve: 1_000_000 })).toBe('admitted')
  })

  it.each(CARRIERS)('L-22 balance 0 is refused, balance exactly the cost is taken to 0: $source', async (carrier) => {
    const { keys, created, left } = await purse({ remaining: 5 }, carrier.options)
    const ask = (demand?: Demand) => judged(keys, carrying(carrier, created), demand)
    expect(await ask({ cost: 6 })).toBe('insufficient_balance')
    expect(await ask({ cost: 5 })).toBe('admitted')
    expect(await left()).toBe(0)
    expect(await ask()).toBe('insufficient_balance')
    expect(await ask({ cost: 0 })).toBe('admitted')
  })

  it('tells the handler what is free after the request, and a refusal tells the key and no wait', async () => {
    const { keys, key, id } = await purse({ remaining: 5, refill: { amount: 9, every: 'week' } })
    const access = accessIn(await keys.verify(key, { cost: 2 }))
    expect(access.credits).toEqual({ remaining: 3, refill: { amount: 9, every: 'week' } })
    expect(Object.isFrozen(access) && Object.isFrozen(access.credits)).toBe(true)
    const refusal = refusalIn(await keys.verify(key, { cost: 4 }))
    expect(refusal).toMatchObject({ code: 'insufficient_balance', status: 402, record: { id } })
    expect(refusal.retryAfter).toBeUndefined()
    // The identity of an earlier request stays what it was.
    await keys.verify(key)
    expect(access.credits?.remaining).toBe(3)
  })

  it('L-22 50 requests of cost 1 on a balance of 10, all at once over a distant store: 10 are admitted', async () => {
    const { ask, left } = await purse({ remaining: 10 }, { store: farAway(), storeTimeout: '10s' })
    const outcomes = await atOnce(50, () => ask())
    expect(tally(outcomes)).toEqual({ admitted: 10, insufficient_balance: 40 })
    expect(await left()).toBe(0)
  })

  it('never goes below zero, and takes exactly what is admitted, in any order of costs and at once', async () => {
    const request = fc.record({ cost: fc.nat(7), held: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.array(request, { maxLength: 30 }), async (remaining, requests) => {
        const { ask, left } = await purse({ remaining }, { store: farAway(), storeTimeout: '10s' })
        const outcomes = await Promise.all(
          requests.map(({ cost, held }) => ask(held ? { reserve: cost, cost: 0 } : { cost })),
        )
        const taken = requests.reduce((sum, { cost }, i) => (outcomes[i] === 'admitted' ? sum + cost : sum), 0)
        expect(taken).toBeLessThanOrEqual(remaining)
        expect(await left()).toBe(remaining - taken)
        // Who was refused could not have been served with what is left at the end, as nothing ever comes back here.
        const refused = requests.filter((_, i) => outcomes[i] === 'insufficient_balance')
        for (const { cost } of refused) expect(cost).toBeGreaterThan(remaining - taken)
      }),
      { numRuns: 40 },
    )
  })
})

describe('Credits and limits are taken all or none', () => {
  const windows = {
    limits: [
      { name: 'hour', limit: 3, window: '1h' },
      { name: 'burst', limit: 1000, window: '2h' },
    ],
  } as const

  it('a refused balance takes from no window', async () => {
    const { keys, key, id, ask } = await purse({ remaining: 0 }, {}, windows)
    for (let i = 0; i < 5; i++) expect(await ask()).toBe('insufficient_balance')
    await keys.credit({ id }, 1)
    const { readings } = accessIn(await keys.verify(key))
    expect(readings.map(({ remaining }) => remaining)).toEqual([2, 999])
  })

  it('a full window takes no credit, and holds none', async () => {
    const { ask, left } = await purse({ remaining: 100 }, {}, windows)
    for (let i = 0; i < 3; i++) await ask({ cost: 1 })
    for (let i = 0; i < 3; i++) {
      expect(await ask()).toBe('rate_limited')
      expect(await ask({ reserve: 50 })).toBe('rate_limited')
    }
    expect(await left()).toBe(97)
  })

  it('a cost above the limit is rate_limited without a wait, and takes no credit', async () => {
    const { keys, key, left } = await purse({ remaining: 100 }, {}, windows)
    const refusal = refusalIn(await keys.verify(key, { cost: 4 }))
    expect([refusal.code, refusal.retryAfter]).toEqual(['rate_limited', undefined])
    expect(await left()).toBe(100)
  })

  it('where both are exhausted the balance is told, as no wait helps it', async () => {
    const { keys, key, id, ask } = await purse({ remaining: 3 }, {}, windows)
    for (let i = 0; i < 3; i++) await ask()
    expect(await ask()).toBe('insufficient_balance')
    await keys.credit({ id }, 5)
    expect(refusalIn(await keys.verify(key)).code).toBe('rate_limited')
  })

  it('a route’s own window that is full takes no credit either', async () => {
    const { ask, left } = await purse({ remaining: 9 })
    const demand: Demand = { limits: [{ name: 'export', limit: 1, window: '1m' }], cost: 1 }
    expect([await ask(demand), await ask(demand)]).toEqual(['admitted', 'rate_limited'])
    expect(await left()).toBe(8)
  })

  it('L-03 many at once: what is admitted is the least of windows and balance, and neither loses more', async () => {
    const { keys, key, ask, left } = await purse(
      { remaining: 7 },
      { store: farAway(), storeTimeout: '10s' },
      {
        limits: { hour: 20, day: 12 },
      },
    )
    const outcomes = await atOnce(30, () => ask())
    expect(tally(outcomes)).toEqual({ admitted: 7, insufficient_balance: 23 })
    expect(await left()).toBe(0)
    const { readings } = accessIn(await keys.verify(key, { cost: 0 }))
    expect(readings.map(({ remaining }) => remaining)).toEqual([13, 5])
  })

  it('a broken rule takes nothing', async () => {
    const { ask, left } = await purse({ remaining: 5 }, {}, { scopes: ['a:read'], limits: { hour: 5 } })
    expect(await ask({ scopes: ['b:read'] })).toBe('insufficient_scope')
    expect(await ask({ owner: 'acct_2' })).toBe('owner_mismatch')
    expect(await left()).toBe(5)
  })

  it('a wrong secret takes nothing', async () => {
    const { keys, id, key, left } = await purse({ remaining: 5 })
    await keys.rotate(id, { overlap: 0 })
    expect(await judged(keys, key)).toBe('invalid_key')
    expect(await left()).toBe(5)
  })
})

describe('Credits: what changes meanwhile', () => {
  it('L-27 credit that is given while requests are judged is not lost', async () => {
    const { keys, id, ask, left } = await purse({ remaining: 10 }, { store: farAway(), storeTimeout: '10s' })
    const topUps = atOnce(25, () => keys.credit({ id }, 2))
    const outcomes = await atOnce(40, () => ask())
    await topUps
    const { admitted = 0 } = tally(outcomes)
    expect(admitted).toBeGreaterThanOrEqual(10)
    expect(await left()).toBe(10 + 50 - admitted)
  })

  it('a balance that another instance sets anew counts from the next request on', async () => {
    const { keys, store, id, ask } = await purse({ remaining: 1 })
    const other = createApiKeys({ prefix: 'pay_', store })
    expect([await ask(), await ask()]).toEqual(['admitted', 'insufficient_balance'])
    await other.update(id, { credits: { remaining: 1 } })
    expect([await ask(), await ask()]).toEqual(['admitted', 'insufficient_balance'])
    await other.credit({ id }, 1)
    expect([await ask(), await ask()]).toEqual(['admitted', 'insufficient_balance'])
    expect((await keys.get(id))?.credits).toEqual({ remaining: 0 })
  })

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined, 2 ** 53, 5n])(
    'L-08 a cost or reserve of %o is CONFIG when stated, and thrown when a function gives it: nothing is taken',
    async (amount) => {
      const heard = listener()
      const { keys, key, ask, left } = await purse({ remaining: 5 }, { onEvent: heard.onEvent })
      await ask({ cost: 0 }) // the key is remembered from here on
      for (const field of ['cost', 'reserve']) {
        expect((await failure(() => keys.verify(key, { [field]: amount } as never))).code).toBe('CONFIG')
        const error = await failure(() => keys.verify(key, { [field]: () => amount } as never))
        expect(error.code).toBe('CONFIG')
        expect(error.message).toContain(`demand: ${field} gave `)
      }
      expect(await left()).toBe(5)
      expect(heard.of('admitted')).toHaveLength(1)
    },
  )

  it.each(['cost', 'reserve', 'owner', 'resource'])(
    'what a function for %s throws is thrown, on the first request of a key as on later ones, and nothing is taken',
    async (field) => {
      const fault = new Error('the host’s own')
      const demand = {
        [field]: () => {
          throw fault
        },
      }
      for (const gate of [undefined, () => undefined, async () => undefined]) {
        const { keys, key, left } = await purse({ remaining: 5 }, { gate })
        for (let i = 0; i < 2; i++) {
          await expect((async () => keys.verify(key, demand))()).rejects.toBe(fault)
        }
        expect(await left()).toBe(5)
      }
    },
  )

  it('what is held is not free, for the record, the handler and other requests alike', async () => {
    const kept = await purse({ remaining: 10 })
    const { access } = await hold(kept, { reserve: 6 })
    expect(access.credits?.remaining).toBe(4)
    expect((await kept.keys.get(kept.id))?.credits?.remaining).toBe(4)
    expect([await kept.left(), await kept.ask({ cost: 5 })]).toEqual([4, 'insufficient_balance'])
  })
})
