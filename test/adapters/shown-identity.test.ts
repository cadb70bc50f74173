import { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Request } from 'express'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import fastifyPlugin, { guard as fastifyGuard } from 'keyward/fastify'
import { guard as koaGuard } from 'keyward/koa'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

async function twoKeys() {
  const keys = createApiKeys({ prefix: 'shn_' })
  const first = await keys.create({ owner: 'acct_1' })
  const second = await keys.create({ owner: 'acct_2' })
  return { keys, first: bearer(first.key), second: bearer(second.key), key: second.key }
}

function bearer(key: string): readonly string[] {
  return [`Authorization: Bearer ${key}`]
}

function ownerOf(on: object): unknown {
  const { apiKey } = on as { apiKey?: { owner?: string } }
  return apiKey?.owner ?? String(apiKey)
}

async function told(port: number, lines: readonly string[]): Promise<unknown> {
  return JSON.parse((await raw(port, request(lines))).body)
}

describe('N. The identity belongs to the framework', () => {
  it('and nothing of Node, nor what all objects inherit from, ever gets an apiKey', () => {
    expect('apiKey' in IncomingMessage.prototype).toBe(false)
    expect('apiKey' in {}).toBe(false)
  })

  it('is a member of a request of plain node:http, of a stand-in, and of one without a prototype', async () => {
    const { keys, first } = await twoKeys()
    const check = guard(keys)
    const { port } = await serve((req, res) =>
      check(req, res, () => void res.end(JSON.stringify([ownerOf(req), Object.hasOwn(req, 'apiKey')]))),
    )
    expect(await told(port, first)).toEqual(['acct_1', true])

    const res = { getHeader: () => undefined, setHeader: () => undefined }
    for (const made of [{}, Object.create(null) as object]) {
      const standIn = Object.assign(made, { rawHeaders: ['Authorization', String(first).slice(15)], headers: {} })
      await new Promise((done) => check(standIn as never, res as never, done))
      expect(ownerOf(standIn)).toBe('acct_1')
      expect('apiKey' in {}).toBe(false)
    }
  })
})

it('N. Nobody’s identity is not the one that somebody gave to all objects', async () => {
  const { keys } = await twoKeys()
  const app = new Koa().use(koaGuard(keys, { optional: true })).use((ctx) => {
    ctx.body = [ownerOf(ctx.state)]
  })
  const { port } = await serve(app.callback())
  const forged = { owner: 'forged', can: () => true, settle: () => undefined }
  Object.defineProperty(Object.prototype, 'apiKey', { value: forged, configurable: true, writable: true })
  onTestFinished(() => void Reflect.deleteProperty(Object.prototype, 'apiKey'))
  expect(await told(port, [])).toEqual(['undefined'])
})

for (const { name, express } of EXPRESSES) {
  describe(`N. The identity of a request and of others, ${name}`, () => {
    it('is not there before the guard, nor of a key that was verified by hand', async () => {
      const { keys, first } = await twoKeys()
      const app = express()
      app.get('/', guard(keys), (_req, res) => void res.end())
      app.get('/open', async (req, res) => {
        const before = ownerOf(req)
        await keys.verify(req)
        res.json([before, ownerOf(req), keys.of(req).owner])
      })
      const { port } = await serve(app)
      await raw(port, request(first))
      const answer = await raw(port, request(first, { target: '/open' }))
      expect(JSON.parse(answer.body)).toEqual(['undefined', 'undefined', 'acct_1'])
    })

    it('is what somebody else puts there until the next guard', async () => {
      const { keys, first } = await twoKeys()
      const app = express()
      const seen: unknown[] = []
      const forge = (req: Request, _res: unknown, next: () => void) => {
        seen.push(ownerOf(req))
        Object.assign(req, { apiKey: { owner: 'forged' } })
        seen.push(ownerOf(req))
        next()
      }
      app.get('/', forge, guard(keys), forge, guard(keys), (req, res) => void res.json([...seen, ownerOf(req)]))
      const { port } = await serve(app)
      expect(await told(port, first)).toEqual(['undefined', 'forged', 'acct_1', 'forged', 'acct_1'])
    })

    it('is the guard’s, whenever the program gave all its requests an apiKey', async () => {
      const { keys, first } = await twoKeys()
      for (const early of [true, false]) {
        const app = express()
        app.get('/', guard(keys), (req, res) => void res.json(ownerOf(req)))
        const { port } = await serve(app)
        if (!early) expect(await told(port, first)).toBe('acct_1')
        Object.assign(app.request, { apiKey: { owner: 'forged' } })
        expect(await told(port, first)).toBe('acct_1')
      }
    })

    it('stays when an application within another admitted the request', async () => {
      const { keys, first } = await twoKeys()
      const guarded = express().use(guard(keys))
      const outer = express().use(guarded)
      outer.get('/', (req, res) => void res.json([ownerOf(req), keys.of(req).owner]))
      // The one within belongs to the application that it was given to last.
      express().use(guarded)
      const { port } = await serve(outer)
      expect(await told(port, first)).toEqual(['acct_1', 'acct_1'])
    })

    it('is seen by what is made of a request, which has none with the instance, and may get its own', async () => {
      const { keys, first, key } = await twoKeys()
      const check = guard(keys)
      const makers: readonly ((req: Request) => Request)[] = [
        (req) => Object.create(req),
        (req) => Object.assign(Object.create(Object.getPrototypeOf(req)), req),
      ]
      for (const make of makers) {
        const app = express()
        app.get('/', check, async (req, res) => {
          const made = make(req)
          const inherited = ownerOf(made)
          const unknown = await failure(() => keys.of(made))
          made.rawHeaders = ['Authorization', `Bearer ${key}`]
          await new Promise((done) => check(made, res, done))
          res.json([inherited, unknown, ownerOf(made), keys.of(made).owner, ownerOf(req), keys.of(req).owner])
        })
        const { port } = await serve(app)
        expect(await told(port, first)).toMatchObject([
          'acct_1',
          { code: 'CONFIG' },
          'acct_2',
          'acct_2',
          'acct_1',
          'acct_1',
        ])
      }
    })
  })
}

