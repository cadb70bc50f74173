import { type ApiKeysOptions, type CreateInput, createApiKeys, type Demand, type FreeWindow } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { CODES, REFUSALS } from '../support/refusals.ts'
import { serve } from '../support/serve.ts'
import { type Item, parseList } from '../support/structured-fields.ts'

for (const { name, express } of EXPRESSES) {
  /** A server behind one guard, and a key with these limits. */
  async function limited(limits: CreateInput['limits'], demand: Demand = {}, options: Partial<ApiKeysOptions> = {}) {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: 'rat_', clock, ...options })
    const { key } = await keys.create({ owner: 'acct_1', limits })
    const app = express()
    app.get('/', guard(keys, demand), (_req, res) => void res.end())
    const { port } = await serve(app)
    const ask = async () => {
      const { status, headers } = await raw(port, request([`X-API-Key: ${key}`]))
      const field = (of: string) => (headers[of] === undefined ? undefined : parseList(headers[of]))
      return { status, headers, policy: field('ratelimit-policy'), state: field('ratelimit') }
    }
    return { ask, clock, keys, key }
  }

  describe(`draft-ietf-httpapi-ratelimit-headers-10, ${name}`, () => {
    it('section 3: RateLimit-Policy is a List of Strings with q and w, one for each quota', async () => {
      const { ask } = await limited({ minute: 60, hour: 1000 })
      expect((await ask()).policy).toEqual([
        { value: 'minute', parameters: { q: 60, w: 60 } },
        { value: 'hour', parameters: { q: 1000, w: 3600 } },
      ])
    })

    it('section 4: RateLimit is a List of Strings with r and t, under the names of the policy', async () => {
      const { ask } = await limited({ minute: 60, hour: 1000 })
      const { state, policy } = await ask()
      expect(state?.map(({ value, parameters }) => [value, parameters.r])).toEqual([
        ['minute', 59],
        ['hour', 999],
      ])
      expect(state?.map(({ value }) => value)).toEqual(policy?.map(({ value }) => value))
      for (const { parameters } of state ?? []) expect(Object.keys(parameters)).toEqual(['r', 't'])
    })

    it('L-01 counts down to r=0 and then refuses with Retry-After, and t no later than that', async () => {
      const { ask } = await limited({ minute: 3 })
      const seen: unknown[] = []
      for (let i = 0; i < 4; i++) {
        const { status, state, headers } = await ask()
        seen.push([status, state?.[0]?.parameters.r, headers['retry-after']])
      }
      expect(seen).toEqual([
        [200, 2, undefined],
        [200, 1, undefined],
        [200, 0, undefined],
        [429, 0, '60'],
      ])
    })

    it('L-28 says when one more is free, in whole seconds, and never after Retry-After', async () => {
      const { ask, clock } = await limited([{ name: 'burst', limit: 2, window: '10s' }])
      await ask()
      clock.advance(2_500)
      await ask()
      for (const [pass, wait] of [
        [0, 8],
        [400, 8],
        [6_100, 1],
        [999, 1],
      ] as const) {
        clock.advance(pass)
        const { status, state, headers } = await ask()
        expect(status).toBe(429)
        expect(headers['retry-after']).toBe(String(wait))
        expect(state?.[0]?.parameters).toEqual({ r: 0, t: wait })
      }
      clock.advance(1)
      expect((await ask()).status).toBe(200)
    })

    it('L-28 writes the longest window and the largest quota as integers', async () => {
      const limits = [{ name: 'year', limit: 999_999_999_999_999, window: '366d' as const }]
      const { ask } = await limited(limits)
      const { headers, policy, state } = await ask()
      expect(headers['ratelimit-policy']).toBe('"year";q=999999999999999;w=31622400')
      expect(policy).toHaveLength(1)
      expect(state?.[0]?.parameters.r).toBe(999_999_999_999_998)
      expect(`${headers.ratelimit}${headers['ratelimit-policy']}`).not.toMatch(/e\+|\.|NaN|Infinity|-\d/)
    })

    it('L-10 writes a window that is no whole number of seconds as the next one', async () => {
      const { ask } = await limited([{ name: 'odd', limit: 5, window: 1_500 }])
      expect((await ask()).policy).toEqual([{ value: 'odd', parameters: { q: 5, w: 2 } }])
    })

    it('L-16 tells of the limits of the key and of the route', async () => {
      const { ask } = await limited({ minute: 60 }, { limits: [{ name: 'export', limit: 5, window: '1h' }] })
      const { policy, state } = await ask()
      const byName = (items: readonly Item[] | undefined) => items?.map(({ value }) => value).sort()
      expect([byName(policy), byName(state)]).toEqual([
        ['export', 'minute'],
        ['export', 'minute'],
      ])
    })

    it('a limit of 0 is told as such', async () => {
      const { ask } = await limited({ minute: 0 })
      const { status, policy, state, headers } = await ask()
      expect([status, headers['retry-after'], headers['x-should-retry']]).toEqual([429, undefined, 'false'])
      expect(policy).toEqual([{ value: 'minute', parameters: { q: 0, w: 60 } }])
      expect(state?.[0]?.parameters.r).toBe(0)
    })

    it('a cost above the limit has no Retry-After: no wait can help', async () => {
      const { ask } = await limited({ minute: 5 }, { cost: 6 })
      const { status, headers, state } = await ask()
      expect([status, headers['retry-after'], headers['x-should-retry']]).toEqual([429, undefined, 'false'])
      expect(state?.[0]?.parameters.r).toBe(5)
    })

    it.each([
      ['30s', undefined],
      ['60s', undefined],
      ['61s', 'false'],
      ['1h', 'false'],
    ] as const)('with a wait of %s, x-should-retry is %s', async (window, expected) => {
      const { ask } = await limited([{ name: 'own', limit: 1, window }])
      await ask()
      const { status, headers } = await ask()
      expect([status, headers['x-should-retry']]).toEqual([429, expected])
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/)
    })

    it('a key without limits has none of the fields', async () => {
      const { ask } = await limited(undefined)
      expect(Object.keys((await ask()).headers).filter((field) => field.includes('ratelimit'))).toEqual([])
    })

    it.each(CODES.filter((code) => code !== 'rate_limited'))('%s tells nothing of limits', async (code) => {
      const { keys, demand, lines, created } = await REFUSALS[code]({
        rateHeaders: 'both',
        limits: { default: { minute: 60 } },
      })
      expect(created.record.limits).toEqual({ minute: 60 })
      const app = express()
      app.get('/', guard(keys, demand), (_req, res) => void res.end())
      const { port } = await serve(app)
      const { status, headers } = await raw(port, request(lines))
      expect(status).toBeGreaterThanOrEqual(400)
      expect(Object.keys(headers).filter((field) => field.includes('ratelimit'))).toEqual([])
    })
  })
}

