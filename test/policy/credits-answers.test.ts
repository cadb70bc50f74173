import type { Request, Response } from 'express'
import { type ApiKeysOptions, createApiKeys, type Demand, type GateCode } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { atOnce, farAway, purse } from '../support/money.ts'
import { listener } from '../support/outcome.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

/** What a problem says, without what differs from one to the next. */
function problemIn({ body }: RawAnswer) {
  const { request_id: _, ...problem } = JSON.parse(body) as Record<string, unknown>
  return problem
}

for (const { name, express, source, options, lines } of EVERY_WAY) {
  describe(`L. Answers about money, ${name}, ${source}`, () => {
    async function broke(more: Partial<ApiKeysOptions> = {}, demand: Demand = {}) {
      const kept = await purse({ remaining: 0 }, { ...options, ...more }, { limits: { minute: 5 } })
      const site = await serveGuarded(express, kept.keys, demand)
      return { ...kept, ...site, bytes: request(lines(kept.created)) }
    }

    it('L-22 an exhausted balance is 402 insufficient_balance: no wait is told, no retry, no limit', async () => {
      const { port, bytes, reached, created } = await broke()
      const answer = await raw(port, bytes)
      expect(answer.status).toBe(402)
      expect(answer.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'x-should-retry': 'false',
      })
      for (const field of ['retry-after', 'www-authenticate', 'ratelimit', 'ratelimit-policy']) {
        expect(answer.headers).not.toHaveProperty(field)
      }
      expect(problemIn(answer)).toMatchObject({
        title: 'Insufficient balance',
        status: 402,
        code: 'insufficient_balance',
        error: { type: 'billing_error', code: 'insufficient_balance', param: null },
      })
      expect(reached).toEqual([])
      const secret = (created.secret ?? created.key).slice(-38)
      expect(JSON.stringify(answer)).not.toContain(secret)
    })

    it('`answers` of the instance make it 403, in the status and in the body', async () => {
      const { port, bytes } = await broke({ answers: { insufficient_balance: { status: 403, title: 'Top up first' } } })
      const answer = await raw(port, bytes)
      expect(answer.status).toBe(403)
      expect(problemIn(answer)).toMatchObject({ status: 403, title: 'Top up first', code: 'insufficient_balance' })
      expect(answer.headers).not.toHaveProperty('www-authenticate')
    })

    it('`answers` of the demand are laid over the instance’s', async () => {
      const { port, bytes } = await broke(
        { answers: { insufficient_balance: { status: 403, title: 'Top up first' } } },
        { answers: { insufficient_balance: { status: 409 } } },
      )
      const answer = await raw(port, bytes)
      expect(answer.status).toBe(409)
      expect(problemIn(answer)).toMatchObject({ status: 409, title: 'Top up first' })
    })

    it.each<[GateCode, number]>([
      ['account_suspended', 403],
      ['insufficient_balance', 402],
    ])('a gate that says %s is %i, and tells the rest in the same words', async (code, status) => {
      const { port, bytes } = await broke({ gate: () => code })
      const answer = await raw(port, bytes)
      expect([answer.status, problemIn(answer).code]).toEqual([status, code])
      expect(answer.headers).not.toHaveProperty('ratelimit')
    })

    it('L-26 suspended and without balance is account_suspended', async () => {
      const { port, bytes, reached } = await broke({ gate: async () => 'account_suspended' as const })
      const answer = await raw(port, bytes)
      expect([answer.status, problemIn(answer).code]).toEqual([403, 'account_suspended'])
      expect(reached).toEqual([])
    })

    it('L-22 one unit left and 100 callers at once: exactly one is served', async () => {
      const store = farAway()
      const { keys, created, left } = await purse({ remaining: 1 }, { store, storeTimeout: '15s', ...options })
      const { port, reached } = await serveGuarded(express, keys)
      const answers = await atOnce(100, () => raw(port, request(lines(created))))
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).toEqual([200, ...Array(99).fill(402)])
      expect(reached).toHaveLength(1)
      expect(await left()).toBe(0)
    })

    it('L-22 one unit left and 100 callers who would hold it: exactly one is served, and charged', async () => {
      const { keys, created, left } = await purse(
        { remaining: 1 },
        { store: farAway(), storeTimeout: '15s', ...options },
      )
      let served = 0
      const app = express()
      app.get('/', guard(keys, { reserve: 1 }), async (req: Request, res: Response) => {
        served++
        res.json(await req.apiKey.settle(1))
      })
      const { port } = await serve(app)
      const answers = await atOnce(100, () => raw(port, request(lines(created))))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect([served, await left()]).toEqual([1, 0])
    })

    it('L-28 limit fields are whole numbers of at most 15 digits beside any balance, and `t` fits Retry-After', async () => {
      const limits = { minute: 2, day: 999_999_999_999_999 }
      const credits = { remaining: Number.MAX_SAFE_INTEGER }
      const { keys, created } = await purse(credits, options, { limits })
      const { port } = await serveGuarded(express, keys)
      const answers: RawAnswer[] = []
      for (let i = 0; i < 3; i++) answers.push(await raw(port, request(lines(created))))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
      for (const { headers } of answers) {
        const numbers = [...`${headers.ratelimit}, ${headers['ratelimit-policy']}`.matchAll(/[qrtw]=([^;,]+)/g)]
        expect(numbers).toHaveLength(8)
        for (const [, digits] of numbers) expect(digits).toMatch(/^\d{1,15}$/)
      }
      const { 'retry-after': wait, ratelimit = '' } = answers[2]?.headers ?? {}
      expect(wait).toMatch(/^[1-9]\d*$/)
      expect(Number(/"minute";r=0;t=(\d+)/.exec(ratelimit)?.[1])).toBeLessThanOrEqual(Number(wait))
    })
  })
}

