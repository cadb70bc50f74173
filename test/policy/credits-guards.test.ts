import express, { type Request, type Response } from 'express'
import { type Access, type CreditMove, createApiKeys, type Demand } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { CARRIERS, type Carrier, EVERY_WAY } from '../support/express.ts'
import { carrying, farAway, type Purse, purse } from '../support/money.ts'
import { accessIn, codeOf } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { spiedStore } from '../support/stores.ts'

const [BEARER] = CARRIERS as readonly [Carrier, ...Carrier[]]

/** One request that meets several guards, one after the other. */
function oneRequest({ keys, created }: Purse, carrier: Carrier = BEARER) {
  const facts = carrying(carrier, created, { request: {} })
  return async (demand?: Demand) => keys.verify(facts, demand)
}

const HOURLY = { limits: [{ name: 'hour', limit: 10, window: '1h' }] } as const

function left(access: Access): Record<string, number> {
  return Object.fromEntries(access.readings.map(({ name, remaining }) => [name, remaining]))
}

describe.each(CARRIERS)('Two guards on one request: $source', (carrier) => {
  it.each<readonly [first: Demand, later: Demand, taken: number]>([
    [{}, {}, 1],
    [{ cost: 3 }, {}, 3],
    [{ cost: 3 }, { cost: 3 }, 3],
    [{ cost: 3 }, { cost: 5 }, 5],
    [{ cost: 5 }, { cost: 3 }, 5],
    [{ cost: 0 }, { cost: 4 }, 4],
    [{ cost: 4 }, { cost: 0 }, 4],
    [{ reserve: 0 }, {}, 1],
    [{ reserve: 0 }, { cost: 3 }, 3],
  ])('the first takes, the later one only what its cost exceeds: %j then %j take %i', async (first, later, taken) => {
    const kept = await purse({ remaining: 20 }, carrier.options, HOURLY)
    const ask = oneRequest(kept, carrier)
    await ask(first)
    const access = accessIn(await ask(later))
    expect([await kept.left(), access.credits?.remaining, left(access)]).toEqual([
      20 - taken,
      20 - taken,
      { hour: 10 - taken },
    ])
    // The same guard once more takes nothing.
    await ask(later)
    expect(await kept.left()).toBe(20 - taken)
  })

  it('of guards that hold nothing, none makes what another costs free, nor dearer', async () => {
    const kept = await purse({ remaining: 5 }, carrier.options)
    const ask = oneRequest(kept, carrier)
    for (const [demand, left] of [
      [{ reserve: 0 }, 5],
      [{ cost: 3 }, 2],
      [{ reserve: 0 }, 2],
      [{ cost: 3 }, 2],
    ] as const) {
      expect((await ask(demand)).ok).toBe(true)
      expect(await kept.left()).toBe(left)
    }
    expect(codeOf(await ask({ cost: 6 }))).toBe('insufficient_balance')
    const next = oneRequest(kept, carrier)
    await next({ cost: 5, reserve: 0 })
    expect(codeOf(await next({ cost: 5 }))).toBe('insufficient_balance')
  })

  it.each<readonly [first: Demand, later: Demand, held: number]>([
    [{ reserve: 6 }, { reserve: 6 }, 6],
    [{ reserve: 6 }, { reserve: 9 }, 9],
    [{ reserve: 9 }, { reserve: 6 }, 9],
    [{ reserve: 9 }, {}, 9],
    [{ cost: 0 }, { reserve: 6 }, 6],
  ])('the later one holds only what its reserve exceeds: %j then %j hold %i', async (first, later, held) => {
    const kept = await purse({ remaining: 20 }, carrier.options)
    const ask = oneRequest(kept, carrier)
    const one = await ask(first)
    const two = await ask(later)
    expect(await kept.left()).toBe(20 - held)
    // Whichever of the two the handler has, it settles for both, once.
    expect(await accessIn(two).settle(7)).toEqual({ charged: 7, short: 0 })
    if (first.reserve !== undefined) expect(await accessIn(one).settle(3)).toEqual({ charged: 7, short: 0 })
    expect(await kept.left()).toBe(13)
  })

  it.each<readonly [first: Demand, later: Demand, taken: number, held: number]>([
    [{ cost: 5 }, { reserve: 6 }, 5, 6],
    [{}, { reserve: 6 }, 1, 6],
    [{ reserve: 9 }, { cost: 3 }, 2, 9],
    [{ reserve: 9, cost: 3 }, { cost: 3 }, 0, 9],
  ])(
    'what is taken is not held, nor the other way: %j then %j take %i and hold %i',
    async (first, later, taken, held) => {
      const kept = await purse({ remaining: 20 }, carrier.options)
      const ask = oneRequest(kept, carrier)
      await ask(first)
      const two = await ask(later)
      expect(await kept.left()).toBe(20 - taken - held)
      expect(await accessIn(two).settle(0)).toEqual({ charged: 0, short: 0 })
      expect(await kept.left()).toBe(20 - taken)
    },
  )

  it('what was spent on the first cannot be held for the second', async () => {
    const kept = await purse({ remaining: 5 }, carrier.options)
    const ask = oneRequest(kept, carrier)
    await ask({ cost: 5 })
    expect(codeOf(await ask({ reserve: 5 }))).toBe('insufficient_balance')
  })
})

