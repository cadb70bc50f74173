import express, { type ErrorRequestHandler } from 'express'
import { createApiKeys, type FreeWindow, type KeyStore, type Limits, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../support/both-stores.ts'
import { CARRIERS, type Carrier } from '../support/express.ts'
import { serveLimited } from '../support/limited.ts'
import { accessIn, codeOf, failure, judged, refusalIn } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { sabotagedStore, spiedStore } from '../support/stores.ts'
import { parseList } from '../support/structured-fields.ts'

const [, API_KEY] = CARRIERS as [Carrier, Carrier]

const WRONG_WINDOWS: readonly unknown[] = [
  0,
  -1,
  1,
  999,
  999.5,
  1000.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  367 * 86_400_000,
  '',
  '0s',
  '-1s',
  '1ms',
  '999ms',
  '1.5s',
  '1e3s',
  ' 1s',
  '1s ',
  '1S',
  '1 s',
  '60',
  '10y',
  '367d',
  '99999999999s',
  '１s',
  null,
  undefined,
  true,
  10n,
  ['1s'],
  { ms: 1000 },
]

const WRONG_LIMITS: readonly unknown[] = [
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e15,
  '5',
  true,
  5n,
  {},
  [],
  undefined,
]

/** As a window for each place that takes one. */
async function refusals(window: unknown): Promise<string[]> {
  const keys = createApiKeys({ prefix: 'win_' })
  const { key, record } = await keys.create({ owner: 'acct_1' })
  const limits = [window] as FreeWindow[]
  const places = [
    () => createApiKeys({ prefix: 'win_', limits: { default: limits } }),
    () => createApiKeys({ prefix: 'win_', limits: { max: limits } }),
    () => guard(keys, { limits }),
    () => keys.verify(key, { limits }),
    () => keys.create({ owner: 'acct_1', limits }),
    () => keys.update(record.id, { limits }),
  ]
  return Promise.all(places.map(async (place) => (await failure(place)).code))
}

const REFUSED = ['CONFIG', 'CONFIG', 'CONFIG', 'CONFIG', 'INPUT', 'INPUT']

describe('L. Bounds of windows', () => {
  it.each(WRONG_WINDOWS.map((window) => [window]))(
    'L-10 a window of %s is refused wherever it is given',
    async (window) => {
      expect(await refusals({ name: 'w', limit: 5, window })).toEqual(REFUSED)
    },
  )

  it.each(WRONG_LIMITS.map((limit) => [limit]))('L-10 a limit of %s is refused wherever it is given', async (limit) => {
    expect(await refusals({ name: 'w', limit, window: '10s' })).toEqual(REFUSED)
  })

  it.each([
    [1_000, 1],
    ['1s', 1],
    [1_001, 2],
    ['500ms', undefined],
    ['61s', 61],
    ['52w', 31_449_600],
    ['366d', 31_622_400],
  ] as const)('L-10 a window of %s is exact, and w is whole seconds, %s', async (window, seconds) => {
    const limits: Limits = [{ name: 'w', limit: 1, window }]
    if (seconds === undefined) return expect(await refusals(limits[0])).toEqual(REFUSED)
    const { ask, clock } = await serveLimited(API_KEY, { limits })
    const { headers } = await ask()
    expect(parseList(headers['ratelimit-policy'] ?? '')).toEqual([{ value: 'w', parameters: { q: 1, w: seconds } }])
    const ms = typeof window === 'number' ? window : seconds * 1000
    clock.advance(ms - 1)
    expect(await ask()).toMatchObject({ status: 429, retryAfter: '1' })
    clock.advance(1)
    expect((await ask()).status).toBe(200)
  })

  it('L-28 every number in the fields is a whole one of at most 15 digits, and t is no later than Retry-After', async () => {
    const limits: Limits = [
      { name: 'short', limit: 3, window: 1_001 },
      { name: 'odd', limit: 7, window: 777_777 },
      { name: 'slots', limit: 101, window: '3h' },
      { name: 'huge', limit: 999_999_999_999_999, window: '366d' },
    ]
    const { ask, clock } = await serveLimited(API_KEY, { limits, options: { rateHeaders: 'both' } })
    for (let step = 0; step < 60; step++) {
      const { headers, retryAfter } = await ask()
      const fields = Object.entries(headers).filter(([name]) => name.includes('ratelimit'))
      expect(fields.length).toBeGreaterThanOrEqual(5)
      for (const [name, value] of fields)
        expect([name, value]).toEqual([name, expect.not.stringMatching(/\d{16}|\d[.eE]\d|NaN|Infinity|-\d/)])
      const full = parseList(headers.ratelimit ?? '').filter(({ parameters }) => parameters.r === 0)
      for (const { parameters } of retryAfter === undefined ? [] : full) {
        expect(parameters.t).toBeLessThanOrEqual(Number(retryAfter))
      }
      if (retryAfter !== undefined) expect(retryAfter).toMatch(/^[1-9]\d*$/)
      clock.advance((step * 7919) % 1_300)
    }
  })
})

describe('L. What may go wrong in a take', () => {
  it.each(['-1', 'NaN', '1.5', 'Infinity', '', '1e400', '9007199254740992'])(
    'L-08 a cost that a client drives to %j is the host’s error: nothing is admitted and nothing taken',
    async (n) => {
      const keys = createApiKeys({ prefix: 'win_' })
      const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
      const app = express()
      let handled = 0
      app.get(
        '/',
        guard(keys, { cost: (req) => (req.query.n === '' ? Number.NaN : Number(req.query.n)) }),
        (_req, res) => {
          handled++
          res.end()
        },
      )
      const report: ErrorRequestHandler = (_error, _req, res, _next) => void res.status(500).end()
      const { port } = await serve(app.use(report))
      const status = async (cost: string) =>
        (await raw(port, request([`X-API-Key: ${key}`], { target: `/?n=${cost}` }))).status
      expect([await status(n), handled]).toEqual([500, 0])
      expect([await status('6'), await status('5'), await status('1'), await status('0')]).toEqual([429, 200, 429, 200])
    },
  )

  it('L-08 a request that costs more than the limit does not use up what others could take', async () => {
    const keys = createApiKeys({ prefix: 'win_', clock: fakeClock() })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 10, day: 100 } })
    for (let n = 0; n < 20; n++) {
      expect(refusalIn(await keys.verify(key, { cost: 11 }))).not.toHaveProperty('retryAfter')
    }
    expect(await judged(keys, key, { cost: 10 })).toBe('admitted')
  })

  it('L-11 a take whose answer is lost is charged once: the request is unavailable and is not tried again', async () => {
    const { store, break: sabotage } = sabotagedStore()
    const spied = spiedStore(store)
    const keys = createApiKeys({ prefix: 'win_', store: spied.store, clock: fakeClock() })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    expect(await judged(keys, key)).toBe('admitted')
    sabotage('take', async (ask) => {
      await ask()
      throw new Error('connection reset')
    })
    spied.forget()
    expect([await judged(keys, key), spied.asked('take')]).toEqual(['unavailable', 1])
    sabotage('take', undefined)
    expect(accessIn(await keys.verify(key, { cost: 0 })).readings).toMatchObject([{ remaining: 3 }])
  })

  it.each(BOTH_STORES)('L-07 a wall clock that is set opens and locks nothing (%s)', async (_name, open) => {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: 'win_', store: open().store, clock, cache: false })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 3 } })
    const codes: string[] = []
    for (const shift of [-10_000, 600_000, -3_600_000, 86_400_000, 0, -600_000]) {
      clock.set(clock.now() + shift)
      codes.push(codeOf(await keys.verify(key)))
      clock.advance('1s')
    }
    expect(codes).toEqual([...Array(3).fill('admitted'), ...Array(3).fill('rate_limited')])
    clock.advance('1m')
    expect(await judged(keys, key)).toBe('admitted')
  })
})

