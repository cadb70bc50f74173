import express from 'express'
import { createApiKeys, type Hasher, hmac, sha256 } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LIGHT } from '../support/argon2.ts'
import { BOTH_STORES } from '../support/both-stores.ts'
import { ask, FRAMEWORKS } from '../support/frameworks.ts'
import { judged } from '../support/outcome.ts'
import { carried, headerText, SOURCES, type SourceCase } from '../support/presenting.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { wrongSecretFor } from '../support/stores.ts'

/** What the catalogue names, and what would weaken a guard or an answer if it were read. Node itself reads none of them. */
const POLLUTION: readonly (readonly [string, unknown])[] = [
  ['scopes', ['*']],
  ['tenantId', 'acct_2'],
  ['disabled', false],
  ['expiresAt', 8e12],
  ['allowlist', ['0.0.0.0/0']],
  ['cost', 0],
  ['skip', true],
  ['owner', 'acct_1'],
  ['resource', '*'],
  ['optional', true],
  ['reveal', 'holder'],
  ['answers', { invalid_key: { status: 200 } }],
  ['title', 'polluted'],
  ['realm', 'polluted'],
  ['rateHeaders', 'both'],
  ['retryAfter', 1],
  ['needed', ['polluted']],
  ['readings', [{ name: 'polluted', limit: 1, remaining: 1 }]],
  ['windows', [{ name: 'polluted', limit: 1, ms: 1000 }]],
  ['record', { id: 'polluted' }],
  ['overlap', { since: 0, until: 8e12 }],
  ['challenge', 'polluted'],
  ['hidden', 'revoked'],
  ['status', 200],
  ['detail', 'polluted'],
  ['type', 'polluted'],
  ['release', () => {}],
  ['settlement', { settle: () => 0 }],
  ['previous', { hash: 'sha256$', since: 0, until: 8e12 }],
  ['credits', { remaining: 1e9, opened: 0 }],
  ['apiKey', { owner: 'acct_1', can: () => true }],
  ['access', { owner: 'acct_1' }],
  ['trustedProxies', ['127.0.0.0/8']],
]

/** What would be a header field, if all that can be enumerated were taken for one: with a value that is none, a fault. */
const FIELDS: typeof POLLUTION = [
  ['isAdmin', 'yes'],
  ['isAdmin', 'a\nb'],
  ['isAdmin', {}],
  ['Access-Control-Allow-Origin', 'https://evil.example'],
]

/**
 * Pollutes until the test ends: whole requests, with all that Node and Express do meanwhile.
 * @param enumerable as it is by assignment, which is how most is polluted
 */
function pollute([name, value]: readonly [string, unknown], enumerable = false): void {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable })
  onTestFinished(() => void Reflect.deleteProperty(Object.prototype, name))
}

/** Which keys are tried on which route; all of them where none are named. */
const QUESTIONS = {
  '/plain': undefined,
  '/scoped': ['plain', 'scoped'],
  '/owned': ['plain', 'foreign'],
  '/bound': ['plain', 'bound'],
} as const

/** Guarded routes and keys in every state, and what each is answered on each. */
async function application(source: SourceCase, reveal: 'holder' | 'nobody' = 'holder') {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'pw_', pair: source.pair, clock, reveal })
  const app = express()
  const reached: string[] = []
  const handle: express.RequestHandler = (req, res) => {
    reached.push(`${req.path} ${keys.of(req).owner}`)
    res.end('reached')
  }
  app.get('/plain', guard(keys), handle)
  app.get('/scoped', guard(keys, { scopes: ['a:read'] }), handle)
  app.get('/owned', guard(keys, { owner: 'acct_1', cost: 1 }), handle)
  app.get('/bound', guard(keys, { resource: 'agent:1' }), handle)
  const { port } = await serve(app)
  const create = (input = {}) => keys.create({ owner: 'acct_1', limits: { minute: 60 }, ...input })
  const [plain, scoped, foreign, bound, local, spent] = await Promise.all([
    create(),
    create({ scopes: ['a:read'] }),
    create({ owner: 'acct_2' }),
    create({ resource: 'agent:2' }),
    create({ allowedIps: ['10.0.0.0/8'] }),
    create({ limits: { minute: 0 } }),
  ])
  const [revoked, disabled, expired] = [await create(), await create(), await create({ expiresAt: soon(clock.now()) })]
  await keys.revoke(revoked.record.id)
  await keys.disable(disabled.record.id)
  clock.advance('1s')
  const wrong = await wrongSecretFor(plain.record.id, 'pw_', source.pair)
  const texts = { plain, scoped, foreign, bound, local, spent, revoked, disabled, expired, wrong }
  const ask = (target: string, lines: readonly string[]) => raw(port, request(lines, { target }))

  async function answers(): Promise<readonly string[]> {
    const told: string[] = []
    for (const [target, names] of Object.entries(QUESTIONS)) {
      told.push(wire(`${target} nobody`, await ask(target, [])))
      for (const name of names ?? (Object.keys(texts) as (keyof typeof texts)[])) {
        told.push(wire(`${target} ${name}`, await ask(target, headerText(source, texts[name]))))
      }
    }
    // Each round begins with full windows.
    clock.advance('1m')
    return [...told, ...reached.splice(0)]
  }
  return { answers }
}

