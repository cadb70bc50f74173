import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createApiKeys } from 'keyward'
import { mount as onExpress } from 'keyward/express'
import { mount as onFastify } from 'keyward/fastify'
import { guard as forFetch, mount as onFetch } from 'keyward/fetch'
import { mount as onHono } from 'keyward/hono'
import { mount as onKoa } from 'keyward/koa'
import { management } from 'keyward/management'
import { mount as onNode } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

type Handler = (request: Request, platform?: unknown) => Response | Promise<Response>
type Answer = (request: Request) => Response | Promise<Response>

/** The handler at `/keys`, with nothing beside it. */
const PLACES: readonly (readonly [string, (handler: Handler) => Answer])[] = [
  ['Hono', (handler) => new Hono().use(onHono('/keys', handler)).fetch],
  ['Hono, with a slash behind', (handler) => new Hono().use(onHono('/keys/', handler)).fetch],
  ['fetch', (handler) => onFetch('/keys', handler)],
  ['fetch in Hono', (handler) => new Hono().all('/keys/*', (c) => onFetch('/keys', handler)(c.req.raw)).fetch],
]

describe.each(PLACES)('mount on %s', (_, mounted) => {
  const echo: Handler = async (req) => {
    const { pathname, search, host } = new URL(req.url)
    const told = { method: req.method, pathname, search, host, body: await req.text(), own: req.headers.get('x-own') }
    return Response.json(told, { status: 201 })
  }

  it('hands over method, path below the mount point, query, fields and body', async () => {
    const headers = { 'X-Own': 'yes', 'Content-Type': 'application/json' }
    const sent = new Request('http://a.test/keys/a%20b/c?x=1&y=?', { method: 'PATCH', headers, body: '{"name":"ü"}' })
    const answer = await mounted(echo)(sent)
    expect([answer.status, await answer.json()]).toEqual([
      201,
      { method: 'PATCH', pathname: '/a%20b/c', search: '?x=1&y=?', host: 'a.test', body: '{"name":"ü"}', own: 'yes' },
    ])
  })

  it.each(['', '/'])('is reached at the mount point itself, with %j behind it', async (end) => {
    const answer = await mounted(echo)(new Request(`http://a.test/keys${end}`))
    expect(await answer.json()).toMatchObject({ pathname: '/' })
  })

  it.each(['/', '/key', '/keysx', '/keysx/a', '/a/keys', '/KEYS', '/%6beys/a'])(
    'is not reached at %s',
    async (path) => {
      const answer = await mounted(echo)(new Request(`http://a.test${path}`))
      expect(answer.status).toBe(404)
    },
  )

  it('names no other host by its path', async () => {
    const answer = await mounted(echo)(new Request('http://a.test/keys//evil.example/x'))
    expect(await answer.json()).toMatchObject({ host: 'a.test', pathname: '//evil.example/x' })
  })

  it('aborts the request when the client hangs up', async () => {
    const gone = new AbortController()
    const asked = mounted(async ({ signal }) => {
      gone.abort(new Error('hung up'))
      return Response.json([signal.aborted, (signal.reason as Error).message])
    })(new Request('http://a.test/keys', { signal: gone.signal }))
    expect(await (await asked).json()).toEqual([true, 'hung up'])
  })
})

