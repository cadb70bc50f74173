import { type ApiKeys, type ApiKeysOptions, createApiKeys, type Demand } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY, EXPRESSES, type ExpressModule } from '../support/express.ts'
import { listener } from '../support/outcome.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { CODES, REFUSALS } from '../support/refusals.ts'
import { serve } from '../support/serve.ts'
import { wrongSecretFor } from '../support/stores.ts'

/** Everything on the wire but the date and the request id, byte for byte and in order. */
const wire = ({ status, lines, body }: RawAnswer) =>
  [status, ...lines, body].join('\n').replaceAll(/req_[0-9a-f]{32}/g, 'req_')

async function answerOf(
  express: ExpressModule,
  keys: ApiKeys,
  demand: Demand,
  lines: readonly string[],
  method = 'GET',
) {
  const app = express()
  app.all('/', guard(keys, demand), (_req, res) => void res.end('reached'))
  const { port } = await serve(app)
  return wire(await raw(port, request(lines, { method })))
}

/** What may change the shape of an answer. */
const OPTIONS: readonly Partial<ApiKeysOptions>[] = [
  {},
  { realm: 'of agents', rateHeaders: 'both' },
  { reveal: 'nobody', rateHeaders: 'legacy' },
  {
    rateHeaders: false,
    answers: (_denial, answer) => ({ ...answer, headers: { ...answer.headers, Link: '</docs>' } }),
  },
]

describe('Answers on Express 5 and on Express 4 are the same bytes', () => {
  const [five, four] = EXPRESSES.map(({ express }) => express) as [ExpressModule, ExpressModule]

  describe.each(CODES)('%s', (code) => {
    it.each(OPTIONS.map((options, i) => ({ i, options })))('with options %$', async ({ options }) => {
      const { keys, demand, lines } = await REFUSALS[code](options)
      for (const method of ['GET', 'HEAD', 'POST']) {
        expect(await answerOf(four, keys, demand, lines, method)).toBe(
          await answerOf(five, keys, demand, lines, method),
        )
      }
    })
  })

  it('and so is what the guard adds to an admission', async () => {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: 'ref_', clock, rateHeaders: 'both' })
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 5, hour: 9 } })
    await keys.rotate(record.id, { overlap: '1h' })
    const lines = [`X-API-Key: ${key}`]
    const [onFive, onFour] = [
      await answerOf(five, keys, { cost: 0 }, lines),
      await answerOf(four, keys, { cost: 0 }, lines),
    ]
    expect(onFour).toBe(onFive)
    for (const field of ['RateLimit:', 'RateLimit-Policy:', 'X-RateLimit-Limit:', 'Deprecation:', 'Sunset:', 'Vary:']) {
      expect(onFive).toContain(`\n${field} `)
    }
  })
})

for (const way of EVERY_WAY) {
  describe(`T. reveal: 'nobody', ${way.name}, ${way.source}`, () => {
    const states = { revoked: 'revoke', disabled: 'disable', expired: undefined } as const

    /** A key in that state, and the answers to it, to its wrong secret and to an unknown id. */
    async function answers(state: keyof typeof states, options: Partial<ApiKeysOptions>) {
      const heard = listener()
      const clock = fakeClock()
      const keys = createApiKeys({ prefix: 'hid_', ...way.options, clock, onEvent: heard.onEvent, ...options })
      const created = await keys.create({
        owner: 'acct_1',
        expiresAt: new Date(clock.now() + 60_000),
        limits: { minute: 5 },
      })
      const verb = states[state]
      if (verb === undefined) clock.advance('1m')
      else await keys[verb](created.record.id)
      const ask = (texts: { key: string; secret?: string }) => answerOf(way.express, keys, {}, way.lines(texts))
      const prefixed = (id: string) => wrongSecretFor(id, 'hid_', way.options.pair)
      return {
        holder: await ask(created),
        wrong: await ask(await prefixed(created.record.id)),
        unknown: await ask(await prefixed('0'.repeat(12))),
        verdict: await keys.verify({ ...created }),
        told: heard.of('denied').map(({ code }) => code),
      }
    }

    it.each(Object.keys(states) as (keyof typeof states)[])(
      'T-03 T-04 answers %s as any invalid key, while verdict and events say the truth',
      async (state) => {
        const { holder, wrong, unknown, verdict, told } = await answers(state, { reveal: 'nobody' })
        expect(holder).toBe(unknown)
        expect(wrong).toBe(unknown)
        expect(unknown).toContain('"code":"invalid_key"')
        expect(verdict).toMatchObject({ ok: false, code: state, record: { owner: 'acct_1' } })
        expect(told).toEqual([state, 'invalid_key', 'invalid_key', state])
      },
    )

    it.each(Object.keys(states) as (keyof typeof states)[])(
      'T-03 T-04 tells %s to the holder alone without it',
      async (state) => {
        const { holder, wrong, unknown } = await answers(state, {})
        expect(holder).toContain(`"code":"${state}"`)
        expect(wrong).toBe(unknown)
      },
    )

    it.each(Object.keys(states) as (keyof typeof states)[])(
      'does not give %s away by an override or to a function of the host',
      async (state) => {
        const byCode = await answers(state, { reveal: 'nobody', answers: { [state]: { status: 410, title: 'Gone' } } })
        expect(byCode.holder).toBe(byCode.unknown)

        const seen: unknown[] = []
        const byFunction = await answers(state, {
          reveal: 'nobody',
          answers: (denial, answer) => {
            seen.push([denial.code, denial.record])
            return answer
          },
        })
        expect(byFunction.holder).toBe(byFunction.unknown)
        expect(seen).toEqual(Array.from({ length: 3 }, () => ['invalid_key', undefined]))
      },
    )
  })
}
