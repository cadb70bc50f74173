import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Request, RequestHandler, Response } from 'express'
import { type KeyStore, memoryStore, type Settled } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { type Purse, purse } from '../support/money.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { deferred } from '../support/stores.ts'

/** A memory store that counts how often a hold is released. */
function counting() {
  const inner = memoryStore()
  const released: string[] = []
  const store: KeyStore = {
    ...inner,
    move(credit, now) {
      if (credit.release !== undefined) released.push(credit.release)
      return inner.move?.(credit, now) ?? { balance: 0 }
    },
  }
  return { store, released }
}

/** Asserts that a release that is due comes once and, once it came, does not come again. */
async function releasedOnce({ left }: Purse, released: readonly string[], balance: number): Promise<void> {
  await expect.poll(left).toBe(balance)
  await new Promise((resolve) => setImmediate(resolve))
  expect(released).toHaveLength(1)
}

for (const { name, express, source, options, lines } of EVERY_WAY) {
  describe(`Release, ${name}, ${source}`, () => {
    /** A purse of 20, and one route that holds 10 of it. */
    async function served(handler: RequestHandler) {
      const { store, released } = counting()
      const kept = await purse({ remaining: 20 }, { store, ...options })
      const app = express()
      // Express prints what nobody handles unless it is under test.
      app.set('env', 'test')
      app.get('/', guard(kept.keys, { reserve: 10 }), handler)
      return { kept, released, bytes: request(lines(kept.created)), ...(await serve(app)) }
    }

    it('a response that ends unsettled gives back what was held', async () => {
      const during: number[] = []
      const { kept, released, port, bytes } = await served((req: Request, res: Response) => {
        during.push(req.apiKey.credits?.remaining ?? -1)
        res.json({})
      })
      expect((await raw(port, bytes)).status).toBe(200)
      await releasedOnce(kept, released, 20)
      expect(during).toEqual([10])
    })

    it.each([
      [
        'throws',
        () => {
          throw new Error('the handler’s own')
        },
      ],
      [
        'passes an error on',
        (_req: Request, _res: Response, next: (error: unknown) => void) => next(new Error('its own')),
      ],
      ['answers 500', (_req: Request, res: Response) => void res.status(500).json({})],
    ])('L-25 a handler that %s gives it back exactly once', async (_, handler) => {
      const { kept, released, port, bytes } = await served(handler as RequestHandler)
      expect((await raw(port, bytes)).status).toBe(500)
      await releasedOnce(kept, released, 20)
    })

    it('a handler that settled before it threw was charged, and gives the rest back', async () => {
      const { kept, released, port, bytes } = await served((req, _res, next) => {
        req.apiKey.settle(3).then(() => next(new Error('later')))
      })
      expect((await raw(port, bytes)).status).toBe(500)
      expect(await kept.left()).toBe(17)
      expect(released).toEqual([])
    })

    it('a stream that settles when it is over is charged what it used', async () => {
      const { kept, port, bytes } = await served(async (req, res) => {
        for (const piece of ['one ', 'two ', 'three']) res.write(piece)
        const { charged } = await req.apiKey.settle(3)
        res.end(` charged ${charged}`)
      })
      expect((await raw(port, bytes)).body).toBe('one two three charged 3')
      expect(await kept.left()).toBe(17)
    })

    it('several requests on one connection each give back their own', async () => {
      const { kept, released, url } = await served((_req, res) => void res.json({}))
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const headers = Object.fromEntries(lines(kept.created).map((line) => line.split(': ') as [string, string]))
      for (let i = 0; i < 3; i++) {
        const [answer] = (await once(httpRequest(url, { agent, headers }).end(), 'response')) as [IncomingMessage]
        await text(answer)
      }
      await expect.poll(() => released.length).toBe(3)
      expect(new Set(released).size).toBe(3)
      expect(await kept.left()).toBe(20)
    })

    describe('when the client hangs up while the handler runs', () => {
      /** A handler that goes on when its client is gone and it is told to; `then` is what it does. */
      async function abandoned(then: RequestHandler) {
        const [running, gone, go, done] = [deferred(), deferred(), deferred(), deferred()]
        const parts = await served(async (req, res, next) => {
          res.once('close', () => gone.resolve())
          running.resolve()
          await go.promise
          try {
            await then(req, res, next)
          } finally {
            done.resolve()
          }
        })
        const socket = connect(parts.port, '127.0.0.1')
        socket.write(Buffer.from(parts.bytes.toString().replace('Connection: close\r\n', '')))
        await running.promise
        socket.destroy()
        await gone.promise
        const finish = async () => {
          go.resolve()
          await done.promise
        }
        return { ...parts, finish }
      }

      it('nothing is given back, and what was used is charged', async () => {
        const settled: Settled[] = []
        const { kept, released, finish } = await abandoned(async (req, res) => {
          settled.push(await req.apiKey.settle(7))
          res.end()
        })
        expect(await kept.left()).toBe(10)
        await finish()
        expect(settled).toEqual([{ charged: 7, short: 0 }])
        expect(await kept.left()).toBe(13)
        expect(released).toEqual([])
      })

      it.each([
        ['ends its response', (_req: Request, res: Response) => void res.end('nobody reads this')],
        ['sends JSON', (_req: Request, res: Response) => void res.json({})],
        [
          'throws',
          () => {
            throw new Error('the handler’s own')
          },
        ],
        [
          'passes an error on',
          (_req: Request, _res: Response, next: (error: unknown) => void) => next(new Error('its own')),
        ],
      ])('and the handler then %s, it is given back once', async (_, then) => {
        // A rejection reaches Express 4 through `next` alone.
        const handler: RequestHandler = async (req, res, next) => {
          try {
            await (then as RequestHandler)(req, res, next)
          } catch (error) {
            next(error)
          }
        }
        const { kept, released, finish } = await abandoned(handler)
        expect(await kept.left()).toBe(10)
        await finish()
        await releasedOnce(kept, released, 20)
      })

      it('and the handler never ends, the lease does after ten minutes', async () => {
        const { kept } = await abandoned(() => {})
        kept.clock.advance('9m')
        expect(await kept.left()).toBe(10)
        kept.clock.advance('1m')
        expect(await kept.left()).toBe(20)
      })
    })
  })
}

