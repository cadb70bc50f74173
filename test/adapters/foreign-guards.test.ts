import { createServer, type RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { createApiKeys, KeywardError } from 'keyward'
import { guard as forExpress } from 'keyward/express'
import { guard as forFastify } from 'keyward/fastify'
import { guard as forFetch } from 'keyward/fetch'
import { guard as forHono } from 'keyward/hono'
import { guard as forKoa } from 'keyward/koa'
import { guard as forNode } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { NESTS, packagesOf, serveNest } from '../support/nest.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

type Keys = ReturnType<typeof createApiKeys>
type Demand = { readonly optional?: boolean }

const GUARDS = {
  express: forExpress,
  fastify: forFastify,
  koa: forKoa,
  hono: forHono,
  fetch: (keys: Keys, demand: Demand) => forFetch(keys, demand, () => new Response('reached')),
  node: forNode,
} as const
type Entry = keyof typeof GUARDS

/** A framework that is given a guard of any entry, and tells what reaches its own handling of errors. */
interface Host {
  readonly name: string
  readonly entry: Entry
  open(guard: never, told: unknown[]): Promise<number>
}

const HOSTS: readonly Host[] = [
  ...EXPRESSES.map(
    ({ name, express }): Host => ({
      name,
      entry: 'express',
      async open(guard, told) {
        const app = express().use(guard)
        app.get('/', (_req, res) => void res.end('reached'))
        app.use(((error, _req, res, _next) => {
          told.push(error)
          res.status(500).end()
        }) as import('express').ErrorRequestHandler)
        return (await serve(app)).port
      },
    }),
  ),
  ...(['onRequest', 'preHandler'] as const).map(
    (hook): Host => ({
      name: `Fastify, ${hook}`,
      entry: 'fastify',
      async open(guard, told) {
        const app = Fastify({ forceCloseConnections: true })
        onTestFinished(() => void app.close())
        app.setErrorHandler((error, _request, reply) => {
          told.push(error)
          return reply.code(500).send()
        })
        app.get('/', { [hook]: guard }, async () => 'reached')
        return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
      },
    }),
  ),
  {
    name: 'Koa',
    entry: 'koa',
    async open(guard, told) {
      const app = new Koa().use(guard).use((ctx) => {
        ctx.body = 'reached'
      })
      app.on('error', (error) => told.push(error))
      return (await serve(app.callback())).port
    },
  },
  {
    name: 'Hono',
    entry: 'hono',
    async open(guard, told) {
      const app = new Hono().use(guard).get('/', (c) => c.text('reached'))
      app.onError((error, c) => {
        told.push(error)
        return c.body(null, 500)
      })
      return (await serve(getRequestListener(app.fetch))).port
    },
  },
  {
    name: 'what calls with a Request',
    entry: 'fetch',
    async open(guard, told) {
      const handler = guard as (request: Request) => unknown
      const listener = getRequestListener(async (request) => {
        try {
          return (await handler(request)) as Response
        } catch (error) {
          told.push(error)
          return new Response(null, { status: 500 })
        }
      })
      return (await serve(listener)).port
    },
  },
  {
    name: 'node:http',
    entry: 'node',
    async open(guard, told) {
      const listener = guard as RequestListener
      const server = createServer(async (req, res) => {
        try {
          await listener(req, res)
        } catch (error) {
          told.push(error)
          res.writeHead(500).end()
        }
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => void server.close())
      return (server.address() as { port: number }).port
    },
  },
  ...NESTS.map(
    (kind): Host => ({
      name: `app.use() of ${kind.name}`,
      entry: 'express',
      async open(guard, told) {
        const { Catch, Controller, Get, Module } = (await packagesOf(kind)).common
        @Controller()
        class Reached {
          @Get() get() {
            return 'reached'
          }
        }
        @Module({ controllers: [Reached] })
        class Application {}
        @Catch()
        class Faults {
          catch(error: unknown, host: import('@nestjs/common').ArgumentsHost) {
            told.push(error)
            const response = host.switchToHttp().getResponse()
            if (kind.platform === 'Express') response.status(500).end()
            else response.code(500).send()
          }
        }
        const { port } = await serveNest(kind, Application, {
          prepare: (app) => app.useGlobalFilters(new Faults()).use(guard),
        })
        return port
      },
    }),
  ),
]

describe.each(HOSTS)('$name', ({ entry, open }) => {
  const others = (Object.keys(GUARDS) as Entry[]).filter((other) => other !== entry)

  it.each(others)('hears at once that the guard of keyward/%s is not for it, and which one is', async (other) => {
    const keys = createApiKeys({ prefix: 'fg_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    for (const optional of [false, true]) {
      const told: unknown[] = []
      const port = await open((GUARDS[other] as (keys: Keys, demand: Demand) => never)(keys, { optional }), told)
      for (const lines of [[], ['X-API-Key: fg_bad'], [`X-API-Key: ${key}`]]) {
        const { status, body } = await raw(port, request(lines))
        const [error] = told.splice(0)
        expect([status, body.includes('reached'), error]).toEqual([500, false, expect.any(KeywardError)])
        expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(`keyward/${entry}\\b`) })
      }
    }
  })
})