describe('N. The identity of a request of Fastify', () => {
  async function serveFastify(prepare: (app: FastifyInstance) => unknown): Promise<number> {
    const app = Fastify({ forceCloseConnections: true })
    await prepare(app)
    onTestFinished(() => void app.close())
    await app.listen({ port: 0, host: '127.0.0.1' })
    return (app.server.address() as AddressInfo).port
  }

  it('is there however apiKey was decorated, by whom and where', async () => {
    const { keys, first } = await twoKeys()
    const decorations: readonly ((app: FastifyInstance) => unknown)[] = [
      () => undefined, // its requests are of a class that all such applications share
      (app) => app.decorateRequest('apiKey'),
      (app) => app.decorateRequest('apiKey', null as never),
      (app) => app.decorateRequest('apiKey', (() => 'forged') as never),
      (app) => app.decorateRequest('apiKey', { getter: () => ({ owner: 'forged' }) as never }),
    ]
    const tell = async (req: FastifyRequest) => [ownerOf(req), keys.of(req).owner]
    const seen: unknown[] = []
    for (const decorate of decorations) {
      const port = await serveFastify((app) => {
        decorate(app)
        app.get('/', { onRequest: fastifyGuard(keys) }, tell)
        app.register(async (scope) => scope.get('/scope', { onRequest: fastifyGuard(keys) }, tell))
      })
      for (const target of ['/', '/scope', '/']) {
        const { status, body } = await raw(port, request(first, { target }))
        seen.push(status === 200 ? JSON.parse(body) : status)
      }
    }
    const admitted = Array.from({ length: 12 }, () => ['acct_1', 'acct_1'])
    // A getter without a setter takes no identity: the framework's error path is told, and nobody gets in.
    expect(seen).toEqual([...admitted, 500, 500, 500])
  })

  it('is a decoration of the application that the plugin guards, and absent where a route is opened', async () => {
    const { keys, first } = await twoKeys()
    const port = await serveFastify(async (app) => {
      await app.register(fastifyPlugin, { keys })
      app.get('/', async (req) => [app.hasRequestDecorator('apiKey'), ownerOf(req)])
      app.get('/open', { config: { apiKey: false } }, async (req) => [ownerOf(req)])
    })
    expect(await told(port, first)).toEqual([true, 'acct_1'])
    expect(JSON.parse((await raw(port, request(first, { target: '/open' }))).body)).toEqual(['undefined'])
  })

  it('is nobody else’s where somebody put a state of streams on everything', async () => {
    const { keys, first } = await twoKeys()
    const port = await serveFastify((app) => {
      app.get('/', { onRequest: fastifyGuard(keys) }, async (req) => [ownerOf(req)])
      app.get('/open', async (req) => [ownerOf(req)])
    })
    Object.defineProperty(Object.prototype, '_readableState', { value: {}, configurable: true, writable: true })
    onTestFinished(() => void Reflect.deleteProperty(Object.prototype, '_readableState'))
    expect(await told(port, first)).toEqual(['acct_1'])
    expect(JSON.parse((await raw(port, request(first, { target: '/open' }))).body)).toEqual(['undefined'])
  })
})
