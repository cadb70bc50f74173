import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { type ApiKeysOptions, createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY, EXPRESSES, type ExpressModule } from '../support/express.ts'
import { listener } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { deferred, distantStore, sabotagedStore, wrapStore } from '../support/stores.ts'

/** A store whose `find` waits until it is let go. */
function heldStore() {
  const asked = deferred<void>()
  const release = deferred<void>()
  const inner = memoryStore()
  const store = wrapStore(inner, (verb, ask) => {
    if (verb !== 'find') return ask()
    asked.resolve()
    return release.promise.then(ask)
  })
  return { inner, store, asked: asked.promise, release: release.resolve }
}

/** Not `once` of node:events: on Deno a connection whose client has gone tells of an error, too. */
const ended = (connection: Socket) => new Promise((resolve) => connection.once('close', resolve))

/** Lets every callback run that is due. */
const settled = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** An application that counts what its guard lets go on, and hears of every error. */
async function counting(express: ExpressModule, options: Partial<ApiKeysOptions>, first?: RequestHandler) {
  const heard = listener()
  const keys = createApiKeys({ prefix: 'asy_', storeTimeout: '10s', onEvent: heard.onEvent, ...options })
  const errors: unknown[] = []
  const counts = { next: 0, reached: 0, responses: 0 }
  const guarded = guard(keys)
  const app = express()
  app.use((_req, res, next) => {
    res.once('finish', () => counts.responses++)
    next()
  })
  if (first !== undefined) app.use(first)
  app.use((req, res, next) =>
    guarded(req, res, (error) => {
      counts.next++
      next(error)
    }),
  )
  app.get('/', (_req, res) => {
    counts.reached++
    res.json({})
  })
  const report: ErrorRequestHandler = (error, _req, res, _next) => {
    errors.push(error)
    if (!res.headersSent) res.status(500).end('error')
  }
  app.use(report)
  const { port, server } = await serve(app)
  return { keys, heard, errors, counts, port, server }
}

for (const way of EVERY_WAY) {
  describe(`N. Asynchronous stores, ${way.name}, ${way.source}`, () => {
    it('N-09 admits and refuses with one response, and calls next once or never', async () => {
      const { keys, port, counts, errors } = await counting(way.express, { ...way.options, store: distantStore() })
      const created = await keys.create({ owner: 'acct_1' })
      expect((await raw(port, request(way.lines(created)))).status).toBe(200)
      expect(counts).toEqual({ next: 1, reached: 1, responses: 1 })
      await keys.revoke(created.record.id)
      expect((await raw(port, request(way.lines(created)))).status).toBe(401)
      expect(counts).toEqual({ next: 1, reached: 1, responses: 2 })
      expect(errors).toEqual([])
    })

    it('N-13 neither writes nor goes on when the client hung up before the verdict', async () => {
      const held = heldStore()
      const { keys, port, server, counts, errors, heard } = await counting(way.express, {
        ...way.options,
        store: held.store,
      })
      const created = await keys.create({ owner: 'acct_1' })
      const closed = once(server, 'connection').then(([connection]) => ended(connection))
      const client = connect(port, '127.0.0.1')
      client.write(request(way.lines(created)))
      await held.asked
      client.destroy()
      await closed
      held.release()
      await settled()
      expect(counts).toEqual({ next: 0, reached: 0, responses: 0 })
      expect(errors).toEqual([])
      expect(heard.of('fault')).toEqual([])
    })

    it.each(['an admission', 'a refusal'])('N-09 leaves it to a host that timed out before %s', async (verdict) => {
      const held = heldStore()
      const timedOut = deferred<void>()
      const timeOut: RequestHandler = (_req, res, next) => {
        void timedOut.promise.then(() => res.status(504).send('the host timed out'))
        next()
      }
      const options = { ...way.options, store: held.store }
      const { keys, port, counts, errors } = await counting(way.express, options, timeOut)
      const created = await keys.create({ owner: 'acct_1' })
      const elsewhere = createApiKeys({ prefix: 'asy_', ...way.options, store: held.inner })
      if (verdict === 'a refusal') await elsewhere.disable(created.record.id)
      const answer = raw(port, request(way.lines(created)))
      await held.asked
      timedOut.resolve()
      expect(await answer).toMatchObject({ status: 504, body: 'the host timed out' })
      held.release()
      await settled()
      expect(counts).toEqual({ next: 0, reached: 0, responses: 1 })
      expect(errors).toEqual([])
    })

    it('D-03 answers unavailable when the store is late, and nothing more when it comes after all', async () => {
      const held = heldStore()
      const options = { ...way.options, store: held.store, storeTimeout: 20 }
      const { keys, port, counts, errors } = await counting(way.express, options)
      const created = await keys.create({ owner: 'acct_1' })
      const answer = await raw(port, request(way.lines(created)))
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
      held.release()
      await settled()
      expect(counts).toEqual({ next: 0, reached: 0, responses: 1 })
      expect(errors).toEqual([])
    })

    it.each([
      ['rejects', async () => Promise.reject(new Error('redis://:hunter2@host is down'))],
      [
        'throws',
        () => {
          throw new Error('redis://:hunter2@host is down')
        },
      ],
      ['answers nonsense', () => ({ id: 7 })],
      ['answers nonsense later', async () => 'OK'],
    ])('never admits where the store %s', async (_fault, fault) => {
      const { store, break: sabotage } = sabotagedStore()
      const { keys, port, counts, errors, heard } = await counting(way.express, { ...way.options, store })
      const created = await keys.create({ owner: 'acct_1' })
      sabotage('find', fault as () => unknown)
      const answer = await raw(port, request(way.lines(created)))
      expect([401, 503]).toContain(answer.status)
      expect(JSON.stringify([answer, heard.events])).not.toContain('hunter2')
      expect(counts).toEqual({ next: 0, reached: 0, responses: 1 })
      expect(errors).toEqual([])
    })
  })
}

