import { type Demand, type KeyStore, memoryStore } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CARRIERS, type Carrier } from '../support/express.ts'
import { atOnce, carrying, farAway, hold, type Purse, purse, tally } from '../support/money.ts'
import { accessIn, codeOf, failure } from '../support/outcome.ts'

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

describe.each(STORES)('reserve: { upTo }: $store', ({ open }) => {
  const filled = (remaining: number, more: Parameters<typeof purse>[2] = {}): Promise<Purse> =>
    purse({ remaining }, { store: open(), storeTimeout: '10s' }, more)

  it.each([
    ['more than the amount', 20, 10, { charged: 6, short: 0 }, 14],
    ['the amount', 10, 0, { charged: 6, short: 0 }, 4],
    ['less than the amount', 8, 0, { charged: 6, short: 0 }, 2],
    ['less than is charged afterwards', 5, 0, { charged: 5, short: 1 }, 0],
    ['one unit', 1, 0, { charged: 1, short: 5 }, 0],
  ])('a balance of %s is held as far as it goes', async (_, remaining, free, settled, rest) => {
    const kept = await filled(remaining)
    const { settle } = await hold(kept, { reserve: { upTo: 10 } })
    expect(await kept.left()).toBe(free)
    expect(await settle(6)).toEqual(settled)
    expect(await kept.left()).toBe(rest)
  })

  it('an empty balance is refused, and one that is held whole by others', async () => {
    const empty = await filled(0)
    expect(await empty.ask({ reserve: { upTo: 10 } })).toBe('insufficient_balance')
    const kept = await filled(4)
    const { release } = await hold(kept, { reserve: { upTo: 10 } })
    expect(await kept.ask({ reserve: { upTo: 10 } })).toBe('insufficient_balance')
    release()
    await expect.poll(kept.left).toBe(4)
    expect(await kept.ask({ reserve: () => ({ upTo: 10 }) })).toBe('admitted')
  })

  it('up to 0 needs no balance, as a reserve of 0', async () => {
    const empty = await filled(0)
    expect(await (await hold(empty, { reserve: { upTo: 0 } })).settle(3)).toEqual({ charged: 0, short: 3 })
  })

  it('what comes at once holds no more than there is, and leaves nothing over', async () => {
    const kept = await filled(10)
    const outcomes = await atOnce(20, () => kept.ask({ reserve: { upTo: 3 } }))
    expect(tally(outcomes)).toEqual({ admitted: 4, insufficient_balance: 16 })
    expect(await kept.left()).toBe(0)
  })

  it('a window that is full refuses, holds nothing, and is not used by what is asked twice', async () => {
    const kept = await filled(4, { limits: { minute: 2 } })
    const demand = { reserve: { upTo: 10 } } as const
    const { settle, access } = await hold(kept, demand)
    expect(access.readings).toMatchObject([{ name: 'minute', remaining: 1 }])
    await settle(1)
    await (await hold(kept, demand)).settle(1)
    expect(await kept.ask(demand)).toBe('rate_limited')
    expect(await kept.left()).toBe(2)
  })
})

describe('reserve: { upTo }: two guards on one request', () => {
  const [BEARER] = CARRIERS as readonly [Carrier, ...Carrier[]]

  it.each<readonly [first: Demand['reserve'], later: Demand['reserve'], remaining: number, held: number | string]>([
    [0, { upTo: 9 }, 20, 9],
    [0, { upTo: 9 }, 5, 5],
    [0, { upTo: 9 }, 0, 'insufficient_balance'],
    [{ upTo: 4 }, { upTo: 9 }, 6, 6],
    [{ upTo: 4 }, { upTo: 9 }, 4, 4], // what the first holds is enough for both
    [{ upTo: 9 }, { upTo: 4 }, 20, 9],
    [{ upTo: 9 }, 9, 5, 'insufficient_balance'],
  ])('%j then %j of %i: %s', async (first, later, remaining, held) => {
    const kept = await purse({ remaining })
    const facts = carrying(BEARER, kept.created, { request: {} })
    const ask = (reserve: Demand['reserve']) => kept.keys.verify(facts, reserve === undefined ? {} : { reserve })
    accessIn(await ask(first))
    const two = await ask(later)
    if (typeof held === 'string') return expect(codeOf(two)).toBe(held)
    expect(await kept.left()).toBe(remaining - held)
    await accessIn(two).settle(held)
    expect(await kept.left()).toBe(remaining - held)
  })
})

describe('reserve: { upTo }: what it may be', () => {
  const WRONG = [{}, { upTo: -1 }, { upTo: 1.5 }, { upTo: '5' }, { upto: 5 }, { upTo: 5, least: 1 }, [5], null, '5']

  it.each(WRONG)('%j is CONFIG, whether a demand says it or its function gives it', async (wrong) => {
    const kept = await purse({ remaining: 10 })
    for (const reserve of [wrong, () => wrong]) {
      const error = await failure(() => kept.ask({ reserve } as never))
      expect([error.code, error.message]).toEqual(['CONFIG', expect.stringContaining('reserve')])
    }
    expect(await kept.left()).toBe(10)
  })

  it('is explained: it needs one unit, not the whole', async () => {
    const poor = await purse({ remaining: 1 })
    expect(await poor.keys.explain(poor.key, { reserve: { upTo: 10 } })).toMatchObject({ ok: true })
    expect(await poor.keys.explain(poor.key, { reserve: 10 })).toMatchObject({ code: 'insufficient_balance' })
    const empty = await purse({ remaining: 0 })
    const told = await empty.keys.explain(empty.key, { reserve: { upTo: 10 } })
    expect(told.steps.at(-1)).toEqual({ step: 'credits', ok: false, detail: '0 left; the request needs 1' })
  })
})
