/** Checked by the compiler alone (`npm run typecheck`, `typecheck:7`): nothing here is run. */
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import Router from '@koa/router'
import Fastify, { type FastifyRequest } from 'fastify'
import { type Context, Hono } from 'hono'
import { type Access, createApiKeys } from 'keyward'
import keyward, { guard as fastifyGuard } from 'keyward/fastify'
import { guard as fetchGuard } from 'keyward/fetch'
import { guard as honoGuard } from 'keyward/hono'
import { guard as koaGuard } from 'keyward/koa'
import { type NodeRequest, guard as nodeGuard, refuse } from 'keyward/node'
import Koa from 'koa'
import { type Same, same } from './assert.ts'

const keys = createApiKeys({ prefix: 'agk_live_', scopes: { contacts: ['read', 'update'] } })
const others = createApiKeys({ prefix: 'oth_' })
type Scope = 'contacts:read' | 'contacts:update' | 'contacts:*' | '*'

export function onFastify() {
  const app = Fastify()
  app.get<{ Params: { id: string }; Querystring: { full: boolean } }>(
    '/agents/:id',
    { onRequest: fastifyGuard(keys, { scopes: ['contacts:read'] }), config: { apiKey: false } },
    async (req) => {
      same<Same<typeof req.apiKey, Access>>()
      same<Same<typeof req.params, { id: string }>>()
      same<Same<typeof req.query, { full: boolean }>>()
      const exactly = keys.of(req)
      same<Same<(typeof exactly.scopes)[number], Scope>>()
      return req.apiKey.owner
    },
  )
  app.addHook('onRequest', fastifyGuard([keys, others]))
  app.post('/', { preHandler: [fastifyGuard(keys), fastifyGuard(keys)] }, async () => 1)
  app.register(keyward, { keys })
  app.register(keyward, { keys: [keys, others], demand: { scopes: ['contacts:read'] }, logLevel: 'warn' })
  Fastify({ http2: true }).get('/', { onRequest: fastifyGuard(keys) }, async (req) => req.apiKey.owner)
  fastifyGuard(keys, {
    resource: (req) => {
      same<Same<typeof req, FastifyRequest>>()
      return req.hostname
    },
  })
  fastifyGuard(keys, { owner: (req: FastifyRequest<{ Params: { account: string } }>) => req.params.account })
  // @ts-expect-error a route is opened by false alone
  app.get('/open', { config: { apiKey: true } }, async () => 1)
  // @ts-expect-error misspelt
  fastifyGuard(keys, { scopes: ['contacts:raed'] })
  // @ts-expect-error no such field
  fastifyGuard(keys, { scope: ['contacts:read'] })
  // @ts-expect-error a plugin needs its keys
  app.register(keyward, {})
  // @ts-expect-error an address is told by the socket here
  fastifyGuard(keys, { address: () => '10.0.0.1' })
}

export function onKoa() {
  const app = new Koa()
  app.use(koaGuard(keys)).use((ctx) => {
    same<Same<typeof ctx.state.apiKey, Access>>()
    const exactly = keys.of(ctx)
    same<Same<(typeof exactly.scopes)[number], Scope>>()
    ctx.body = ctx.state.apiKey.owner
  })
  const router = new Router()
  router.get('/agents/:id', koaGuard(keys, { resource: (ctx) => `agent:${ctx.params.id}` }), (ctx) => {
    same<Same<typeof ctx.state.apiKey, Access>>()
    ctx.body = ctx.params.id
  })
  router.use(koaGuard([keys, others]))
  app.use(router.routes())
  // @ts-expect-error misspelt
  koaGuard(keys, { scopes: ['contacts:raed'] })
  koaGuard(keys, { owner: (ctx) => ctx.get('x-account') })
}

export function onHono() {
  const app = new Hono()
  app.use('/v1/*', honoGuard(keys, { address: () => '10.0.0.1' }))
  app.get('/agents/:id', honoGuard(keys, { scopes: ['contacts:read'] }), (c) => {
    const access = c.get('apiKey')
    same<Same<typeof access, Access>>()
    const id = c.req.param('id')
    same<Same<typeof id, string>>()
    const exactly = keys.of(c)
    same<Same<(typeof exactly.scopes)[number], Scope>>()
    return c.json({ owner: c.var.apiKey.owner, id })
  })
  new Hono<{ Bindings: { region: string }; Variables: { user: string } }>().get('/', honoGuard(keys), (c) => {
    const user = c.get('user')
    same<Same<typeof user, string>>()
    return c.text(c.get('apiKey').owner + c.env.region)
  })
  honoGuard(keys, { owner: (c: Context) => c.req.header('x-account') })
  // @ts-expect-error misspelt
  honoGuard(keys, { scopes: ['contacts:raed'] })
  // @ts-expect-error an address is a function of the request
  honoGuard(keys, { address: '10.0.0.1' })
}