for (const { name, express } of EXPRESSES) {
  describe(`N. Asynchronous stores, ${name}`, () => {
    it('R-22 gives each of many requests its own identity, in whatever order the store answers', async () => {
      let turn = 0
      const store: KeyStore = wrapStore(memoryStore(), async (_verb, ask) => {
        for (let i = (turn++ * 7) % 5; i > 0; i--) await new Promise((resolve) => setImmediate(resolve))
        return ask()
      })
      const keys = createApiKeys({ prefix: 'asy_', store, cache: false, storeTimeout: '10s' })
      const app = express()
      app.get('/:owner', guard(keys, { limits: { minute: 1000 } }), async (req, res) => {
        const before = req.apiKey.owner
        await new Promise((resolve) => setImmediate(resolve))
        res.json([req.params.owner, before, req.apiKey.owner, keys.of(req).owner])
      })
      const { port } = await serve(app)
      const made = await Promise.all(Array.from({ length: 20 }, (_, i) => keys.create({ owner: `acct_${i}` })))
      const asked = Array.from({ length: 200 }, async (_, i) => {
        const { key, record } = made[i % 20] ?? { key: '', record: { owner: '' } }
        const { body } = await raw(port, request([`X-API-Key: ${key}`], { target: `/${record.owner}` }))
        return new Set(JSON.parse(body) as string[]).size === 1
      })
      expect(await Promise.all(asked)).toEqual(Array.from({ length: 200 }, () => true))
    })

    it('hands what a handler throws to the error path once, and does not take it for its own', async () => {
      const errors: unknown[] = []
      const keys = createApiKeys({ prefix: 'asy_', store: distantStore(), storeTimeout: '10s' })
      const { key } = await keys.create({ owner: 'acct_1' })
      const app = express()
      app.use(guard(keys))
      app.get('/', () => {
        throw new Error("the handler's own")
      })
      const report: ErrorRequestHandler = (error, _req, res, _next) => {
        errors.push(error)
        res.status(500).end()
      }
      app.use(report)
      const { port } = await serve(app)
      expect((await raw(port, request([`X-API-Key: ${key}`]))).status).toBe(500)
      await settled()
      expect(errors).toMatchObject([{ message: "the handler's own" }])
    })

    it('reads no body before the verdict: what a refused client still sends is not waited for', async () => {
      const keys = createApiKeys({ prefix: 'asy_', store: distantStore(), storeTimeout: '10s' })
      let parsed = 0
      const app = express()
      app.use(guard(keys))
      app.use(express.json(), (_req, res) => {
        parsed++
        res.json({})
      })
      const { port } = await serve(app)
      const lines = ['Content-Type: application/json', 'Content-Length: 1000000000', 'X-API-Key: asy_nonsense']
      expect((await raw(port, request(lines, { method: 'POST' }))).status).toBe(401)
      expect(parsed).toBe(0)
    })
  })
}