for (const { name, express, source, options, lines } of EVERY_WAY.filter(({ source }) => source === 'Bearer')) {
  describe(`Release before the handler, ${name}, ${source}`, () => {
    /** A store whose `take` waits until it is told to go on. */
    async function slow(reached: () => void) {
      const [asked, go] = [deferred(), deferred()]
      const { store, released } = counting()
      const take: NonNullable<KeyStore['take']> = async (...args) => {
        asked.resolve()
        await go.promise
        return store.take?.(...args) ?? { stale: undefined }
      }
      const kept = await purse({ remaining: 20 }, { store: { ...store, take }, storeTimeout: '10s', ...options })
      const app = express()
      const early = deferred<Response>()
      app.use((_req, res, next) => {
        early.resolve(res as unknown as Response)
        next()
      })
      app.get('/', guard(kept.keys, { reserve: 10 }), (_req, res) => {
        reached()
        res.json({})
      })
      return {
        kept,
        released,
        asked,
        go,
        response: early.promise,
        bytes: request(lines(kept.created)),
        ...(await serve(app)),
      }
    }

    it('a host that has answered while the store was asked gets its hold back, and no handler runs', async () => {
      let reached = 0
      const { kept, released, asked, go, response, port, bytes } = await slow(() => reached++)
      const answer = raw(port, bytes)
      await asked.promise
      ;(await response).status(504).end('too late')
      expect((await answer).status).toBe(504)
      go.resolve()
      await expect.poll(() => released.length).toBe(1)
      expect([await kept.left(), reached]).toEqual([20, 0])
    })

    it('L-25 a client that hangs up before the handler runs is charged nothing', async () => {
      let reached = 0
      const { kept, released, asked, go, response, port, bytes } = await slow(() => reached++)
      const socket = connect(port, '127.0.0.1')
      socket.write(bytes)
      await asked.promise
      const closed = once(await response, 'close')
      socket.destroy()
      await closed
      go.resolve()
      await expect.poll(() => released.length).toBe(1)
      expect([await kept.left(), reached]).toEqual([20, 0])
    })
  })
}
