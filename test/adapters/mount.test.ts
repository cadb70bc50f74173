import { connect } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { createApiKeys } from 'keyward'
import { mount as onExpress } from 'keyward/express'
import { mount as onFastify } from 'keyward/fastify'
import { mount as onKoa } from 'keyward/koa'
import { management } from 'keyward/management'
import { mount as onNode } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { deferred } from '../support/stores.ts'

type FetchHandler = (request: Request) => Response | Promise<Response>
interface Place {
  readonly name: string
  readonly base: string
  open(handler: FetchHandler): Promise<number>
}

const PLACES: readonly Place[] = [
  ...EXPRESSES.flatMap(({ name, express: framework }): Place[] => [
    {
      name,
      base: '/keys',
      open: async (handler) => (await serve(framework().use('/keys', onExpress(handler)))).port,
    },
    {
      name: `${name} behind a body parser`,
      base: '/keys',
      open: async (handler) => (await serve(framework().use(express.json()).use('/keys', onExpress(handler)))).port,
    },
  ]),
  {
    name: 'Fastify',
    base: '/keys',
    async open(handler) {
      const app = Fastify({ forceCloseConnections: true })
      app.register(onFastify(handler), { prefix: '/keys' })
      onTestFinished(() => void app.close())
      return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
    },
  },
  {
    name: 'Koa',
    base: '/keys',
    async open(handler) {
      const app = new Koa()
      app.silent = true
      return (await serve(app.use(onKoa('/keys', handler)).callback())).port
    },
  },
  { name: 'node:http', base: '', open: async (handler) => (await serve(onNode(handler))).port },
]

describe.each(PLACES)('mount on $name', ({ base, open }) => {
  const echo: FetchHandler = async (req) => {
    const { pathname, search, host } = new URL(req.url)
    const headers = new Headers({ 'Content-Type': 'application/json', 'X-Method': req.method })
    headers.append('Set-Cookie', 'a=1')
    headers.append('Set-Cookie', 'b=2')
    return new Response(JSON.stringify({ pathname, search, host, body: await req.text() }), { status: 201, headers })
  }

  it('hands over method, path below the mount point, query and body, and writes status, fields and body', async () => {
    const port = await open(echo)
    const body = JSON.stringify({ name: 'ü' })
    const sent = Buffer.concat([
      request(['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`], {
        method: 'PATCH',
        target: `${base}/a%20b/c?x=1&y=?`,
      }),
      Buffer.from(body),
    ])
    const answer = await raw(port, sent)
    expect(answer.status).toBe(201)
    expect(answer.headers['x-method']).toBe('PATCH')
    expect(answer.headers['set-cookie']).toBe('a=1, b=2')
    expect(JSON.parse(answer.body)).toEqual({ pathname: '/a%20b/c', search: '?x=1&y=?', host: 'localhost', body })
  })

  it.each(['', '/'])('is reached at the mount point itself, with %j behind it', async (end) => {
    const port = await open(echo)
    const { body } = await raw(port, request([], { target: `${base}${end}` || '/' }))
    expect(JSON.parse(body)).toMatchObject({ pathname: '/', body: '' })
  })

  it('answers HEAD without a body', async () => {
    const { status, body } = await raw(await open(echo), request([], { method: 'HEAD', target: `${base}/x` }))
    expect([status, body]).toEqual([201, ''])
  })

  it('writes a stream as it comes', async () => {
    const goOn = deferred<void>()
    const port = await open(
      () =>
        new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(Buffer.from('first '))
              await goOn.promise
              controller.enqueue(Buffer.from('second'))
              controller.close()
            },
          }),
        ),
    )
    const socket = connect(port, '127.0.0.1')
    socket.write(request([], { target: `${base}/x` }))
    let got = ''
    for await (const chunk of socket) {
      got += chunk
      if (got.includes('first')) goOn.resolve()
    }
    expect(got).toContain('second')
  })

  it('aborts the request when the client hangs up', async () => {
    const [asked, aborted] = [deferred<void>(), deferred<unknown>()]
    const port = await open(async ({ signal }) => {
      asked.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted.resolve((signal.reason as Error).name)
      return new Response('late')
    })
    const socket = connect(port, '127.0.0.1')
    socket.write(request([], { target: `${base}/x` }))
    await asked.promise
    socket.destroy()
    expect(await aborted.promise).toBe('AbortError')
  })

  it('answers 500 where the handler throws, and lives on', async () => {
    const port = await open((req) => {
      if (req.url.endsWith('/bad')) throw new Error("the handler's own")
      return new Response('fine')
    })
    expect((await raw(port, request([], { target: `${base}/bad` }))).status).toBe(500)
    expect((await raw(port, request([], { target: `${base}/good` }))).body).toBe('fine')
  })

  it('lives on when the handler throws a body away that is still coming', async () => {
    const port = await open(async (request) => {
      await request.body?.cancel()
      return new Response('enough')
    })
    for (let times = 0; times < 3; times++) {
      const body = 'x'.repeat(300_000)
      const answer = await fetch(`http://127.0.0.1:${port}${base}/`, { method: 'POST', body })
      expect([answer.status, await answer.text()]).toEqual([200, 'enough'])
    }
  })

  it('lets go by what the handler left unread of a body: its connection serves the next request', async () => {
    const methods: string[] = []
    const port = await open(async ({ method, body }) => {
      methods.push(method)
      if (method === 'GET') return new Response('the next')
      const reader = (body as ReadableStream<Uint8Array>).getReader()
      await reader.read()
      reader.releaseLock()
      return new Response('enough')
    })
    const head = `POST ${base}/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n`
    const second = request([], { target: `${base}/` })
    const { body } = await raw(port, Buffer.concat([Buffer.from(head + 'x'.repeat(300_000)), second]))
    // The second is answered before the server closes the connection: else there is no answer in time.
    expect([body, methods]).toEqual(['enough', ['POST', 'GET']])
  })

  it('takes a target with an origin for what it is without (RFC 9112 section 3.2.2)', async () => {
    const port = await open(({ url }) => new Response(new URL(url).pathname))
    const answer = await raw(port, request([], { target: `http://keys.example${base}/a/b?c` }))
    expect([answer.status, answer.body]).toEqual([200, '/a/b'])
  })

  it('M-13 refuses TRACE as the handler refuses OPTIONS, with the methods that there are', async () => {
    const trace = async (handler: FetchHandler) =>
      raw(await open(handler), request([], { method: 'TRACE', target: `${base}/` }))
    const routes = management(createApiKeys({ prefix: 'mt_' }), { authorize: () => ({ owner: 'acct_1' }) })
    expect(await trace(routes)).toMatchObject({
      status: 405,
      headers: { allow: 'POST, GET, HEAD', 'content-type': 'application/problem+json' },
    })
    const closed = management(createApiKeys({ prefix: 'mt_' }), { authorize: () => undefined })
    expect((await trace(closed)).status).toBe(401)
    // A handler that has something to say to everybody.
    const methods: string[] = []
    const willing = (headers = {}) =>
      trace(({ method }) => {
        methods.push(method)
        return new Response('all that is secret', { headers })
      })
    expect(await willing({ Allow: 'GET' })).toMatchObject({ status: 405, headers: { allow: 'GET' }, body: '' })
    expect(await willing()).toMatchObject({ status: 405, headers: { allow: expect.stringMatching(/^GET, HEAD/) } })
    expect(methods).toEqual(['OPTIONS', 'OPTIONS'])
  })

  it('names no other host by its path', async () => {
    const port = await open(echo)
    const { body, status } = await raw(port, request([], { target: `${base}//evil.example/x` }))
    if (status === 201) expect(JSON.parse(body)).toMatchObject({ host: 'localhost' })
    else expect([400, 404]).toContain(status)
  })
})

