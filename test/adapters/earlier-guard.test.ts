import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import Fastify from 'fastify'
import { Hono, type MiddlewareHandler } from 'hono'
import { type ApiKeys, createApiKeys, header } from 'keyward'
import { guard as express } from 'keyward/express'
import { guard as fastify } from 'keyward/fastify'
import { guard as hono } from 'keyward/hono'
import { guard as koa } from 'keyward/koa'
import { CurrentApiKey, KeywardGuard, KeywardModule } from 'keyward/nest'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { NESTS, packagesOf, serveNest } from '../support/nest.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

const OPTIONAL = { optional: true } as const
/** What a program of its own may have put where the identity goes. */
const FORGED = { owner: 'forged' }

type Open = (first: ApiKeys | 'forged', second: ApiKeys) => Promise<number>
const ownerOf = (access: unknown) => String(Object(access).owner)

const PLACES: readonly (readonly [string, Open])[] = [
  ...EXPRESSES.map(({ name, express: framework }): [string, Open] => [
    name,
    async (first, second) => {
      const app = framework()
      app.use(
        first === 'forged'
          ? (req, _res, next) => {
              Object.assign(req, { apiKey: FORGED })
              next()
            }
          : express(first),
      )
      app.use(express(second, OPTIONAL))
      return (await serve(app.get('/', (req, res) => void res.send(ownerOf(req.apiKey))))).port
    },
  ]),
  [
    'Fastify',
    async (first, second) => {
      const app = Fastify({ forceCloseConnections: true })
      app.decorateRequest('apiKey')
      app.addHook(
        'onRequest',
        first === 'forged' ? async (req) => void Object.assign(req, { apiKey: FORGED }) : fastify(first),
      )
      app.addHook('onRequest', fastify(second, OPTIONAL))
      app.get('/', async (req) => ownerOf(req.apiKey))
      onTestFinished(() => void app.close())
      await app.listen({ port: 0, host: '127.0.0.1' })
      return (app.server.address() as AddressInfo).port
    },
  ],
  [
    'Koa',
    async (first, second) => {
      const app = new Koa()
      const forge: Koa.Middleware = (ctx, next) => {
        Object.assign(ctx.state, { apiKey: FORGED })
        return next()
      }
      app.use(first === 'forged' ? forge : koa(first))
      app.use(koa(second, OPTIONAL)).use((ctx) => {
        ctx.body = ownerOf(ctx.state.apiKey)
      })
      return (await serve(app.callback())).port
    },
  ],
  [
    'Hono',
    async (first, second) => {
      const app = new Hono()
      const forge: MiddlewareHandler = (c, next) => {
        c.set('apiKey', FORGED as never)
        return next()
      }
      app.use(first === 'forged' ? forge : hono(first))
      app.use(hono(second, OPTIONAL)).get('/', (c) => c.text(ownerOf(c.get('apiKey'))))
      return (await serve(getRequestListener(app.fetch))).port
    },
  ],
]

/** Behind what the platform itself runs before Nest. */
const NEST_PLACES = NESTS.map((kind): [string, Open] => [
  kind.name,
  async (first, second) => {
    const { common, core } = await packagesOf(kind)
    @common.Controller()
    class Answers {
      @common.Get()
      answer(@CurrentApiKey() access: unknown) {
        return ownerOf(access)
      }
    }
    @common.Module({
      imports: [KeywardModule.forRoot({ keys: second, demand: OPTIONAL })],
      controllers: [Answers],
      providers: [{ provide: core.APP_GUARD, useClass: KeywardGuard }],
    })
    class Application {}
    const forge = (request: object, _reply: object, next: () => void) => {
      Object.assign(request, { apiKey: FORGED })
      next()
    }
    const onFastify = first === 'forged' ? forge : fastify(first)
    const onExpress = first === 'forged' ? forge : express(first)
    const { port } = await serveNest(kind, Application, {
      prepare: (app) =>
        kind.platform === 'Express'
          ? app.use(onExpress)
          : app.getHttpAdapter().getInstance().addHook('onRequest', onFastify),
    })
    return port
  },
])

describe.each([...PLACES, ...NEST_PLACES])('A guard whose demand is optional, after another, on %s', (_, open) => {
  const users = createApiKeys({ prefix: 'usr_' })
  const agents = createApiKeys({ prefix: 'agt_', sources: [header('x-agent-key')] })

  it('leaves the identity that the first one found, and puts its own in its place where there is one', async () => {
    const port = await open(users, agents)
    const user = await users.create({ owner: 'user' })
    const agent = await agents.create({ owner: 'agent' })
    const ask = async (...lines: string[]) => (await raw(port, request(lines))).body
    expect(await ask(`X-API-Key: ${user.key}`)).toBe('user')
    expect(await ask(`X-API-Key: ${user.key}`, `X-Agent-Key: ${agent.key}`)).toBe('agent')
  })

  it('takes nothing for an identity that no guard put there', async () => {
    expect((await raw(await open('forged', agents), request([]))).body).toBe('undefined')
  })
})