describe('Two guards on one request: what is settled and released', () => {
  it.each([
    ['less than the first hold', 4, { charged: 4, short: 0 }],
    ['the first hold', 6, { charged: 6, short: 0 }],
    ['some of both', 8, { charged: 8, short: 0 }],
    ['both', 9, { charged: 9, short: 0 }],
    ['both and what is left', 12, { charged: 12, short: 0 }],
    ['more than there is', 15, { charged: 12, short: 3 }],
    ['nothing', 0, { charged: 0, short: 0 }],
  ])('%s', async (_, actual, settled) => {
    const { store, calls } = spiedStore(farAway())
    const kept = await purse({ remaining: 12 }, { store, storeTimeout: '10s' })
    const ask = oneRequest(kept)
    await ask({ reserve: 6 })
    const { settle } = accessIn(await ask({ reserve: 9 }))
    expect(await settle(actual)).toEqual(settled)
    expect(await kept.left()).toBe(12 - settled.charged)
    // Hold by hold, none for more than it holds but the last.
    const asked = calls.flatMap(({ args: [move] }) => (move as Partial<CreditMove>).settle?.amount ?? [])
    expect(asked).toEqual([Math.min(6, actual), Math.max(0, actual - 6)])
  })

  it('unsettled, all is given back', async () => {
    const kept = await purse({ remaining: 12 })
    const ask = oneRequest(kept)
    await ask({ reserve: 6 })
    const verdict = await ask({ reserve: 9 })
    if (verdict.ok) verdict.release?.()
    await expect.poll(kept.left).toBe(12)
  })
})

describe('Two guards on one request: the later one refuses', () => {
  const export1 = { limits: [{ name: 'export', limit: 1, window: '1h' }] } as const

  it.each<readonly [what: string, first: Demand, later: Demand, code: string]>([
    ['for the balance', { cost: 2 }, { cost: 30, ...export1 }, 'insufficient_balance'],
    ['for the balance that it would hold', { reserve: 2 }, { reserve: 30, ...export1 }, 'insufficient_balance'],
    ['for its own window, though it costs more', { cost: 1 }, { cost: 2, ...export1 }, 'rate_limited'],
    [
      'for its own window, though it holds more',
      { reserve: 1, cost: 0 },
      { reserve: 9, cost: 2, ...export1 },
      'rate_limited',
    ],
    [
      'for the key’s window',
      { cost: 2 },
      { cost: 11, limits: [{ name: 'export', limit: 99, window: '1h' }] },
      'rate_limited',
    ],
  ])('%s: it has taken and held nothing', async (_, first, later, code) => {
    const kept = await purse({ remaining: 20 }, {}, HOURLY)
    const ask = oneRequest(kept)
    await ask(first)
    const before = await kept.left()
    expect(codeOf(await ask(later))).toBe(code)
    expect(await kept.left()).toBe(before)
    const access = accessIn(await kept.keys.verify(kept.key, { ...later, cost: 0, reserve: 0 }))
    const { hour, export: exported } = left(access)
    expect(hour).toBe(10 - Number(first.cost ?? 1))
    expect(exported).toBe(later.limits === export1.limits ? 1 : 99)
  })

  it('for a rule: it has taken nothing, and what the first took stays taken', async () => {
    const kept = await purse({ remaining: 20 })
    const ask = oneRequest(kept)
    await ask({ cost: 2 })
    expect(codeOf(await ask({ cost: 5, scopes: ['a:read'] }))).toBe('insufficient_scope')
    expect(await kept.left()).toBe(18)
  })

  it('another instance’s guard on the same request takes for itself', async () => {
    const kept = await purse({ remaining: 20 })
    const other = createApiKeys({ prefix: 'pay_', store: kept.store, clock: kept.clock })
    const facts = carrying(BEARER, kept.created, { request: {} })
    await kept.keys.verify(facts, { cost: 2 })
    await other.verify(facts, { cost: 3 })
    expect(await kept.left()).toBe(15)
  })

  it('two requests with one key are two', async () => {
    const kept = await purse({ remaining: 20 })
    await oneRequest(kept)({ cost: 2 })
    await oneRequest(kept)({ cost: 2 })
    expect(await kept.left()).toBe(16)
  })
})

