import { type ApiKeysOptions, createApiKeys, type RateHeaders } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

const STANDARD = ['ratelimit', 'ratelimit-policy']
const LEGACY = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

const MODES: readonly (readonly [RateHeaders | undefined, readonly string[]])[] = [
  [undefined, STANDARD],
  ['standard', STANDARD],
  ['legacy', LEGACY],
  ['both', [...STANDARD, ...LEGACY]],
  [false, []],
]

for (const way of EVERY_WAY) {
  describe(`rateHeaders, ${way.name}, ${way.source}`, () => {
    async function limited(rateHeaders: RateHeaders | undefined, limits: Record<string, number> = { minute: 2 }) {
      const clock = fakeClock(Date.UTC(2026, 0, 1, 0, 0, 0, 500))
      const mode: Partial<ApiKeysOptions> = rateHeaders === undefined ? {} : { rateHeaders }
      const keys = createApiKeys({ prefix: 'rat_', ...way.options, clock, ...mode })
      const created = await keys.create({ owner: 'acct_1', limits })
      const app = way.express()
      app.get('/', guard(keys), (_req, res) => void res.end())
      const { port } = await serve(app)
      const ask = async () => {
        const { status, headers } = await raw(port, request(way.lines(created)))
        const told = Object.fromEntries(Object.entries(headers).filter(([field]) => field.includes('ratelimit')))
        return { status, told, retryAfter: headers['retry-after'] }
      }
      return { ask, clock }
    }

    it.each(MODES)('%s sends %j, on admissions and on refusals', async (mode, fields) => {
      const { ask } = await limited(mode)
      for (const [status, wait] of [
        [200, undefined],
        [200, undefined],
        [429, '60'],
      ] as const) {
        const answer = await ask()
        expect([answer.status, answer.retryAfter]).toEqual([status, wait])
        expect(Object.keys(answer.told).sort()).toEqual([...fields].sort())
      }
    })

    it("'legacy' tells in whole numbers what is left, and the second since 1970 at which more is", async () => {
      const { ask, clock } = await limited('legacy')
      const reset = String(Math.ceil((clock.now() + 60_000) / 1000))
      const left = (remaining: string) => ({
        'x-ratelimit-limit': '2',
        'x-ratelimit-remaining': remaining,
        'x-ratelimit-reset': reset,
      })
      expect([(await ask()).told, (await ask()).told, (await ask()).told]).toEqual([left('1'), left('0'), left('0')])
    })

    it("'legacy' tells of the window that is nearest to its end", async () => {
      const { ask, clock } = await limited('legacy', { minute: 10, hour: 12 })
      for (let i = 0; i < 9; i++) await ask()
      expect((await ask()).told).toMatchObject({ 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0' })
      clock.advance('1m')
      expect((await ask()).told).toMatchObject({ 'x-ratelimit-limit': '12', 'x-ratelimit-remaining': '1' })
    })

    it("'both' agrees with itself", async () => {
      const { ask } = await limited('both')
      const { told } = await ask()
      expect(told.ratelimit).toBe(`"minute";r=${told['x-ratelimit-remaining']};t=60`)
      expect(told['ratelimit-policy']).toBe(`"minute";q=${told['x-ratelimit-limit']};w=60`)
    })
  })
}

describe('rateHeaders that are wrong', () => {
  it.each(['Standard', 'draft-7', true, null, 0, [], {}])('%j is CONFIG', async (rateHeaders) => {
    const given = { prefix: 'rat_', rateHeaders: rateHeaders as RateHeaders }
    expect(await failure(() => createApiKeys(given))).toMatchObject({
      code: 'CONFIG',
      issues: [{ path: 'rateHeaders' }],
    })
  })
})
