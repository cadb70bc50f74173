import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { createApiKeys } from 'keyward'
import { guard as guardExpress, mount as onExpress } from 'keyward/express'
import { mount as onFastify } from 'keyward/fastify'
import { mount as onKoa } from 'keyward/koa'
import { management } from 'keyward/management'
import { mount as onNest } from 'keyward/nest'
import { mount as onNode } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { NESTS, packagesOf, serveNest } from '../support/nest.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

type FetchHandler = (request: Request) => Response | Promise<Response>
interface Place {
  readonly name: string
  open(handler: FetchHandler): Promise<number>
}

async function serveFastify(handler: FetchHandler, prefix: string): Promise<number> {
  const app = Fastify({ forceCloseConnections: true })
  app.register(onFastify(handler), { prefix })
  onTestFinished(() => void app.close())
  return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
}

/** A handler for everything. */
const PLACES: readonly Place[] = [
  ...EXPRESSES.map(({ name, express }) => ({
    name,
    open: async (handler: FetchHandler) => (await serve(express().use(onExpress(handler)))).port,
  })),
  { name: 'Fastify', open: (handler) => serveFastify(handler, '/') },
  { name: 'Koa', open: async (handler) => (await serve(new Koa().use(onKoa('/', handler)).callback())).port },
  { name: 'node:http', open: async (handler) => (await serve(onNode(handler))).port },
  ...NESTS.map((kind) => ({
    name: kind.name,
    async open(handler: FetchHandler) {
      const { Module } = (await packagesOf(kind)).common
      @Module({})
      class Application {}
      return (await serveNest(kind, Application, { prepare: (app) => app.use(onNest(handler)) })).port
    },
  })),
]

/** The same, below the path of some account. */
const BELOW: readonly Place[] = [
  ...EXPRESSES.map(({ name, express }) => ({
    name,
    open: async (handler: FetchHandler) => (await serve(express().use('/of/:account', onExpress(handler)))).port,
  })),
  { name: 'Fastify', open: (handler) => serveFastify(handler, '/of/:account') },
  { name: 'Koa', open: async (handler) => (await serve(new Koa().use(onKoa('/of/acct_1', handler)).callback())).port },
]

/** What a URL makes another path of. */
const AMBIGUOUS = [
  '/..',
  '/.',
  '/../secret',
  '/./secret',
  '/open/../secret',
  '/open/..',
  '/open/.',
  '/open/./secret?x=1',
  '/%2e/secret',
  '/%2E/secret',
  '/open/%2e%2e/secret',
  '/open/%2E%2e/secret',
  '/open/.%2e/secret',
  '/open/%2e./secret?x=/',
  '/\\secret',
  '/open\\..\\secret',
  '/open\\secret?x',
  '//..',
  '/secret#/open',
  '/secret#?open',
]

/** What stays as it is. */
const PLAIN = [
  '/',
  '/a/b?x=/../secret',
  '/a?../../x/./y',
  '/a?x=\\secret&y=%2e%2e/',
  '/a?x?y',
  '/.well-known/x',
  '/..a/b../c..d/...',
  '/a.b/%2ea/a%2e%2e',
  '/a%5cb/a%2f..%2fb',
  '/%252e%252e/x',
  '//a//b',
]

const pathOf = (url: string) => url.slice(new URL(url).origin.length)

/** A handler that notes what it is asked for. */
function noted() {
  const seen: string[] = []
  const handler = ({ url }: Request) => {
    seen.push(pathOf(url))
    return new Response('reached')
  }
  return { seen, handler }
}

async function opened({ open }: Place) {
  const { seen, handler } = noted()
  const port = await open(handler)
  return { port, seen, ask: (target: string, method = 'GET') => raw(port, request([], { method, target })) }
}