describe('mount', () => {
  it('of keyward/fetch answers elsewhere with a problem document, and hands over what the runtime gives', async () => {
    const seen: unknown[][] = []
    const handler = onFetch('/keys', (_request, ...rest: [env: object, context: object]) => {
      seen.push(rest)
      return new Response('fine')
    })
    const rest = [{ env: 1 }, { context: 1 }] as const
    expect(await (await handler(new Request('http://a.test/keys/x'), ...rest)).text()).toBe('fine')
    const elsewhere = await handler(new Request('http://a.test/'), ...rest)
    expect([elsewhere.status, elsewhere.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    expect(await elsewhere.json()).toMatchObject({ status: 404, code: 'not_found', title: 'Not found' })
    const head = await handler(new Request('http://a.test/', { method: 'HEAD' }), ...rest)
    expect([head.status, await head.text()]).toEqual([404, ''])
    expect(seen).toEqual([rest])
  })

  it('of keyward/hono goes on elsewhere, hands over c.env, and a body that a parser has read', async () => {
    const app = new Hono().use(async (c, next) => {
      await c.req.json()
      await next()
    })
    app.use(onHono('/keys', async (req, platform) => Response.json([await req.json(), platform])))
    app.post('/', (c) => c.text('elsewhere'))
    const post = (path: string) => new Request(`http://a.test${path}`, { method: 'POST', body: '{"name":  "ü"}' })
    expect(await (await app.fetch(post('/keys'), { env: 1 })).json()).toEqual([{ name: 'ü' }, { env: 1 }])
    expect(await (await app.fetch(post('/'))).text()).toBe('elsewhere')
  })

  it.each([undefined, '', 'keys', '/keys?x', '/keys#x', 7, null])('of the path %j is CONFIG', async (path) => {
    for (const mount of [onFetch, onHono, onKoa]) {
      const error = await failure(() => mount(path as string, () => new Response()))
      expect([error.code, error.message]).toEqual([
        'CONFIG',
        expect.stringContaining(JSON.stringify(path) ?? 'undefined'),
      ])
    }
  })

  it.each([
    ['keyward/express', (handler: never) => onExpress(handler)],
    ['keyward/fastify', (handler: never) => onFastify(handler)],
    ['keyward/koa', (handler: never) => onKoa('/keys', handler)],
    ['keyward/hono', (handler: never) => onHono('/keys', handler)],
    ['keyward/fetch', (handler: never) => onFetch('/keys', handler)],
    ['keyward/node', (handler: never) => onNode(handler)],
    ['the guard of keyward/fetch', (handler: never) => forFetch(createApiKeys({ prefix: 'mf_' }), {}, handler)],
  ])('a handler that is no function is CONFIG (%s)', async (_, take) => {
    for (const handler of [undefined, new Hono(), Promise.resolve(() => new Response())]) {
      const error = await failure(() => take(handler as never))
      expect([error.code, error.message]).toEqual(['CONFIG', expect.stringContaining('must be a function')])
    }
  })

  it('H-46 tells a guard below it how many lines came, whether or not the handler hands over what is beside it', async () => {
    const keys = createApiKeys({ prefix: 'mf_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    const guarded = forFetch(keys, {}, () => new Response('reached'))
    const hono = new Hono().use(onHono('/', (request) => guarded(request)))
    const fillers = Array.from({ length: 1000 }, (_, i) => `F${i}: 1`)
    const koa = new Koa().use(onKoa('/', (request) => guarded(request)))
    const listeners = [
      onNode((request) => guarded(request)),
      onNode((request) => hono.fetch(request)),
      koa.callback(),
      ...EXPRESSES.map(({ express }) => express().use(onExpress((request) => guarded(request)))),
    ]
    for (const listener of listeners) {
      const { port } = await serve(listener, { maxHeaderSize: 64 * 1024 })
      expect((await raw(port, request([`X-API-Key: ${key}`]))).body).toBe('reached')
      const { status, body } = await raw(port, request([`X-API-Key: ${key}`, ...fillers]))
      // Later versions of Node refuse it themselves.
      expect(status === 431 || JSON.parse(body).code === 'ambiguous_credentials').toBe(true)
    }
  })

  it('serves the routes of management() on Hono on Node, also inside another mount', async () => {
    const keys = createApiKeys({ prefix: 'mf_' })
    const routes = management(keys, { authorize: () => ({ owner: 'acct_1' }) })
    const app = new Hono().use(onHono('/settings/keys', routes))
    const outer = EXPRESSES[0]?.express().use('/app', onExpress(app.fetch))
    const ports = [await serve(getRequestListener(app.fetch)), await serve(outer as never)].map(({ port }) => port)
    for (const [i, base] of ['', '/app'].entries()) {
      const body = '{"name":"Sync"}'
      const fields = ['Content-Type: application/json', `Content-Length: ${body.length}`]
      const sent = request(fields, { method: 'POST', target: `${base}/settings/keys/` })
      const made = await raw(ports[i] as number, Buffer.concat([sent, Buffer.from(body)]))
      expect([made.status, JSON.parse(made.body).record.name]).toEqual([201, 'Sync'])
    }
    expect((await keys.list({ owner: 'acct_1' })).items).toHaveLength(2)
  })
})
