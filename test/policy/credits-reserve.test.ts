import { type KeyStore, memoryStore } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { atOnce, farAway, hold, type Purse, purse, tally } from '../support/money.ts'
import { accessIn, failure, judged } from '../support/outcome.ts'

function sqlite(): KeyStore {
  const store = sqliteStore(':memory:')
  onTestFinished(async () => store.close?.())
  return store
}

const STORES: readonly { store: string; open: () => KeyStore }[] = [
  { store: 'memory', open: memoryStore },
  { store: 'SQLite', open: sqlite },
  { store: 'a distant store', open: () => farAway() },
]

describe.each(STORES)('Reserve and settle: $store', ({ open }) => {
  const filled = (remaining: number): Promise<Purse> => purse({ remaining }, { store: open(), storeTimeout: '10s' })

  it.each([
    ['less than was held', 4, { charged: 4, short: 0 }, 16],
    ['exactly what was held', 10, { charged: 10, short: 0 }, 10],
    ['more than was held, which the balance covers', 15, { charged: 15, short: 0 }, 5],
    ['all that was held and is left', 20, { charged: 20, short: 0 }, 0],
    ['more than was held and is left: the rest is told', 23, { charged: 20, short: 3 }, 0],
    ['nothing', 0, { charged: 0, short: 0 }, 20],
    [
      'the most that a number can count',
      Number.MAX_SAFE_INTEGER,
      { charged: 20, short: Number.MAX_SAFE_INTEGER - 20 },
      0,
    ],
  ])('charges %s', async (_, actual, settled, rest) => {
    const kept = await filled(20)
    const { settle } = await hold(kept, { reserve: 10 })
    expect(await kept.left()).toBe(10)
    expect(await settle(actual)).toEqual(settled)
    expect(await kept.left()).toBe(rest)
  })

  it('gives the same answer again, whatever is said, and charges nothing', async () => {
    const kept = await filled(20)
    const { settle } = await hold(kept, { reserve: 10 })
    const first = await settle(7)
    expect(Object.isFrozen(first)).toBe(true)
    expect([await settle(7), await settle(0), await settle(19)]).toEqual([first, first, first])
    expect(await kept.left()).toBe(13)
  })

  it('charges once when it is called many times at once', async () => {
    const kept = await filled(20)
    const { settle } = await hold(kept, { reserve: 10 })
    const answers = await atOnce(20, () => settle(7))
    expect(answers).toEqual(Array(20).fill({ charged: 7, short: 0 }))
    expect(await kept.left()).toBe(13)
  })

  it('what comes back is free for the next request', async () => {
    const kept = await filled(10)
    const { settle } = await hold(kept, { reserve: 10 })
    expect(await kept.ask()).toBe('insufficient_balance')
    await settle(2)
    expect(await kept.ask({ cost: 8 })).toBe('admitted')
  })

  it('what others took meanwhile is not charged twice: it is told as short', async () => {
    const kept = await filled(12)
    const [one, two] = [await hold(kept, { reserve: 5 }), await hold(kept, { reserve: 5 })]
    expect(await one.settle(9)).toEqual({ charged: 7, short: 2 })
    expect(await two.settle(6)).toEqual({ charged: 5, short: 1 })
    expect(await kept.left()).toBe(0)
  })

  it('is released once: what was held is free again, and a second time changes nothing', async () => {
    const kept = await filled(20)
    const { release } = await hold(kept, { reserve: 10 })
    release()
    release()
    await expect.poll(kept.left).toBe(20)
    release()
    expect(await kept.left()).toBe(20)
  })

  it('a release after a settle gives nothing back, and neither while a settle is under way', async () => {
    const kept = await filled(20)
    const { settle, release } = await hold(kept, { reserve: 10 })
    const settled = settle(7)
    release()
    expect(await settled).toEqual({ charged: 7, short: 0 })
    release()
    expect(await kept.left()).toBe(13)
  })

  it('a settle after the release charges what is free, once', async () => {
    const kept = await filled(20)
    const { settle, release } = await hold(kept, { reserve: 10 })
    release()
    await expect.poll(kept.left).toBe(20)
    await kept.ask({ cost: 15 })
    expect([await settle(7), await settle(7)]).toEqual(Array(2).fill({ charged: 5, short: 2 }))
    expect(await kept.left()).toBe(0)
  })

  it('the lease ends after ten minutes: not a millisecond earlier, and a settle then charges what is free', async () => {
    const kept = await filled(20)
    const { settle, release } = await hold(kept, { reserve: 15 })
    kept.clock.advance(600_000 - 1)
    expect(await kept.left()).toBe(5)
    kept.clock.advance(1)
    expect(await kept.left()).toBe(20)
    release()
    expect(await kept.left()).toBe(20)
    expect(await settle(30)).toEqual({ charged: 20, short: 10 })
    expect(await kept.left()).toBe(0)
  })

  it('a lease that ended frees the balance for a request that needs it', async () => {
    const kept = await filled(10)
    await hold(kept, { reserve: 10 })
    expect(await kept.ask()).toBe('insufficient_balance')
    kept.clock.advance('10m')
    expect(await kept.ask({ cost: 10 })).toBe('admitted')
  })

  it('a wall clock that is set forward ends no lease', async () => {
    const kept = await filled(10)
    await hold(kept, { reserve: 10 })
    kept.clock.set(kept.clock.now() + 3_600_000)
    expect(await kept.left()).toBe(0)
  })

  it('L-22 holds that come at once never exceed the balance', async () => {
    const kept = await filled(10)
    expect(tally(await atOnce(20, () => kept.ask({ reserve: 3 })))).toEqual({ admitted: 3, insufficient_balance: 17 })
    expect(await kept.left()).toBe(1)
  })

  it('a balance that is set anew meanwhile is not charged for what was held on the old one', async () => {
    const kept = await filled(20)
    const { settle } = await hold(kept, { reserve: 10 })
    await kept.keys.update(kept.id, { credits: { remaining: 100 } })
    await settle(10)
    expect(await kept.left()).toBe(100)
  })
})