for (const way of EVERY_WAY) {
  describe(`Two guards, ${way.name}, ${way.source}`, () => {
    it('of the application and of a route take, hold and settle together', async () => {
      const kept = await purse({ remaining: 20 }, way.options)
      const app = way.express()
      app.use(guard(kept.keys, { reserve: 6 }))
      app.get('/', guard(kept.keys, { reserve: 9 }), (req: Request, res: Response) => {
        const before = req.apiKey.credits?.remaining
        req.apiKey.settle(8).then((settled) => res.json({ before, settled }))
      })
      const { port } = await serve(app)
      const answer = await raw(port, request(way.lines(kept.created)))
      expect(JSON.parse(answer.body)).toEqual({ before: 11, settled: { charged: 8, short: 0 } })
      expect(await kept.left()).toBe(12)
    })

    it('a refusal by the second gives back what the first held, when the response has ended', async () => {
      const kept = await purse({ remaining: 20 }, way.options)
      const app = way.express()
      app.use(guard(kept.keys, { reserve: 6 }))
      app.get('/', guard(kept.keys, { scopes: ['a:read'] }), (_req: Request, res: Response) => {
        res.json({})
      })
      const { port } = await serve(app)
      expect((await raw(port, request(way.lines(kept.created)))).status).toBe(403)
      await expect.poll(kept.left).toBe(20)
    })
  })
}

it('N-10 the same guard mounted three times takes once', async () => {
  const kept = await purse({ remaining: 20 })
  const once = guard(kept.keys, { cost: 2 })
  const app = express()
  app.use(once)
  app.use('/', express.Router().use(once))
  app.get('/', once, (_req, res) => {
    res.json({})
  })
  const { port } = await serve(app)
  expect((await raw(port, request(BEARER.lines(kept.created)))).status).toBe(200)
  expect(await kept.left()).toBe(18)
})

describe('A guard behind one whose hold was settled', () => {
  it('holds what it reserves, and that is charged or given back', async () => {
    const kept = await purse({ remaining: 100 })
    for (const [settled, left] of [
      [50, 45],
      [undefined, 40],
    ] as const) {
      const ask = oneRequest(kept)
      const first = accessIn(await ask({ reserve: 20 }))
      expect(await first.settle(5)).toEqual({ charged: 5, short: 0 })
      const free = await kept.left()
      const later = await ask({ reserve: 30 })
      expect(await kept.left()).toBe(free - 30)
      if (settled !== undefined) {
        expect(await accessIn(later).settle(settled)).toEqual({ charged: settled, short: 0 })
        expect(await first.settle(5)).toEqual({ charged: 5, short: 0 })
      }
      if (later.ok) later.release?.()
      await kept.keys.flush()
      await expect.poll(kept.left).toBe(left)
    }
  })

  it('charges nothing again where it holds nothing', async () => {
    const kept = await purse({ remaining: 100 })
    const ask = oneRequest(kept)
    await accessIn(await ask({ reserve: 20 })).settle(5)
    const last = accessIn(await ask({}))
    expect(await last.settle(7)).toEqual({ charged: 5, short: 0 })
    expect(await kept.left()).toBe(95)
  })
})
