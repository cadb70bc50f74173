import type { IncomingMessage } from 'node:http'
import { type Context, Hono } from 'hono'
import { type ApiKeysOptions, bearer, createApiKeys, header, pair } from 'keyward'
import { guard } from 'keyward/fetch'
import { guard as honoGuard } from 'keyward/hono'
import { describe, expect, it } from 'vitest'
import { ask, FRAMEWORKS } from '../support/frameworks.ts'
import { failure } from '../support/outcome.ts'

/** Node's request, wherever a framework has it. */
function messageOf(request: object): IncomingMessage | undefined {
  const { raw, req, env } = request as Record<'raw' | 'req' | 'env', unknown>
  const found = [(env as { incoming?: unknown } | undefined)?.incoming, raw, req, request]
  return found.find((each) => Array.isArray(Object(each).rawHeaders)) as IncomingMessage | undefined
}

/** Everything that a proxy may take header lines from. */
function forwarded(request: object) {
  const message = messageOf(request)
  const web = request instanceof Request ? request : (request as Context).req?.raw
  return {
    ...(message && { headers: message.headers, raw: message.rawHeaders, distinct: message.headersDistinct }),
    ...(web instanceof Request && { web: [...web.headers], copied: [...new Request(web).headers] }),
  }
}

for (const framework of FRAMEWORKS) {
  describe(`G-07 What a handler could forward, on ${framework.name}`, () => {
    async function sent(
      options: Partial<ApiKeysOptions>,
      linesOf: (made: { key: string; secret?: string }) => string[],
    ) {
      const keys = createApiKeys({ prefix: 'hid_', hideCredentials: true, ...options })
      const made = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
      const bound = await framework.open(keys, undefined, async (_access, request) => {
        const later = await keys.verify({ headers: {}, request })
        const { owner, readings } = keys.of(request)
        return { known: [later.ok, owner, readings[0]?.remaining], ...forwarded(request) }
      })
      const answer = await ask(framework, bound, ['X-Before: 1', ...linesOf(made), 'X-After: 2'])
      expect(answer.status).toBe(200)
      const echo = JSON.parse(answer.body)
      return { made, echo, text: answer.body.toLowerCase(), answer }
    }
    const both = ({ key }: { key: string }) => [`Authorization: Bearer ${key}`, `X-API-Key: ${key}`]

    it('is without the headers that carried the key, which a later guard still knows', async () => {
      const { made, echo, text } = await sent({}, both)
      expect(text).not.toContain(made.key.slice(-38).toLowerCase())
      expect(text).not.toMatch(/authorization|x-api-key/)
      for (const name of ['x-before', 'x-after']) expect(text).toContain(name)
      for (const shown of Object.values(forwardedIn(echo)))
        expect(JSON.stringify(shown).toLowerCase()).toContain('x-after')
      expect(echo.known).toEqual([true, 'acct_1', 4])
    })

    it.each([true, false])(
      'is beside a foreign credential still known to a later guard (hidden: %j)',
      async (hidden) => {
        const keys = createApiKeys({ prefix: 'hid_', hideCredentials: hidden })
        const other = createApiKeys({ prefix: 'other_', hideCredentials: true })
        const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
        const bound = await framework.open(keys, undefined, async (_access, request) => {
          const headers = { authorization: 'Bearer foreign' }
          const [later, ambiguous, others] = await Promise.all([
            keys.verify({ headers, request }),
            keys.verify({ headers: { ...headers, 'x-api-key': ['a', 'b'] }, request }),
            other.verify({ headers, request }),
          ])
          return [later, ambiguous, others].map((verdict) => verdict.ok || verdict.code)
        })
        const answer = await ask(framework, bound, ['Authorization: Bearer foreign', `X-API-Key: ${key}`])
        const known = hidden ? true : 'invalid_key'
        expect(JSON.parse(answer.body)).toEqual([known, 'ambiguous_credentials', 'invalid_key'])
      },
    )

    it('is without both halves of a pair', async () => {
      const sources = [pair('x-id', 'x-token')]
      const halves = ({ key, secret }: { key: string; secret?: string }) => [`X-Id: ${key}`, `X-Token: ${secret}`]
      const { text } = await sent({ pair: true, sources }, halves)
      expect(text).not.toMatch(/x-id|x-token|hid_/)
    })

    it('keeps what is nobody of ours in another header', async () => {
      const sources = [bearer({ foreign: 'ignore' }), header('x-api-key')]
      const { text } = await sent({ sources }, ({ key }) => ['Authorization: Bearer j.w.t', `X-API-Key: ${key}`])
      expect(text).toContain('bearer j.w.t')
      expect(text).not.toMatch(/x-api-key|hid_/)
    })

    it('is everything where nothing else was said', async () => {
      const { made, text } = await sent({ hideCredentials: false }, both)
      expect(text).toContain(made.key.toLowerCase())
    })
  })
}

