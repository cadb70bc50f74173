import express from 'express'
import { type ApiKeysOptions, bearer, createApiKeys, header, pair } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import type { Line } from '../support/places.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { openSite } from '../support/site.ts'
import { wrongSecretFor } from '../support/stores.ts'

const MISSING = '401 missing_credentials'
const HALF = '401 incomplete_credentials'
const INVALID = '401 invalid_key'
const AMBIGUOUS = '400 ambiguous_credentials'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln'

const TWO_PAIRS: Partial<ApiKeysOptions> = {
  pair: true,
  sources: [pair('x-api-key', 'x-api-secret'), pair('x-key', 'x-secret')],
}

const inBearer = (text: string): Line => ['Authorization', `Bearer ${text}`]
const inHeader = (text: string): Line => ['X-API-Key', text]

describe('H. Header parsing: two sources', () => {
  it('H-20 takes the same key in two sources for one key', async () => {
    const { send, issue, finds } = await openSite({ keys: { cache: false } })
    const { key } = await issue()
    expect(await send([inBearer(key), inHeader(key)])).toBe('admitted')
    expect(await send([inHeader(key), inBearer(key)])).toBe('admitted')
    expect(finds()).toBe(2)
  })

  it('H-20 takes the same pair in two sources for one', async () => {
    const { send, issue } = await openSite({ keys: TWO_PAIRS })
    const { key, secret = '' } = await issue()
    const twice: Line[] = [inHeader(key), ['X-API-Secret', secret], ['X-Key', key], ['X-Secret', secret]]
    expect(await send(twice)).toBe('admitted')
  })

  it.each([JWT, 'sk-proj-somebody', 'agk_test_other', 'AGK_LIVE_x', 'x'])(
    'H-20 ignores the foreign value "%s" beside a key of ours',
    async (foreign) => {
      const { send, issue } = await openSite()
      const { key } = await issue()
      expect(await send([inBearer(foreign), inHeader(key)])).toBe('admitted')
      expect(await send([inBearer(key), inHeader(foreign)])).toBe('admitted')
    },
  )

  it('H-20 ignores an empty source beside a key of ours', async () => {
    const { send, issue } = await openSite()
    const { key } = await issue()
    expect(await send([['Authorization', 'Bearer'], inHeader(key)])).toBe('admitted')
    expect(await send([inBearer(key), inHeader('')])).toBe('admitted')
  })

  it('H-20 a repeated foreign header is still a repetition', async () => {
    const { send, issue } = await openSite()
    const { key } = await issue()
    expect(await send([inBearer('x, y'), inHeader(key)])).toBe(AMBIGUOUS)
    expect(await send([inHeader('x'), inHeader('x'), inBearer(key)])).toBe(AMBIGUOUS)
  })

  it('H-21 refuses two different keys of ours without looking either up', async () => {
    const { send, issue, finds, keys } = await openSite()
    const { key } = await issue()
    const { key: other } = await issue()
    const unknown = await wrongSecretFor('000000000000', 'agk_live_')
    for (const second of [other, unknown.key, 'agk_live_', 'agk_live_garbage', `${key}x`, key.slice(0, -1)]) {
      expect(await send([inBearer(key), inHeader(second)])).toBe(AMBIGUOUS)
      expect(await send([inBearer(second), inHeader(key)])).toBe(AMBIGUOUS)
    }
    const both = { headers: { authorization: `Bearer ${key}`, 'x-api-key': other } }
    expect(await keys.verify(both)).toMatchObject({ ok: false, code: 'ambiguous_credentials' })
    expect(finds()).toBe(0)
  })

  it('H-21 refuses two different pairs without looking either up', async () => {
    const { send, issue, finds } = await openSite({ keys: TWO_PAIRS })
    const [one, two] = [await issue(), await issue()]
    const lines = (key: string, secret = ''): Line[] => [
      inHeader(one.key),
      ['X-API-Secret', one.secret ?? ''],
      ['X-Key', key],
      ['X-Secret', secret],
    ]
    expect(await send(lines(two.key, two.secret))).toBe(AMBIGUOUS)
    expect(await send(lines(one.key, two.secret))).toBe(AMBIGUOUS)
    expect(await send(lines(two.key, one.secret))).toBe(AMBIGUOUS)
    expect(await send(lines(one.key))).toBe(AMBIGUOUS)
    expect(finds()).toBe(0)
  })

  it('H-21 refuses keys of two instances behind one guard', async () => {
    const [agents, partners] = [createApiKeys({ prefix: 'agk_' }), createApiKeys({ prefix: 'pk_' })]
    const app = express()
    app.use(guard([agents, partners]), (req, res) => void res.end(req.apiKey.prefix))
    const { port } = await serve(app)
    const [a, p] = [await agents.create({ owner: 'acct_1' }), await partners.create({ owner: 'acct_1' })]
    const alone = await raw(port, request([`X-API-Key: ${p.key}`]))
    expect(alone).toMatchObject({ status: 200, body: 'pk_' })
    const both = await raw(port, request([`Authorization: Bearer ${a.key}`, `X-API-Key: ${p.key}`]))
    expect(both.status).toBe(400)
    expect(both.headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_request"')
  })

  it('the secret of another service beside a key of ours is as foreign as its key would be', async () => {
    const [agents, partners] = [createApiKeys({ prefix: 'agk_' }), createApiKeys({ prefix: 'pk_', pair: true })]
    const app = express()
    app.use(guard([agents, partners]), (req, res) => void res.end(req.apiKey.prefix))
    const { port } = await serve(app)
    const [{ key }, { secret }] = [await agents.create({ owner: 'acct_1' }), await partners.create({ owner: 'acct_1' })]
    const ask = async (line: string, beside: string) =>
      (await raw(port, request([line, `X-API-Secret: ${beside}`]))).status
    for (const line of [`Authorization: Bearer ${key}`, `X-API-Key: ${key}`]) expect(await ask(line, 'foo')).toBe(200)
    expect(await ask(`Authorization: Bearer ${key}`, String(secret))).toBe(400)
  })
})

type Half = readonly [called: string, lines: (key: string, secret: string) => readonly Line[], code: string]

const HALVES: readonly Half[] = [
  [
    'H-22 a key half as bearer token and a secret',
    (key: string, secret: string) => [inBearer(key), ['X-API-Secret', secret]],
    AMBIGUOUS,
  ],
  [
    'H-22 a foreign bearer token and a secret',
    (_: string, secret: string) => [inBearer('x.y.z'), ['X-API-Secret', secret]],
    HALF,
  ],
  ['H-23 a secret alone', (_: string, secret: string) => [['X-API-Secret', secret]], HALF],
  ['H-23 a foreign secret alone', () => [['X-API-Secret', 'x']], HALF],
  ['H-23 a secret and an empty key', (_: string, secret: string) => [inHeader(''), ['X-API-Secret', secret]], HALF],
  ['H-24 a key half alone', (key: string) => [inHeader(key)], HALF],
  ['H-24 a key half and an empty secret', (key: string) => [inHeader(key), ['X-API-Secret', '']], HALF],
  ['H-24 a foreign key alone', () => [inHeader('x')], HALF],
  ['both halves empty', () => [inHeader(''), ['X-API-Secret', '']], MISSING],
  ['the halves exchanged', (key: string, secret: string) => [inHeader(secret), ['X-API-Secret', key]], INVALID],
  ['the key half twice', (key: string) => [inHeader(key), ['X-API-Secret', key]], INVALID],
  ['both halves in one header', (key: string, secret: string) => [inHeader(`${key}${secret}`)], HALF],
  ['both halves in one header with a colon', (key: string, secret: string) => [inHeader(`${key}:${secret}`)], HALF],
]

describe('H. Header parsing: pairs', () => {
  it.each(HALVES)('%s is no pair', async (_, lines, expected) => {
    for (const optional of [false, true]) {
      const { send, issue, finds } = await openSite({ keys: { pair: true }, demand: { optional } })
      const { key, secret = '' } = await issue()
      expect(await send(lines(key, secret))).toBe(expected)
      expect(finds()).toBe(0)
    }
  })

  it('nobody reads Authorization on an instance with pairs', async () => {
    const { send, issue } = await openSite({ keys: { pair: true } })
    const { key } = await issue()
    expect(await send([inBearer(key)])).toBe(MISSING)
  })

  it('H-23 H-24 says that key and secret are required', async () => {
    const { port, issue, judge } = await openSite({ keys: { pair: true } })
    const { key } = await issue()
    const answer = await raw(port, request([`X-API-Key: ${key}`]))
    expect(judge(answer)).toBe(HALF)
    expect(JSON.parse(answer.body)).toMatchObject({ title: 'API key and secret are required' })
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="api"/)
  })

  it('H-24 the secret of another pair is a wrong secret', async () => {
    const { send, issue } = await openSite({ keys: { pair: true } })
    const [one, two] = [await issue(), await issue()]
    expect(await send([inHeader(one.key), ['X-API-Secret', two.secret ?? '']])).toBe(INVALID)
  })

  it('H-24 a source that holds one text holds half a pair', async () => {
    const sources = [bearer(), pair('x-api-key', 'x-api-secret')]
    const { send, issue, finds } = await openSite({ keys: { pair: true, sources } })
    const { key, secret = '' } = await issue()
    expect(await send([inBearer(key)])).toBe(HALF)
    expect(await send([inBearer(secret)])).toBe(HALF)
    expect(await send([inBearer(key), ['X-API-Secret', secret]])).toBe(AMBIGUOUS)
    expect(await send([inBearer(key), inHeader(key), ['X-API-Secret', secret]])).toBe(AMBIGUOUS)
    expect(finds()).toBe(0)
    expect(await send([inBearer(JWT), inHeader(key), ['X-API-Secret', secret]])).toBe('admitted')
  })

  it('H-26 an instance without pairs does not read X-API-Secret', async () => {
    const { send, issue } = await openSite()
    const { key } = await issue()
    for (const secret of ['', 'x', 'a, b', key]) {
      expect(await send([inHeader(key), ['X-API-Secret', secret]])).toBe('admitted')
    }
    expect(await send([['X-API-Secret', key]])).toBe(MISSING)
  })

  it('sources of one kind may be named as the host likes', async () => {
    const { send, issue } = await openSite({ keys: { sources: [header('X-Company-Key'), bearer()] } })
    const { key } = await issue()
    expect(await send([['x-company-key', key]])).toBe('admitted')
    expect(await send([inHeader(key)])).toBe(MISSING)
  })
})