describe('Reserve: what a request holds', () => {
  it.each([
    ['a number', { reserve: 6 }],
    ['a function of the request', { reserve: () => 6 }],
  ])('is %s, in place of the cost for credits', async (_, demand) => {
    const kept = await purse({ remaining: 10 }, {}, { limits: { minute: 100 } })
    const { access, settle } = await hold(kept, { ...demand, cost: 50 })
    // The windows are charged the cost all the same.
    expect(access.readings.map(({ remaining }) => remaining)).toEqual([50])
    expect(await kept.left()).toBe(4)
    expect(await settle(1)).toEqual({ charged: 1, short: 0 })
    expect(await kept.left()).toBe(9)
  })

  it('of 0 needs no balance, and what is settled is charged as far as there is any', async () => {
    const empty = await purse({ remaining: 0 })
    expect(await (await hold(empty, { reserve: 0 })).settle(3)).toEqual({ charged: 0, short: 3 })
    const full = await purse({ remaining: 5 })
    expect(await (await hold(full, { reserve: 0 })).settle(3)).toEqual({ charged: 3, short: 0 })
    expect(await full.left()).toBe(2)
  })

  it('above the balance is refused, and holds nothing', async () => {
    const { ask, left } = await purse({ remaining: 5 })
    expect(await ask({ reserve: 6, cost: 0 })).toBe('insufficient_balance')
    expect(await left()).toBe(5)
  })

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', 5n, null, undefined, {}, [5], true])(
    'settle(%o) is INPUT: nothing is charged, and the hold can still be settled',
    async (actual) => {
      const kept = await purse({ remaining: 10 })
      const { settle } = await hold(kept, { reserve: 6 })
      const error = await failure(() => settle(actual as never))
      expect([error.code, error.issues?.[0]?.path]).toEqual(['INPUT', 'actual'])
      expect(error.message).toMatch(/must be a whole number ≥ 0, not /)
      expect(await kept.left()).toBe(4)
      expect(await settle(2)).toEqual({ charged: 2, short: 0 })
      expect((await failure(() => settle(actual as never))).code).toBe('INPUT')
    },
  )

  it('without a hold, what was used is charged to what remains, once, and what is not there is short', async () => {
    const { keys, key, left } = await purse({ remaining: 10 })
    const spent = accessIn(await keys.verify(key, { cost: 4 }))
    expect(await spent.settle(9)).toEqual({ charged: 6, short: 3 })
    expect(await spent.settle(9)).toEqual({ charged: 6, short: 3 })
    expect(await left()).toBe(0)
  })

  it('without a balance there is nothing to charge: { charged: 0, short: 0 }', async () => {
    const { keys } = await purse({ remaining: 10 })
    const { key: unpaid } = await keys.create({ owner: 'acct_1' })
    const free = accessIn(await keys.verify(unpaid, { reserve: 100 }))
    expect([await free.settle(9), await free.settle(0)]).toEqual(Array(2).fill({ charged: 0, short: 0 }))
    expect((await failure(() => free.settle(-1))).code).toBe('INPUT')
  })

  it('settle needs no `this`, and belongs to its own request', async () => {
    const kept = await purse({ remaining: 10 })
    const [one, two] = [await hold(kept, { reserve: 2 }), await hold(kept, { reserve: 3 })]
    const { settle } = one.access
    expect(await settle(1)).toEqual({ charged: 1, short: 0 })
    expect(await two.settle(2)).toEqual({ charged: 2, short: 0 })
    expect(await kept.left()).toBe(7)
  })

  it('a refusal holds nothing, and has nothing to release', async () => {
    const { keys, key } = await purse({ remaining: 1 })
    const verdict = await keys.verify(key, { reserve: 5 })
    expect(verdict).not.toHaveProperty('release')
    expect(await judged(keys, key)).toBe('admitted')
  })
})