describe('L-29 names of quotas that a header cannot hold', () => {
  const NAMES = [
    'a"b',
    'a\\b',
    'a b',
    'a;b',
    'a,b',
    'é',
    '€',
    'a\r\nX-Injected: b',
    'a\nb',
    'a\u0000',
    '',
    'a'.repeat(33),
  ]

  it.each(NAMES)('%j is CONFIG for an instance and a demand, and INPUT for a key', async (name) => {
    const windows: FreeWindow[] = [{ name, limit: 1, window: '10s' }]
    const keys = createApiKeys({ prefix: 'rat_' })
    expect(await failure(() => createApiKeys({ prefix: 'rat_', limits: { default: windows } }))).toMatchObject({
      code: 'CONFIG',
    })
    expect(await failure(() => createApiKeys({ prefix: 'rat_', limits: { max: windows } }))).toMatchObject({
      code: 'CONFIG',
    })
    expect(await failure(() => guard(keys, { limits: windows }))).toMatchObject({ code: 'CONFIG' })
    expect(await failure(() => keys.create({ owner: 'acct_1', limits: windows }))).toMatchObject({ code: 'INPUT' })
  })
})

describe('The parser of these tests is strict, or they would prove nothing', () => {
  it.each([
    'minute;r=1',
    '"a" ;r=1',
    '"a";r=1.0',
    '"a";r=1e3',
    '"a";r',
    '"a",',
    '"é";r=1',
    '"a";r=1234567890123456',
    '"a";R=1',
    '"a"b',
  ])('it refuses %s', (field) => {
    expect(() => parseList(field)).toThrow()
  })
})