describe('explain() of money', () => {
  const stepOf = (steps: readonly { step: string }[], name: string) => steps.find(({ step }) => step === name)

  it('shows the balance and what the request needs, and takes nothing', async () => {
    const { keys, key, left } = await purse({ remaining: 5 })
    const good = await keys.explain(key, { cost: 3 })
    expect(good.ok).toBe(true)
    expect(good).not.toHaveProperty('code')
    expect(stepOf(good.steps, 'credits')).toEqual({ step: 'credits', ok: true, detail: expect.stringMatching(/5.*3/) })
    const poor = await keys.explain(key, { cost: 6 })
    expect([poor.ok, poor.code]).toEqual([false, 'insufficient_balance'])
    expect(stepOf(poor.steps, 'credits')).toMatchObject({ ok: false })
    expect(await left()).toBe(5)
  })

  it('asks for the reserve where one is stated, and holds nothing', async () => {
    const { keys, key, left } = await purse({ remaining: 5 })
    expect((await keys.explain(key, { reserve: () => 6, cost: 1 })).code).toBe('insufficient_balance')
    expect((await keys.explain(key, { reserve: 5, cost: 100 })).ok).toBe(true)
    expect(await left()).toBe(5)
  })

  it('says of a key without credits that there are none', async () => {
    const keys = createApiKeys({ prefix: 'pay_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(stepOf((await keys.explain(key)).steps, 'credits')).toMatchObject({ ok: true })
  })

  it('shows what the gate says, last but for what is taken, and that it failed', async () => {
    let word: unknown = 'account_suspended'
    const gate = () => {
      if (word instanceof Error) throw word
      return word as GateCode
    }
    const { keys, key, id } = await purse({ remaining: 0 }, { gate })
    const suspended = await keys.explain(key)
    expect(suspended.code).toBe('account_suspended')
    expect(suspended.steps.map(({ step }) => step).slice(-4)).toEqual(['scopes', 'gate', 'limits', 'credits'])
    expect(suspended.steps.filter(({ ok }) => !ok).map(({ step }) => step)).toEqual(['gate', 'credits'])
    word = undefined
    expect(await keys.explain({ id })).toMatchObject({ ok: false, code: 'insufficient_balance' })
    word = new Error('redis://user:hunter2@db is gone')
    const failed = await keys.explain(key)
    expect(failed.code).toBe('unavailable')
    expect(JSON.stringify(failed)).not.toContain('hunter2')
  })

  it('a broken rule comes before the gate, as in verification', async () => {
    const { keys, key } = await purse({ remaining: 0 }, { gate: () => 'account_suspended' as const })
    expect((await keys.explain(key, { scopes: ['a:read'] })).code).toBe('insufficient_scope')
  })

  it('says what verify says, of any balance, gate and demand', async () => {
    const words = [undefined, 'account_suspended', 'insufficient_balance'] as const
    const demands: readonly Demand[] = [{}, { cost: 0 }, { cost: 3 }, { reserve: 2 }, { reserve: 9 }, { owner: 'x' }]
    for (const word of words) {
      for (const remaining of [0, 2, 3]) {
        for (const demand of demands) {
          const heard = listener()
          const kept = await purse({ remaining }, { gate: () => word, onEvent: heard.onEvent }, { limits: { hour: 2 } })
          const { ok, code } = await kept.keys.explain(kept.key, demand)
          expect([...heard.of('admitted'), ...heard.of('denied')]).toEqual([])
          expect(await kept.ask(demand)).toBe(ok ? 'admitted' : code)
        }
      }
    }
  })
})