const soon = (now: number) => new Date(now + 500)

/** All bytes but the request id; `Date` is gone already. */
const wire = (title: string, { status, lines, body }: RawAnswer) =>
  [title, status, ...lines, body].join('\n').replaceAll(/req_[0-9a-f]{32}/g, 'req_')

describe.each(SOURCES)('P. Prototype pollution while requests are served ($source)', (source) => {
  it('P-01 the questions are answered in many ways', async () => {
    const told = await (await application(source)).answers()
    const codes = new Set(told.map((each) => /"code":"(\w+)"/.exec(each)?.[1] ?? 'reached'))
    expect([...codes].sort()).toEqual([
      ...['disabled', 'expired', 'insufficient_scope', 'invalid_key', 'ip_not_allowed', 'missing_credentials'],
      ...['owner_mismatch', 'rate_limited', 'reached', 'resource_mismatch', 'revoked'],
    ])
  })

  it.each(POLLUTION)('P-01 Object.prototype.%s = %j changes no byte of any answer', async (...pollution) => {
    const { answers } = await application(source)
    const clean = await answers()
    pollute(pollution)
    expect(await answers()).toEqual(clean)
  })

  it.each(POLLUTION)("P-01 Object.prototype.%s = %j reveals nothing with reveal: 'nobody'", async (...pollution) => {
    const { answers } = await application(source, 'nobody')
    const clean = await answers()
    pollute(pollution)
    expect(await answers()).toEqual(clean)
  })

  it.each(BOTH_STORES)('P-01 setters on every object are given nothing (%s)', async (_name, open) => {
    const given: unknown[] = []
    const names = ['key', 'secret', 'hash', 'text', 'digest', 'presented', 'authorization', 'x-api-key', 'x-api-secret']
    const { store } = open()
    const hashers: readonly Hasher[] = [sha256(), hmac({ current: 'p1', peppers: { p1: 'k8Jq2vTz5RwXn9BfLm4HsC7d' } })]
    const keys = createApiKeys({ prefix: 'pw_', pair: source.pair, store, hasher: [...hashers, argon2id(LIGHT)] })
    for (const name of names) {
      const set = (value: unknown) => void given.push([name, value])
      Object.defineProperty(Object.prototype, name, { set, get: () => undefined, configurable: true })
    }
    try {
      const created = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
      expect(await judged(keys, carried(source, created))).toBe('admitted')
      const next = await keys.rotate(created.record.id, { overlap: '1h' })
      expect(await judged(keys, carried(source, next))).toBe('admitted')
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name)
    }
    expect(given).toEqual([])
  })
})

describe.each(FRAMEWORKS)('P. Prototype pollution by assignment, $name', (framework) => {
  /** What a guard says to nobody, to nonsense, and to a key with limits, admitted and refused. */
  async function served() {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: 'pw_', clock })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 1 } })
    const bound = await framework.open(keys, undefined, (access) => access?.owner)
    return async () => {
      const told: unknown[] = []
      for (const lines of [[], ['X-API-Key: pw_nonsense'], [`X-API-Key: ${key}`], [`X-API-Key: ${key}`]]) {
        const { status, headers, body } = await ask(framework, bound, lines)
        told.push({ ...headers, date: '', body, status })
      }
      clock.advance('1m')
      return JSON.stringify(told).replaceAll(/req_[0-9a-f]{32}/g, 'req_')
    }
  }

  it.each([...POLLUTION, ...FIELDS])('P-01 Object.prototype.%s = %j changes no answer', async (...pollution) => {
    const answers = await served()
    const clean = await answers()
    pollute(pollution, true)
    expect(await answers()).toBe(clean)
  })
})
