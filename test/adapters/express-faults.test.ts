import type { ErrorRequestHandler, Request } from 'express'
import { type ApiKeysOptions, createApiKeys, type Demand, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { listener } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { distantStore } from '../support/stores.ts'

const STORES = { 'a store in the process': memoryStore, 'a store elsewhere': () => distantStore(memoryStore()) }

class HostFault extends Error {
  override readonly name = 'HostFault'
}

const fail = (): never => {
  throw new HostFault('the host made a mistake')
}

/** Functions of a demand that fail, in each place where one may stand. */
const FAILING: Readonly<Record<string, Demand<string, Request>>> = {
  owner: { owner: fail },
  resource: { resource: fail },
  cost: { cost: fail },
}

/** Functions that answer nonsense where a whole number is needed. */
const NO_COSTS = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, {}, true, 2 ** 53]

for (const way of EVERY_WAY) {
  for (const [where, store] of Object.entries(STORES)) {
    describe(`N. The host's own faults, ${way.name}, ${way.source}, ${where}`, () => {
      async function faulty(demand: Demand<string, Request>, more: Partial<ApiKeysOptions> = {}) {
        const heard = listener()
        const keys = createApiKeys({
          prefix: 'flt_',
          ...way.options,
          store: store(),
          storeTimeout: '10s',
          onEvent: heard.onEvent,
          ...more,
        })
        const created = await keys.create({ owner: 'acct_1', limits: { minute: 10 } })
        const errors: unknown[] = []
        let reached = 0
        const app = way.express()
        app.get('/', guard(keys, demand), (_req, res) => {
          reached++
          res.json({})
        })
        const report: ErrorRequestHandler = (error, _req, res, _next) => {
          errors.push(error)
          res.status(500).send('the error path')
        }
        app.use(report)
        const { port } = await serve(app)
        const ask = (lines = way.lines(created)) => raw(port, request(lines))
        return { ask, errors, heard, keys, created, reached: () => reached }
      }

      it.each(Object.keys(FAILING))(
        'a failing %s() reaches the error path, cold and warm, and admits nothing',
        async (field) => {
          const { ask, errors, reached, heard, keys, created } = await faulty(FAILING[field] ?? {})
          for (const _ of ['cold', 'warm']) {
            const { status, body } = await ask()
            expect([status, body]).toEqual([500, 'the error path'])
          }
          expect(errors).toEqual([expect.any(HostFault), expect.any(HostFault)])
          expect(reached()).toBe(0)
          expect(heard.of('admitted')).toEqual([])
          const verdict = await keys.verify({ ...created }, { cost: 0 })
          expect(verdict).toMatchObject({ ok: true, readings: [{ remaining: 10 }] })
        },
      )

      it.each(NO_COSTS)('a cost() that gives %s is CONFIG on the error path, and takes nothing', async (cost) => {
        const { ask, errors, reached } = await faulty({ cost: () => cost as number })
        expect((await ask()).status).toBe(500)
        expect(errors).toMatchObject([{ name: 'KeywardError', code: 'CONFIG' }])
        expect(reached()).toBe(0)
      })

      it('does not ask a function of the demand before the secret is proved', async () => {
        const { ask, errors } = await faulty({ owner: fail, resource: fail, cost: fail })
        expect((await ask([])).status).toBe(401)
        expect((await ask(['X-API-Key: flt_nonsense', 'X-API-Secret: nonsense'])).status).toBe(401)
        expect(errors).toEqual([])
      })

      it.each([
        ['owner', 'owner_mismatch'],
        ['resource', 'resource_mismatch'],
      ] as const)('an %s() that answers nothing, or no text, is refused', async (field, code) => {
        for (const answer of [undefined, null, '', 0, 42, {}, ['acct_1'], true]) {
          const { ask, reached } = await faulty({ [field]: () => answer as string })
          const { status, body } = await ask()
          expect([status, JSON.parse(body).code]).toEqual([403, code])
          expect(reached()).toBe(0)
        }
      })

      it.each(['owner', 'resource', 'cost'])(
        'an asynchronous %s() admits nothing, whether it answers or fails',
        async (field) => {
          for (const answer of [async () => 'acct_1', async () => fail()]) {
            const { ask, reached } = await faulty({ [field]: answer as unknown as () => never })
            expect((await ask()).status).toBeGreaterThanOrEqual(400)
            expect(reached()).toBe(0)
          }
          // A rejection that nobody hears would end the process: the test runner fails on one.
          await new Promise((resolve) => setImmediate(resolve))
        },
      )

      it('hands the functions of a demand the request of Express', async () => {
        const seen: unknown[] = []
        const see = (req: Request) => {
          seen.push(req.originalUrl, typeof req.get)
          return 'acct_1'
        }
        const { ask } = await faulty({ owner: see })
        expect((await ask()).status).toBe(200)
        expect(seen).toEqual(['/', 'function'])
      })

      it('answers a failing function of `answers` on the error path', async () => {
        const { ask, errors, reached } = await faulty({ answers: fail })
        expect((await ask([])).body).toBe('the error path')
        expect(errors).toEqual([expect.any(HostFault)])
        expect(reached()).toBe(0)
      })
    })
  }
}
