import express from 'express'
import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { headerText, SOURCES, type SourceCase, type Texts } from '../support/presenting.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { wrongSecretFor } from '../support/stores.ts'

const REQUEST_ID = /req_[0-9a-f]{32}/g

/** An application with one guarded route, and how it answers a credential. */
async function application(source: SourceCase, options: Partial<ApiKeysOptions> = {}) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'ora_', pair: source.pair, clock, ...options })
  const reached: string[] = []
  const app = express()
  app.get('/', guard(keys, { scopes: ['a:read'], owner: 'acct_1' }), (req, res) => {
    reached.push(req.apiKey.id)
    res.json({ ok: true })
  })
  const { port } = await serve(app)
  const send = (texts: Texts) => raw(port, request(headerText(source, texts)))
  return { keys, clock, reached, send }
}

/** What is left of an answer when the request id is taken out: `Date` is gone already. */
function bytes({ status, lines, body }: RawAnswer): string {
  return [status, ...lines, '', body].join('\n').replaceAll(REQUEST_ID, 'req_')
}

/** The answer to an id that nobody has. */
async function unknown({ send }: Awaited<ReturnType<typeof application>>, source: SourceCase): Promise<RawAnswer> {
  return send(await wrongSecretFor('0'.repeat(12), 'ora_', source.pair))
}

type State = 'live' | 'revoked' | 'disabled' | 'expired' | 'of another owner' | 'without the scope' | 'without quota'

const STATES: readonly State[] = [
  'live',
  'revoked',
  'disabled',
  'expired',
  'of another owner',
  'without the scope',
  'without quota',
]

async function keyThatIs(state: State, { keys, clock }: Awaited<ReturnType<typeof application>>) {
  const made = await keys.create({
    owner: state === 'of another owner' ? 'acct_2' : 'acct_1',
    scopes: state === 'without the scope' ? ['b:read'] : ['a:read'],
    limits: { minute: state === 'without quota' ? 0 : 60 },
    expiresAt: new Date(clock.now() + 60_000),
  })
  if (state === 'revoked') await keys.revoke(made.record.id, { reason: 'leaked' })
  if (state === 'disabled') await keys.disable(made.record.id)
  if (state === 'expired') clock.advance('1m')
  return made
}

const HELD = STATES.flatMap((state) => SOURCES.map((source) => ({ ...source, state })))
const HIDDEN = HELD.filter(({ state }) => state === 'revoked' || state === 'disabled' || state === 'expired')

describe('T. Timing and oracle: what goes over the wire', () => {
  it.each(HELD)(
    'T-03, T-04 with a wrong secret, a key that is $state is answered as an unknown one ($source)',
    async (c) => {
      const app = await application(c)
      const { record } = await keyThatIs(c.state, app)
      const answer = await app.send(await wrongSecretFor(record.id, 'ora_', c.pair))
      expect(answer.status).toBe(401)
      expect(bytes(answer)).toBe(bytes(await unknown(app, c)))
      expect(app.reached).toEqual([])
    },
  )

  it.each(HIDDEN)("T-03, T-04 with reveal: 'nobody', the holder of a $state key hears no more ($source)", async (c) => {
    const app = await application(c, { reveal: 'nobody' })
    const answer = await app.send(await keyThatIs(c.state, app))
    expect(bytes(answer)).toBe(bytes(await unknown(app, c)))
    expect(app.reached).toEqual([])
  })

  it.each(HIDDEN)("T-03, T-04 with reveal: 'holder', the holder of a $state key hears it ($source)", async (c) => {
    const app = await application(c)
    const { headers, status, body } = await app.send(await keyThatIs(c.state, app))
    expect({ status, code: JSON.parse(body).code }).toEqual({ status: 401, code: c.state })
    expect(headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_token"')
  })

  it.each(SOURCES)(
    'T-08, T-09 a malformed, a foreign and an unknown credential are answered alike ($source)',
    async (c) => {
      const app = await application(c)
      const { key, secret } = await keyThatIs('live', app)
      const given = (text: string): Texts => (secret === undefined ? { key: text } : { key: text, secret })
      const expected = bytes(await unknown(app, c))
      const malformed = [
        `${key}0`,
        key.slice(0, -1),
        key.toUpperCase().replace('ORA_', 'ora_'),
        `ora_${'é'.repeat(20)}`,
      ]
      for (const text of malformed) expect(bytes(await app.send(given(text)))).toBe(expected)
      expect(bytes(await app.send({ key: 'sk_foreign', secret: 'foreign' }))).toBe(expected)
      expect(app.reached).toEqual([])
    },
  )

  it('T-09 the bytes of invalid_key are these, in this order', async () => {
    const [source] = SOURCES
    const app = await application(source)
    expect(bytes(await unknown(app, source))).toMatchInlineSnapshot(`
      "401
      X-Powered-By: Express
      Content-Type: application/problem+json
      Cache-Control: no-store
      Vary: authorization, x-api-key
      X-Request-Id: req_
      Request-Id: req_
      WWW-Authenticate: Bearer realm="api", error="invalid_token"
      X-Should-Retry: false
      Content-Length: 380
      Connection: close

      {"type":"urn:keyward:problem:invalid_key","title":"Invalid API key","status":401,"detail":"The API key is not valid.","code":"invalid_key","message":"The API key is not valid.","request_id":"req_","error":{"type":"authentication_error","message":"The API key is not valid.","code":"invalid_key","param":null,"details":{"error_code":"invalid_key"}}}"
    `)
  })

  it('T-09 but for the request id: every answer has one of its own, the same in headers and body', async () => {
    const [source] = SOURCES
    const app = await application(source)
    const answers = await Promise.all(Array.from({ length: 20 }, () => unknown(app, source)))
    const ids = answers.map(({ headers, body }) => {
      const { request_id: id } = JSON.parse(body) as { request_id: string }
      expect([headers['x-request-id'], headers['request-id']]).toEqual([id, id])
      return id
    })
    expect(new Set(ids).size).toBe(20)
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-f]{32}$/)
  })

  it.each(STATES)('T-10 no answer names the key, its owner or its secret, when it is %s', async (state) => {
    const [source] = SOURCES
    const app = await application(source)
    const made = await keyThatIs(state, app)
    for (const texts of [made, await wrongSecretFor(made.record.id, 'ora_')]) {
      const answer = await app.send(texts)
      const text = [...answer.lines, answer.body].join('\n')
      for (const secret of [made.record.id, made.record.owner, texts.key, texts.key.slice(16)]) {
        expect(text).not.toContain(secret)
      }
      if (answer.status !== 200) expect(answer.headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/)
    }
  })

  it.each(STATES)(
    'T-14 no header tells the reason or the time that a refusal took, when the key is %s',
    async (state) => {
      const [source] = SOURCES
      const app = await application(source)
      const { record } = await keyThatIs(state, app)
      const { headers } = await app.send(await wrongSecretFor(record.id, 'ora_'))
      expect(Object.keys(headers).sort()).toEqual([
        'cache-control',
        'connection',
        'content-length',
        'content-type',
        'date',
        'request-id',
        'vary',
        'www-authenticate',
        'x-powered-by',
        'x-request-id',
        'x-should-retry',
      ])
    },
  )
})