export function onFetch() {
  const one = fetchGuard(keys, { scopes: ['contacts:read'] }, (request, access) => {
    same<Same<typeof request, Request>>()
    same<Same<typeof access, Access<Scope>>>()
    return Response.json(access.can('contacts:read'))
  })
  const handler: (request: Request) => Promise<Response> = one
  /** As a route handler of Next has it. */
  const next: (request: Request, context: { params: Promise<{ id: string }> }) => Promise<Response> = fetchGuard(
    keys,
    {},
    async (_request: Request, access: Access<Scope>, { params }: { params: Promise<{ id: string }> }) =>
      Response.json({ id: (await params).id, owner: access.owner }),
  )
  const anybody = fetchGuard(keys, { optional: true }, (_request, access) => {
    same<Same<typeof access, Access<Scope> | undefined>>()
    return Response.json(access?.owner ?? null)
  })
  /** As Bun.serve calls it. */
  interface Server {
    requestIP(request: Request): { address: string } | null
  }
  const bun: (request: Request, server: Server) => Promise<Response> = fetchGuard(
    keys,
    { address: (request: Request, server: Server) => server.requestIP(request)?.address },
    () => new Response('ok'),
  )
  /** As a Worker is called; its address is told by the request alone. */
  interface Env {
    readonly region: string
  }
  const address = (request: Request) => request.headers.get('cf-connecting-ip') ?? undefined
  const worker: (request: Request, env: Env, context: { waitUntil(p: Promise<unknown>): void }) => Promise<Response> =
    fetchGuard(keys, { address }, (_request, access, env: Env, context: { waitUntil(p: Promise<unknown>): void }) => {
      context.waitUntil(keys.flush())
      return new Response(access.owner + env.region)
    })
  /** The address may look at more than the handler, too. */
  const seen = fetchGuard(keys, { address: (_request: Request, env: Env) => env.region }, (_request, access) =>
    Response.json(access.owner),
  )
  // @ts-expect-error what the address needs has to be given
  seen(new Request('http://localhost'))
  const torn = fetchGuard(keys, { address: (_r: Request, env: Env) => env.region }, (_r, _access, env: string) => {
    return new Response(env)
  })
  // @ts-expect-error the address and the handler do not agree on what the runtime gives
  torn(new Request('http://localhost'), 'text')
  // @ts-expect-error misspelt
  fetchGuard(keys, { scopes: ['contacts:raed'] }, () => new Response())
  // @ts-expect-error a handler is what is guarded
  fetchGuard(keys, {})
  return [handler, next, anybody, bun, worker]
}

export function onNode() {
  const check = nodeGuard(keys, { scopes: ['contacts:read'] })
  createServer(async (req, res) => {
    const verdict = await check(req, res)
    if (!verdict.ok) return refuse(res, verdict)
    same<Same<typeof verdict.access, Access<Scope>>>()
    res.end(verdict.access.owner)
  }).on('upgrade', async (req, socket) => {
    const verdict = await check(req)
    if (!verdict.ok) refuse(socket, verdict)
  })
  createHttp2Server(async (req, res) => {
    const verdict = await check(req, res)
    if (!verdict.ok) return refuse(res, verdict)
    res.end(verdict.access.owner)
  })
  const anybody = nodeGuard(keys, { optional: true, owner: (req: NodeRequest) => String(req.headers['x-account']) })
  createServer(async (req, res) => {
    const verdict = await anybody(req, res)
    if (!verdict.ok) return refuse(res, verdict)
    same<Same<typeof verdict.access, Access<Scope> | undefined>>()
    res.end()
  })
  // @ts-expect-error misspelt
  nodeGuard(keys, { scopes: ['contacts:raed'] })
  // @ts-expect-error nothing
  nodeGuard()
}
