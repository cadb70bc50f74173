import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import * as http2 from 'node:http2'
import { connect } from 'node:net'
import Fastify from 'fastify'
import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { guard as expressGuard } from 'keyward/express'
import { guard as fastifyGuard } from 'keyward/fastify'
import { guard as koaGuard } from 'keyward/koa'
import { guard as nodeGuard, refuse } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { OVER_SOCKETS } from '../support/frameworks.ts'
import { request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { deferred } from '../support/stores.ts'

/** Lets what is due be done, and connections say that they have closed. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 30))

/** A request after which the connection stays open. */
function pipelined(lines: readonly string[], how: { readonly method?: string; readonly target?: string } = {}): Buffer {
  return Buffer.from(request(lines, how).toString('latin1').replace('Connection: close\r\n', ''), 'latin1')
}

/** A key with a balance of 100. */
async function purse(store: KeyStore = memoryStore()) {
  const keys = createApiKeys({ prefix: 'hc_', store, storeTimeout: '10s' })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  return { keys, line: `X-API-Key: ${key}`, key, balance: () => keys.balance({ id: record.id }) }
}

describe.each(OVER_SOCKETS.map((each) => [each.name, each] as const))('%s', (_, framework) => {
  it('keeps what a request holds whose client goes before its turn, and gives it back when its handler has ended', async () => {
    const { keys, line, balance } = await purse()
    const goOn = deferred()
    let ended = 0
    const bound = await framework.open(keys, { reserve: 40 }, async () => {
      await goOn.promise
      ended++
      return 'unsettled'
    })
    const client = connect(bound.port, '127.0.0.1')
    client.on('error', () => {})
    client.write(Buffer.concat([pipelined([line]), pipelined([line])]))
    await vi.waitFor(async () => expect(await balance()).toBe(20))
    client.destroy()
    await soon()
    expect(await balance()).toBe(20)
    goOn.resolve()
    await vi.waitFor(async () => expect(await balance()).toBe(100))
    expect(ended).toBe(2)
  })

  it('gives back what a request held that has been answered before its turn, when the client goes', async () => {
    const { keys, line, balance } = await purse()
    const goOn = deferred()
    let reached = 0
    const bound = await framework.open(keys, { reserve: 40 }, async () => {
      if (reached++ === 0) await goOn.promise
      return 'unsettled'
    })
    const client = connect(bound.port, '127.0.0.1')
    client.on('error', () => {})
    client.write(Buffer.concat([pipelined([line]), pipelined([line])]))
    await vi.waitFor(() => expect(reached).toBe(2))
    await soon()
    client.destroy()
    await vi.waitFor(async () => expect(await balance()).toBe(60))
    goOn.resolve()
    await vi.waitFor(async () => expect(await balance()).toBe(100))
  })
})

/** A server of HTTP/2 whose guarded handler runs until it is let go on, and then charges what it is told. */
const OVER_HTTP2: readonly (readonly [string, (keys: Keys, work: Work) => Promise<http2.Http2Server>])[] = [
  [
    'keyward/node',
    async (keys, work) => {
      const check = nodeGuard(keys, { reserve: 100 })
      return http2.createServer(async (req, res) => {
        const verdict = await check(req, res)
        if (!verdict.ok) return refuse(res, verdict)
        res.end(await work(verdict.access))
      })
    },
  ],
  [
    'keyward/node without the response',
    async (keys, work) => {
      const check = nodeGuard(keys, { reserve: 100 })
      return http2.createServer(async (req, res) => {
        const verdict = await check(req)
        if (!verdict.ok) return refuse(res, verdict)
        res.end(await work(verdict.access))
      })
    },
  ],
  [
    'keyward/koa',
    async (keys, work) => {
      const app = new Koa().use(koaGuard(keys, { reserve: 100 })).use(async (ctx) => {
        ctx.body = await work(ctx.state.apiKey)
      })
      return http2.createServer(app.callback() as never)
    },
  ],
  [
    'keyward/fastify',
    async (keys, work) => {
      let server: http2.Http2Server | undefined
      const serverFactory = (handler: unknown) => {
        server = http2.createServer(handler as never)
        return server
      }
      const app = Fastify({ http2: true, serverFactory: serverFactory as never })
      app.get('/', { onRequest: fastifyGuard(keys, { reserve: 100 }) }, async (req) => work(req.apiKey))
      await app.ready()
      return server as unknown as http2.Http2Server
    },
  ],
]

type Keys = Awaited<ReturnType<typeof purse>>['keys']
type Work = (access: { settle(actual: number): Promise<unknown> }) => Promise<string>

describe.each(OVER_HTTP2)('a client that resets its stream, on %s', (_, open) => {
  it.each([
    ['CANCEL', http2.constants.NGHTTP2_CANCEL],
    ['NO_ERROR', http2.constants.NGHTTP2_NO_ERROR],
  ])('with %s frees nothing while the handler still runs, which charges what was used', async (_, code) => {
    const { keys, key, balance } = await purse()
    const [goOn, over] = [deferred(), deferred<unknown>()]
    let reached = 0
    const server = await open(keys, async (access) => {
      reached++
      await goOn.promise
      over.resolve(await access.settle(100))
      return 'late'
    })
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = http2.connect(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
    session.on('error', () => {})
    onTestFinished(() => session.destroy())
    for (let i = 0; i < 3; i++) {
      const stream = session.request({ ':path': '/', 'x-api-key': key })
      stream.on('error', () => {})
      await soon()
      stream.close(code)
      await soon()
      expect(await balance()).toBe(0)
    }
    goOn.resolve()
    expect(await over.promise).toEqual({ charged: 100, short: 0 })
    await soon()
    expect([reached, await balance()]).toEqual([1, 0])
  })
})

describe('a second request on the connection, whose handler cuts it', () => {
  /** Sends both at once; whether the hold of the first stood while its handler ran, and what it was charged. */
  async function outcome(open: (keys: Keys, work: Work) => RequestListener, second: Buffer) {
    const { keys, line, balance } = await purse()
    const [goOn, over, cut] = [deferred(), deferred<unknown>(), deferred()]
    const listener = open(keys, async (access) => {
      await goOn.promise
      over.resolve(await access.settle(100))
      return 'late'
    })
    const { port } = await serve(listener as never)
    const client = connect(port, '127.0.0.1')
    client.on('error', () => {}).on('close', () => cut.resolve())
    client.resume().write(Buffer.concat([pipelined([line], { target: '/work' }), second]))
    await cut.promise
    await soon()
    const during = await balance()
    goOn.resolve()
    return { during, settled: await over.promise, after: await balance() }
  }

  const KEPT = { during: 0, settled: { charged: 100, short: 0 }, after: 0 }
  /** Before the first of these nobody listens to what Node tells of requests. */
  const twice = async (run: () => Promise<unknown>) => [await run(), await run()]

  it('frees nothing of the first, on a plain server that takes no large bodies', async () => {
    const open = (keys: Keys, work: Work) => {
      const check = nodeGuard(keys, { reserve: 100 })
      return async (req: IncomingMessage, res: never) => {
        if (req.url === '/upload') return void req.on('data', () => req.destroy())
        const verdict = await check(req, res)
        if (!verdict.ok) return refuse(res, verdict)
        ;(res as { end(text: string): void }).end(await work(verdict.access))
      }
    }
    const second = request(['Content-Length: 4'], { method: 'POST', target: '/upload' })
    const run = () => outcome(open as never, Buffer.concat([second, Buffer.from('body')]))
    expect(await twice(run)).toEqual([KEPT, KEPT])
  })

  it.each(EXPRESSES)(
    'frees nothing of the first, on $name with a route that fails in the middle',
    async ({ express }) => {
      const open = (keys: Keys, work: Work) => {
        const app = express()
        app.get('/work', expressGuard(keys, { reserve: 100 }), async (req, res) => void res.end(await work(req.apiKey)))
        app.get('/fails', (_req, res) => {
          res.write('half')
          throw new Error('broke off')
        })
        return app
      }
      vi.spyOn(console, 'error').mockImplementation(() => {})
      onTestFinished(() => void vi.restoreAllMocks())
      expect(await twice(() => outcome(open as never, request([], { target: '/fails' })))).toEqual([KEPT, KEPT])
    },
  )
})

describe('keyward/node', () => {
  it.each([true, false])(
    'keeps the hold of a client that hangs up while the handler runs (with the response: %s)',
    async (given) => {
      const { keys, line, balance } = await purse()
      const check = nodeGuard(keys, { reserve: 100 })
      const [reached, goOn, over] = [deferred(), deferred(), deferred<unknown>()]
      const { port } = await serve(async (req, res) => {
        const verdict = await (given ? check(req, res) : check(req))
        if (!verdict.ok) return refuse(res, verdict)
        reached.resolve()
        await goOn.promise
        over.resolve(await verdict.access.settle(100))
        res.end()
      })
      const client = connect(port, '127.0.0.1')
      client.write(request([line]))
      await reached.promise
      client.destroy()
      await soon()
      expect(await balance()).toBe(0)
      goOn.resolve()
      expect(await over.promise).toEqual({ charged: 100, short: 0 })
    },
  )

  it.each([true, false])(
    'gives back what a handler held that ends unsettled (with the response: %s)',
    async (given) => {
      const { keys, line, balance } = await purse()
      const check = nodeGuard(keys, { reserve: 100 })
      const { port } = await serve(async (req, res) => {
        const verdict = await (given ? check(req, res) : check(req))
        if (!verdict.ok) return refuse(res, verdict)
        res.end('done')
      })
      for (let i = 0; i < 2; i++) {
        const client = connect(port, '127.0.0.1')
        client.resume().write(request([line]))
        await once(client, 'close')
        await vi.waitFor(async () => expect(await balance()).toBe(100))
      }
    },
  )

  it('gives back what is held for a client that hung up while the guard asked the store', async () => {
    const [asked, goOn, over] = [deferred(), deferred(), deferred()]
    const store = memoryStore()
    const { take } = store
    const late: KeyStore['take'] = async (...given) => {
      asked.resolve()
      await goOn.promise
      return (take as NonNullable<typeof take>)(...given)
    }
    const { keys, line, balance } = await purse({ ...store, take: late })
    const check = nodeGuard(keys, { reserve: 40 })
    const { port } = await serve(async (req, res) => {
      const verdict = await check(req, res)
      expect(verdict.ok).toBe(true)
      res.end('unsettled')
      over.resolve()
    })
    const client = connect(port, '127.0.0.1')
    client.write(request([line]))
    await asked.promise
    client.destroy()
    await soon()
    goOn.resolve()
    await over.promise
    await vi.waitFor(async () => expect(await balance()).toBe(100))
  })
})