function forwardedIn({ headers, raw, distinct, web, copied }: Record<string, unknown>) {
  return Object.fromEntries(Object.entries({ headers, raw, distinct, web, copied }).filter(([, shown]) => shown))
}

/** A request as Deno and Workers have it: its headers cannot be changed. */
function posted(key: string): Request {
  const headers = { 'X-API-Key': key, 'X-Other': '1' }
  const request = new Request('http://x/', { method: 'POST', body: '{"a":1}', headers })
  const value = () => {
    throw new TypeError('immutable')
  }
  Object.defineProperty(request.headers, 'delete', { value })
  return request
}

it.each(['yes', 1, null])('G-07 hideCredentials is CONFIG as %o', async (hideCredentials) => {
  const error = await failure(() => createApiKeys({ prefix: 'hid_', hideCredentials } as never))
  expect([error.code, error.message]).toEqual([
    'CONFIG',
    expect.stringMatching(/hideCredentials must be true or false/),
  ])
})

describe('G-07 A request whose headers cannot be changed', () => {
  const keys = createApiKeys({ prefix: 'hid_', hideCredentials: true })

  it('is copied for the handler, with its body, and guards within know it', async () => {
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    const inner = guard(keys, {}, async (request, { readings }) => {
      const { remaining } = readings[0] ?? {}
      return Response.json({
        headers: [...request.headers],
        body: await request.text(),
        remaining,
        id: keys.of(request).id,
      })
    })
    const answer = await guard(keys, {}, (request) => inner(request))(posted(key))
    const told = (await answer.json()) as { headers: unknown }
    expect(told).toMatchObject({ body: '{"a":1}', remaining: 4, id: record.id })
    expect(told.headers).toEqual(expect.arrayContaining([['x-other', '1']]))
    expect(JSON.stringify(told.headers)).not.toContain('x-api-key')
  })

  it('is known to a later guard for several instances of which but one hides, also beside a foreign credential', async () => {
    const other = createApiKeys({ prefix: 'other_' })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const inner = guard([other, keys], {}, (_request, { id }) => Response.json(id))
    const answer = await guard(keys, {}, (request) => {
      request.headers.set('Authorization', 'Bearer foreign')
      return inner(request)
    })(posted(key))
    expect(await answer.json()).toBe(record.id)
  })

  it('is copied on Hono, also when its body was read before', async () => {
    const { key } = await keys.create({ owner: 'acct_1' })
    const app = new Hono()
    app.use(async (c, next) => {
      await c.req.json()
      await next()
    })
    app.post('/', honoGuard(keys), honoGuard(keys), async (c) =>
      c.json({ body: await c.req.json(), key: c.req.header('x-api-key') ?? null, other: c.req.header('x-other') }),
    )
    const answer = await app.fetch(posted(key))
    expect(await answer.json()).toEqual({ body: { a: 1 }, key: null, other: '1' })
  })
})