describe.each(PLACES)('mount on $name', (place) => {
  it('answers 404 to each path of which a URL would make another, and asks no handler', async () => {
    const { seen, ask } = await opened(place)
    for (const target of AMBIGUOUS) {
      const { status, headers, body } = await ask(target)
      expect([target, status, headers['content-type']]).toEqual([target, 404, 'application/problem+json'])
      expect(JSON.parse(body)).toMatchObject({ status: 404, code: 'not_found', error: { code: 'not_found' } })
    }
    expect((await ask('http://keys.example/open/../secret')).status).toBe(404)
    expect(await ask('/./secret', 'HEAD')).toMatchObject({ status: 404, body: '' })
    expect((await ask('/./secret', 'TRACE')).status).toBe(404)
    expect(seen).toEqual([])
  })

  it('hands over dots and backslashes that stay what they are', async () => {
    const { seen, ask } = await opened(place)
    for (const target of PLAIN) expect([target, (await ask(target)).status]).toEqual([target, 200])
    expect(seen).toEqual(PLAIN.map((target) => pathOf(new URL(`http://localhost${target}`).href)))
  })

  it('lets go by the body of what it refuses: its connection serves the next request', async () => {
    const { port, seen } = await opened(place)
    const head = 'POST /./secret HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n'
    const next = request([], { target: '/next' })
    const { status } = await raw(port, Buffer.concat([Buffer.from(head + 'x'.repeat(300_000)), next]))
    expect([status, seen]).toEqual([404, ['/next']])
  })
})

describe.each(BELOW)('mount below a path on $name', (place) => {
  it('answers the same', async () => {
    const { seen, ask } = await opened(place)
    for (const target of AMBIGUOUS) expect([target, (await ask(`/of/acct_1${target}`)).status]).toEqual([target, 404])
    expect((await ask('http://keys.example/of/acct_1/../secret')).status).toBe(404)
    expect(seen).toEqual([])
    expect((await ask('http://keys.example/of/acct_1/a?../secret')).status).toBe(200)
    expect(seen).toEqual(['/a?../secret'])
  })
})

it('mount on HTTP/2 answers the same', async () => {
  const { seen, handler } = noted()
  const listener = onNode(handler)
  const server = createServer((req, res) => listener(req as never, res as never))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  for (const path of ['/open/../secret', '/open\\..\\secret', '/open/%2e%2e/secret']) {
    const body = await text(session.request({ ':path': path }))
    expect(JSON.parse(body)).toMatchObject({ code: 'not_found' })
  }
  expect(await text(session.request({ ':path': '/open?../secret' }))).toBe('reached')
  expect(seen).toEqual(['/open?../secret'])
})

/** Ways from one place to another that only a URL goes. */
const STEPS = ['/./', '/%2e/', '/x/../', '/x/%2e%2e/', '/\\', '/x\\..\\', '/x#/../']

describe.each(EXPRESSES)('before a handler mounted on $name', ({ express }) => {
  it('a guard on a path is not come by', async () => {
    const keys = createApiKeys({ prefix: 'ma_' })
    const { key } = await keys.create({ owner: 'acct_1', resource: 'agent:42' })
    const { seen, handler } = noted()
    const app = express()
    app.use('/internal', guardExpress(keys))
    app.use('/agents/:id', guardExpress(keys, { resource: (req) => `agent:${req.params.id}` }))
    app.use(onExpress(handler))
    const { port } = await serve(app)
    const ask = async (target: string) => (await raw(port, request([`X-API-Key: ${key}`], { target }))).status
    const others = ['/agents/42/../43/contacts', '/agents/42/%2e%2e/43/contacts', '/agents/42\\..\\43/contacts']
    for (const target of [...STEPS.map((step) => `${step}internal/secret`), ...others]) {
      expect([403, 404], target).toContain(await ask(target))
    }
    expect(seen).toEqual([])
    expect([await ask('/agents/42/contacts'), await ask('/agents/43/contacts')]).toEqual([200, 403])
  })

  it('a route that asks for more is not come by', async () => {
    const keys = createApiKeys({ prefix: 'ma_' })
    const { record } = await keys.create({ owner: 'acct_1' })
    const app = express()
    app.post('/keys/:id/rotate', (_req, res) => void res.status(403).end('a second factor'))
    app.use('/keys', onExpress(management(keys, { authorize: () => ({ owner: 'acct_1' }) })))
    const { port } = await serve(app)
    const body = '{"overlap":0}'
    const fields = ['Content-Type: application/json', `Content-Length: ${body.length}`]
    const between = STEPS.flatMap((step) => [`${step}${record.id}/rotate`, `/${record.id}${step}rotate`])
    for (const target of [...between, `/${record.id}\\rotate`, `/${record.id}/rotate/.`]) {
      const sent = Buffer.concat([request(fields, { method: 'POST', target: `/keys${target}` }), Buffer.from(body)])
      expect([403, 404], target).toContain((await raw(port, sent)).status)
    }
    expect((await keys.get(record.id))?.updatedAt).toBe(record.updatedAt)
  })
})