it.each([
  ['/accounts/a/keys', '/'],
  ['/accounts/acct_1/keys?limit=2', '/?limit=2'],
  ['/accounts/a-very-long-account/keys/abcdefghijkl/revoke?x=a/b', '/abcdefghijkl/revoke?x=a/b'],
  ['/%61ccounts/acct_1/keys/a%2Fb', '/a%2Fb'],
])('mount on Fastify leaves the prefix out as it was asked for: %s', async (url, below) => {
  const app = Fastify()
  onTestFinished(() => void app.close())
  const handler = (req: Request) => new Response(req.url.slice(new URL(req.url).origin.length))
  app.register(onFastify(handler), { prefix: '/accounts/:account/keys' })
  expect((await app.inject({ method: 'DELETE', url })).body).toBe(below)
})

it('a handler that throws reaches what the host has for errors on Koa', async () => {
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      ctx.status = 500
      ctx.body = { failed: (error as Error).message }
    }
  })
  app.use(onKoa('/keys', () => Promise.reject(new Error('broken'))))
  const { url } = await serve(app.callback())
  const response = await fetch(`${url}/keys`, { signal: AbortSignal.timeout(5_000) })
  expect([response.status, await response.json()]).toEqual([500, { failed: 'broken' }])
})

describe.each(EXPRESSES)('what a parser has read, mounted on $name', ({ express: framework }) => {
  async function opened(handler: FetchHandler) {
    const app = framework().use(express.json(), express.urlencoded({ extended: true }))
    return serve(app.use('/keys', onExpress(handler)))
  }
  const post = (url: string, type: string, body: string) =>
    fetch(`${url}/keys`, { method: 'POST', headers: { 'Content-Type': type }, body })

  it.each([
    ['{"a":null,"b":1.5,"c":"1e999"}', '{"a":null,"b":1.5,"c":"1e999"}'],
    ['{"limit":1e999}', '1e999'],
    ['{"a":[-1e999,{"b":1}]}', '1e999'],
  ])('is the same JSON, or no object where a number is out of range: %s', async (body, read) => {
    const { url } = await opened(async (req) => new Response(await req.text()))
    expect(await (await post(url, 'application/json', body)).text()).toBe(read)
  })

  it('is the same form, whose type stays', async () => {
    const { url } = await opened(async (req) => Response.json([...(await req.formData())]))
    const form = 'application/x-www-form-urlencoded'
    expect(await (await post(url, form, 'a=1&b=%C3%BC+%26&a=2')).json()).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['b', 'ü &'],
    ])
    const { url: keeping } = await opened(async (req) => new Response(req.headers.get('content-type')))
    expect(await (await post(keeping, form, 'a[b]=1')).text()).toBe(form)
  })

  it('M-05 a number out of range lifts no limit of a key, as without a parser', async () => {
    const keys = createApiKeys({ prefix: 'mo_' })
    const given = { limits: { minute: 3 }, allowedIps: ['10.0.0.0/8'], expiresAt: new Date(Date.now() + 9e8) }
    const { record } = await keys.create({ owner: 'acct_1', ...given })
    const { url } = await serve(
      framework().use(express.json(), onExpress(management(keys, { authorize: () => ({ owner: 'acct_1' }) }))),
    )
    for (const body of ['{"limits":{"minute":1e999}}', '{"expiresAt":1e999}', '{"allowedIps":-1e999}']) {
      const headers = { 'Content-Type': 'application/json' }
      expect((await fetch(`${url}/${record.id}`, { method: 'PATCH', headers, body })).status).toBe(400)
    }
    expect(await keys.get(record.id)).toEqual(record)
  })
})
