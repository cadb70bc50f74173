import type { IncomingMessage } from 'node:http'
import { connect, createServer as createHttp2Server, type Http2Server, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import Fastify from 'fastify'
import { type Context, Hono } from 'hono'
import type { ApiKeys, Demand } from 'keyward'
import { guard as expressGuard } from 'keyward/express'
import fastifyPlugin, { guard as fastifyGuard } from 'keyward/fastify'
import { guard as fetchGuard } from 'keyward/fetch'
import { guard as honoGuard } from 'keyward/hono'
import { guard as koaGuard } from 'keyward/koa'
import { CurrentApiKey, KeywardGuard, KeywardModule } from 'keyward/nest'
import { guard as nodeGuard, refuse } from 'keyward/node'
import Koa from 'koa'
import { onTestFinished } from 'vitest'
import { EXPRESSES, type ExpressModule } from './express.ts'
import { http2Lines } from './http2-lines.ts'
import { NESTS, packagesOf, serveNest } from './nest.ts'
import { type RawAnswer, raw, request } from './raw.ts'
import { serve } from './serve.ts'

type Keys = ApiKeys | readonly ApiKeys[]

/** What the one guarded route does: it may look at its identity and its request, and gives what is sent. */
export type Handler = (access: Access | undefined, request: object) => unknown
interface Access {
  readonly owner: string
  settle(actual: number): Promise<unknown>
}

interface Bound {
  readonly port: number
  readonly host: string
  /** A connection that was accepted elsewhere can be handed to it, as a server of TLS does. */
  readonly server: { emit(event: 'connection', socket: Duplex): unknown }
}

/** A framework with its adapter: the same guarded route, on all paths, of which the handler answers JSON. */
export interface Framework {
  readonly name: string
  /** HTTP/2 has no lines of text: what is sent as such bytes cannot be sent there. */
  readonly http2?: boolean
  /** Reads a header of the framework's own request object. */
  header(request: never, name: string): string | undefined
  open(keys: Keys, demand: Demand | undefined, handler: Handler, host?: string): Promise<Bound>
}

export interface Asking {
  readonly method?: string
  readonly target?: string
  readonly from?: string
}

/** Puts a question by these header lines, in the way of the framework. */
export function ask(
  { http2 }: Framework,
  { port, host }: Pick<Bound, 'port' | 'host'>,
  lines: readonly string[],
  { from, ...how }: Asking = {},
): Promise<RawAnswer> {
  const to = host === '::' ? '::1' : host
  return http2 ? askHttp2(port, lines, how, from) : raw(port, request(lines, how), to, from)
}

async function askHttp2(
  port: number,
  lines: readonly string[],
  { method = 'GET', target = '/' }: Asking,
  from?: string,
): Promise<RawAnswer> {
  const said = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const pseudo = { ':method': method, ':path': target, ':scheme': 'http', ':authority': '127.0.0.1' }
  const isTwice = said.filter(([name]) => name === 'authorization').length > 1
  const socket = isTwice ? { createConnection: () => http2Lines(port, from, [...Object.entries(pseudo), ...said]) } : {}
  const session = connect(`http://127.0.0.1:${port}`, { localAddress: from, ...socket } as object)
  try {
    const fields: Record<string, string[]> = Object.create(null)
    for (const [name, value] of isTwice ? [] : said) fields[name] = [...(fields[name] ?? []), value]
    const single = Object.entries(fields).map(([name, values]) => [name, values.length === 1 ? values[0] : values])
    const stream = session.request({ ':method': method, ':path': target, ...Object.fromEntries(single) })
    const got = await new Promise<IncomingHttpHeaders & { ':status'?: number }>((resolve, reject) => {
      stream.once('response', resolve)
      stream.once('error', reject)
    })
    const { ':status': status = 0, ...rest } = got
    const headers = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]))
    return { status, headers, lines: [], body: await text(stream) }
  } finally {
    session.destroy()
  }
}

const text1 = (value: unknown) => (typeof value === 'string' ? value : undefined)
const header = (req: { headers: Record<string, unknown> }, name: string) => text1(req.headers[name])
const json = (value: unknown) => JSON.stringify(value)

const expresses: readonly Framework[] = EXPRESSES.map(
  ({ name, express }: { name: string; express: ExpressModule }) => ({
    name,
    header,
    async open(keys, demand, handler, host = '127.0.0.1') {
      const app = express()
      app.use(expressGuard(keys, demand), async (req, res, next) => {
        try {
          const value = json(await handler(req.apiKey, req))
          res.type('application/json').send(value)
        } catch (error) {
          next(error)
        }
      })
      return { ...(await serve(app, { host })), host }
    },
  }),
)

async function listening(app: ReturnType<typeof Fastify>, host: string): Promise<Bound> {
  onTestFinished(() => void app.close())
  await app.listen({ port: 0, host })
  return { port: (app.server.address() as AddressInfo).port, host, server: app.server }
}

const OPTIONS = { forceCloseConnections: true } as const

