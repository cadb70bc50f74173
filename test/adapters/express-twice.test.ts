import type { RequestHandler } from 'express'
import { type ApiKeysOptions, createApiKeys, type Demand, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { listener } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { distantStore } from '../support/stores.ts'

const STORES = { 'a store in the process': memoryStore, 'a store elsewhere': () => distantStore(memoryStore()) }

for (const way of EVERY_WAY) {
  for (const [where, store] of Object.entries(STORES)) {
    describe(`N. Guards twice on a request, ${way.name}, ${way.source}, ${where}`, () => {
      const options = { prefix: 'two_', ...way.options, clock: fakeClock(), storeTimeout: '10s' } as const

      /** A server with a guard for each demand in a row, and a key of ten a minute. */
      async function chain(
        demands: readonly Demand[],
        more: Partial<ApiKeysOptions> = {},
        between: RequestHandler[] = [],
      ) {
        const keys = createApiKeys({ ...options, store: store(), ...more })
        const created = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'], limits: { minute: 10 } })
        const app = way.express()
        const reached: unknown[] = []
        for (const [i, demand] of demands.entries()) {
          if (i > 0 && between.length > 0) app.use(...between)
          app.use(guard(keys, demand))
        }
        app.get('/', (req, res) => {
          reached.push(req.apiKey)
          res.json({})
        })
        const { port } = await serve(app)
        const ask = () => raw(port, request(way.lines(created)))
        const left = async () => {
          const verdict = await keys.verify({ ...created, secret: created.secret }, { cost: 0 })
          return verdict.ok ? verdict.readings.find(({ name }) => name === 'minute')?.remaining : verdict.code
        }
        return { keys, created, ask, left, reached }
      }

      it.each([
        ['the same guard', [{}, {}], 9],
        ['three guards', [{}, { scopes: ['contacts:read'] }, {}], 9],
        ['a cost that is exceeded', [{ cost: 2 }, { cost: 5 }], 5],
        ['a cost that is not', [{ cost: 5 }, { cost: 2 }], 5],
        ['costs that rise and fall', [{ cost: 1 }, { cost: 4 }, { cost: 3 }, { cost: 6 }], 4],
        ['a first guard that is free', [{ cost: 0 }, { cost: 3 }], 7],
        ['a second guard that is free', [{ cost: 3 }, { cost: 0 }], 7],
        ['costs by function', [{ cost: () => 1 }, { cost: () => 3 }], 7],
      ] as const)('N-10 takes once: %s', async (_name, demands, remaining) => {
        const { ask, left, reached } = await chain(demands)
        const { status, headers } = await ask()
        expect(status).toBe(200)
        expect(headers.ratelimit).toMatch(new RegExp(`^"minute";r=${remaining};t=\\d+$`))
        expect(await left()).toBe(remaining)
        expect(reached).toMatchObject([{ readings: [{ name: 'minute', limit: 10, remaining }] }])
      })

      it('N-10 takes the extra limits of the later guard, each once, and tells of all', async () => {
        const { ask } = await chain([
          { limits: [{ name: 'burst', limit: 3, window: '10s' }] },
          {
            limits: [
              { name: 'export', limit: 2, window: '1h' },
              { name: 'burst', limit: 3, window: '10s' },
            ],
          },
        ])
        const first = (await ask()).headers
        expect(first['ratelimit-policy']?.split(', ').sort()).toEqual([
          '"burst";q=3;w=10',
          '"export";q=2;w=3600',
          '"minute";q=10;w=60',
        ])
        expect(
          first.ratelimit
            ?.replace(/;t=\d+/g, '')
            .split(', ')
            .sort(),
        ).toEqual(['"burst";r=2', '"export";r=1', '"minute";r=9'])
        expect((await ask()).status).toBe(200)
        expect((await ask()).status).toBe(429)
      })

      it('N-10 keeps to the lower limit of a later guard on a window that the first took from', async () => {
        const { ask } = await chain([{}, { limits: { minute: 2 } }])
        const statuses: number[] = []
        for (let i = 0; i < 5; i++) statuses.push((await ask()).status)
        expect(statuses).toEqual([200, 200, 429, 429, 429])
      })

      it('takes the whole cost of the later guard from a window of its own', async () => {
        const { ask } = await chain([{ cost: 2 }, { cost: 3, limits: { hour: 10 } }])
        const { headers } = await ask()
        expect(
          headers.ratelimit
            ?.replace(/;t=\d+/g, '')
            .split(', ')
            .sort(),
        ).toEqual(['"hour";r=7', '"minute";r=7'])
      })

      it('a later refusal takes nothing more', async () => {
        const { ask, left } = await chain([
          { cost: 1 },
          { cost: 4, limits: [{ name: 'export', limit: 2, window: '1h' }] },
        ])
        expect((await ask()).status).toBe(429)
        expect(await left()).toBe(9)
      })

      it.each([
        ['scopes', { scopes: ['contacts:delete'] }, 'insufficient_scope'],
        ['owner', { owner: 'acct_2' }, 'owner_mismatch'],
        ['resource', { resource: () => undefined }, 'resource_mismatch'],
      ] as const)('re-checks %s for the later guard', async (_rule, demand, code) => {
        const { ask, left, reached } = await chain([{}, demand])
        const { status, body } = await ask()
        expect([status, JSON.parse(body).code]).toEqual([403, code])
        expect(reached).toEqual([])
        expect(await left()).toBe(9)
      })

      it('lets a request take its last unit once, and the next one none', async () => {
        const { ask, keys, created } = await chain([{}, {}])
        await keys.update(created.record.id, { limits: { minute: 1 } })
        expect([(await ask()).status, (await ask()).status]).toEqual([200, 429])
      })

      it('is never anonymous where an earlier guard proved a key, even when the header is gone', async () => {
        const strip: RequestHandler = (req, _res, next) => {
          // In this order: Bun makes `headers` of the raw lines when they are first asked for.
          for (const name of ['authorization', 'x-api-key', 'x-api-secret']) delete req.headers[name]
          req.rawHeaders.length = 0
          next()
        }
        const { ask, left, reached } = await chain([{}, { optional: true }, {}], {}, [strip])
        expect((await ask()).status).toBe(200)
        expect(reached).toMatchObject([{ owner: 'acct_1' }])
        expect(await left()).toBe(9)
      })

      it('N-10 judges another key by itself when the header was exchanged in between', async () => {
        let lines: readonly string[] = []
        const exchange: RequestHandler = (req, _res, next) => {
          void req.headers // made of the raw lines, by Bun not before this
          req.rawHeaders.splice(0, Number.POSITIVE_INFINITY, ...lines.flatMap((line) => line.split(': ')))
          next()
        }
        const { ask, keys, left, reached } = await chain([{ cost: 4 }, { cost: 3 }], {}, [exchange])
        const other = await keys.create({ owner: 'acct_2', limits: { minute: 10 } })
        lines = way.lines(other)
        expect((await ask()).status).toBe(200)
        expect(reached).toMatchObject([{ owner: 'acct_2', readings: [{ remaining: 7 }] }])
        expect(await left()).toBe(6)
        await keys.revoke(other.record.id)
        expect((await ask()).status).toBe(401)
      })

      it('refuses in the later guard a key that was revoked in between', async () => {
        let revoke = async () => {}
        const between: RequestHandler = (_req, _res, next) => void revoke().then(next, next)
        const { ask, keys, created, reached } = await chain([{}, {}], {}, [between])
        revoke = async () => void (await keys.revoke(created.record.id))
        const { status, body } = await ask()
        expect([status, JSON.parse(body).code]).toEqual([401, 'revoked'])
        expect(reached).toEqual([])
      })

      it('counts one request as one use, and tells of one admission', async () => {
        const heard = listener()
        const { ask, keys, created } = await chain([{}, {}], { onEvent: heard.onEvent })
        await ask()
        await keys.flush()
        expect((await keys.get(created.record.id))?.uses).toBe(1)
        expect(heard.of('admitted')).toHaveLength(1)
      })
    })
  }
}