const WITHOUT_TAKE = (): KeyStore => {
  const { take: _, move: __, ...rest } = memoryStore()
  return rest
}

describe('L. Many keys', () => {
  it.each([
    ['memory', memoryStore],
    ['a store without take', WITHOUT_TAKE],
  ] as const)(
    'L-18 20 000 others do not free an exhausted key, nor one that is forgotten (%s)',
    async (_name, make) => {
      const clock = fakeClock()
      const keys = createApiKeys({ prefix: 'win_', store: make(), clock, cache: { maxKeys: 10 } })
      const input = { owner: 'acct_1', limits: { hour: 2 } }
      const { key } = await keys.create(input)
      expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'admitted'])
      const others: string[] = []
      for (let n = 0; n < 20_000; n++) {
        const other = await keys.create(input)
        if (n % 1000 === 0) others.push(other.key)
        if (!(await keys.verify(other.key, { cost: 2 })).ok) throw new Error('a fresh key was refused')
        if (n % 5000 === 0) expect(await judged(keys, key)).toBe('rate_limited')
      }
      for (const each of [key, ...others]) expect(await judged(keys, each)).toBe('rate_limited')
      clock.advance('1h')
      for (const each of [key, ...others]) expect(await judged(keys, each)).toBe('admitted')
    },
  )
})