const fastify: Framework = {
  name: 'Fastify',
  header,
  async open(keys, demand, handler, host = '127.0.0.1') {
    const app = Fastify(OPTIONS)
    app.all('/*', { onRequest: fastifyGuard(keys, demand) }, async (req, reply) => {
      const value = json(await handler(req.apiKey, req))
      return reply.type('application/json').send(Buffer.from(value))
    })
    return listening(app, host)
  },
}

const fastifyEverywhere: Framework = {
  name: 'the plugin of Fastify',
  header,
  async open(keys, demand, handler, host = '127.0.0.1') {
    const app = Fastify(OPTIONS)
    app.register(fastifyPlugin, demand === undefined ? { keys } : { keys, demand })
    app.all('/*', async (req, reply) => {
      const value = json(await handler(req.apiKey, req))
      return reply.type('application/json').send(Buffer.from(value))
    })
    return listening(app, host)
  },
}

const koa: Framework = {
  name: 'Koa',
  header,
  async open(keys, demand, handler, host = '127.0.0.1') {
    const app = new Koa()
    app.silent = true
    app.use(koaGuard(keys, demand))
    app.use(async (ctx) => {
      const value = json(await handler(ctx.state.apiKey, ctx))
      ctx.type = 'application/json'
      ctx.body = value
    })
    return { ...(await serve(app.callback(), { host })), host }
  },
}

const hono: Framework = {
  name: 'Hono',
  header: (c: Context, name) => c.req.header(name),
  async open(keys, demand, handler, host = '127.0.0.1') {
    const app = new Hono()
    app.use(honoGuard(keys, { ...demand, address: (c) => getConnInfo(c).remote.address }))
    app.all('*', async (c) => {
      const value = json(await handler(c.get('apiKey'), c))
      // Not as an object of headers, of which Hono takes inherited members, too.
      c.header('Content-Type', 'application/json')
      return c.body(value)
    })
    app.onError((_error, c) => c.text('Internal Server Error', 500))
    return { ...(await serve(getRequestListener(app.fetch), { host })), host }
  },
}

const fetchStyle: Framework = {
  name: 'fetch',
  header: (request: Request, name) => request.headers.get(name) ?? undefined,
  async open(keys, demand, handler, host = '127.0.0.1') {
    const guarded = fetchGuard(
      keys,
      {
        ...demand,
        address: (_request: Request, env: { incoming: IncomingMessage }) => env.incoming.socket.remoteAddress,
      },
      async (request, access) =>
        new Response(json(await handler(access, request)), { headers: { 'Content-Type': 'application/json' } }),
    )
    const listener = getRequestListener((request, env) => guarded(request, env as { incoming: IncomingMessage }))
    return { ...(await serve(listener, { host })), host }
  },
}

/** What a host writes around a guard of `keyward/node`. */
function plain(keys: Keys, demand: Demand | undefined, handler: Handler) {
  const check = nodeGuard(keys, demand)
  return async (req: Parameters<typeof check>[0], res: NonNullable<Parameters<typeof check>[1]>) => {
    try {
      const verdict = await check(req, res)
      if (!verdict.ok) return refuse(res, verdict)
      const value = json(await handler(verdict.access, req))
      res.setHeader('Content-Type', 'application/json')
      res.setHeader('Content-Length', Buffer.byteLength(value))
      res.end(value)
    } catch {
      res.statusCode = 500
      res.end('Internal Server Error')
    }
  }
}

const node: Framework = {
  name: 'node:http',
  header,
  async open(keys, demand, handler, host = '127.0.0.1') {
    return { ...(await serve(plain(keys, demand, handler), { host })), host }
  },
}

const http2: Framework = {
  name: 'HTTP/2',
  http2: true,
  header,
  async open(keys, demand, handler, host = '127.0.0.1') {
    const server: Http2Server = createHttp2Server(plain(keys, demand, handler))
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    onTestFinished(() => void server.close())
    return { port: (server.address() as AddressInfo).port, host, server }
  },
}

const nests: readonly Framework[] = NESTS.map((kind) => ({
  name: kind.name,
  header,
  async open(keys, demand, handler, host = '127.0.0.1') {
    const { common, core } = await packagesOf(kind)
    const { All, Controller, Header, HttpCode, Module, Req } = common

    @Controller()
    class Answers {
      @All(kind.platform === 'Express' ? '{*path}' : '*')
      @HttpCode(200)
      @Header('Content-Type', 'application/json')
      async answer(@CurrentApiKey() access: Access | undefined, @Req() request: object) {
        return json(await handler(access, request))
      }
    }

    @Module({
      imports: [KeywardModule.forRoot({ keys, ...(demand === undefined ? {} : { demand }) })],
      controllers: [Answers],
      providers: [{ provide: core.APP_GUARD, useClass: KeywardGuard }],
    })
    class Application {}

    const { app, port } = await serveNest(kind, Application, { host })
    return { port, host, server: app.getHttpServer() }
  },
}))

/** Every framework; the first is what the others are compared with. */
export const FRAMEWORKS: readonly Framework[] = [
  ...expresses,
  fastify,
  fastifyEverywhere,
  koa,
  hono,
  fetchStyle,
  node,
  http2,
  ...nests,
]

/** Those that read HTTP/1 off a socket: to them bytes can be sent. */
export const OVER_SOCKETS = FRAMEWORKS.filter((framework) => !framework.http2)
