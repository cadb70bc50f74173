import type { Request } from 'express'
import { type Access, createApiKeys, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { distantStore } from '../support/stores.ts'

for (const way of EVERY_WAY) {
  describe(`N. The identity, ${way.name}, ${way.source}`, () => {
    /** What a handler behind the guard makes of its request. */
    async function inHandler<T>(look: (req: Request, keys: ReturnType<typeof createApiKeys>) => T, optional = false) {
      const keys = createApiKeys({ prefix: 'idn_', ...way.options })
      const created = await keys.create({
        owner: 'acct_1',
        scopes: ['contacts:*'],
        metadata: { plan: { tier: 'pro' } },
      })
      const looked: (T | Error)[] = []
      const app = way.express()
      app.get('/', guard(keys, { optional }), (req, res) => {
        try {
          looked.push(look(req, keys))
        } catch (error) {
          looked.push(error as Error)
        }
        res.json({})
      })
      const { port } = await serve(app)
      const ask = async (lines = way.lines(created)) => {
        expect((await raw(port, request(lines))).status).toBe(200)
        return looked.at(-1)
      }
      return { keys, created, ask }
    }

    it('is the record of the key, with no hash and no secret', async () => {
      const { ask, created } = await inHandler((req) => ({ ...req.apiKey }))
      const access = (await ask()) as Access
      expect(access).toMatchObject({ ...created.record, uses: expect.any(Number), lastUsedAt: access.lastUsedAt })
      const told = JSON.stringify(access)
      expect(told).not.toMatch(/sha256|hash/)
      expect(told).not.toContain((created.secret ?? created.key).slice(-38))
    })

    it('is what keys.of(req) gives', async () => {
      const { ask } = await inHandler((req, keys) => keys.of(req) === req.apiKey)
      expect(await ask()).toBe(true)
    })

    it('R-23 is frozen, all the way down, and the next request sees it as it was', async () => {
      const { ask } = await inHandler((req) => {
        const access = req.apiKey as unknown as {
          owner: string
          scopes: string[]
          metadata: { plan: { tier: string } }
        }
        const attempts = [
          () => {
            access.owner = 'acct_2'
          },
          () => {
            access.scopes.push('*')
          },
          () => {
            access.metadata.plan.tier = 'root'
          },
        ]
        const refused = attempts.map((attempt) => {
          try {
            attempt()
            return 'done'
          } catch (error) {
            return (error as Error).name
          }
        })
        return [refused, access.owner, [...access.scopes], access.metadata.plan.tier]
      })
      const untouched = [['TypeError', 'TypeError', 'TypeError'], 'acct_1', ['contacts:*'], 'pro']
      expect(await ask()).toEqual(untouched)
      expect(await ask()).toEqual(untouched)
    })

    it('tells what the key may do', async () => {
      const { ask } = await inHandler((req) =>
        ['contacts:read', 'contacts:files:read', 'contacts-admin:read', 'contacts', '*'].map((scope) =>
          req.apiKey.can(scope),
        ),
      )
      expect(await ask()).toEqual([true, true, false, false, false])
    })

    it('is CONFIG to ask for of an anonymous request, and of one that another instance guards', async () => {
      const { ask } = await inHandler((req, keys) => keys.of(req), true)
      expect(await ask([])).toMatchObject({ name: 'KeywardError', code: 'CONFIG' })
      const other = createApiKeys({ prefix: 'oth_', ...way.options })
      const elsewhere = await inHandler((req) => other.of(req))
      expect(await elsewhere.ask()).toMatchObject({ name: 'KeywardError', code: 'CONFIG' })
    })

    it('H-52 is not taken from a header that a proxy or a client made up', async () => {
      const keys = createApiKeys({ prefix: 'idn_', ...way.options, store: distantStore(memoryStore()) })
      const app = way.express()
      let reached = 0
      app.get('/', guard(keys), (_req, res) => {
        reached++
        res.json({})
      })
      const { port } = await serve(app)
      const markers = [
        'x-apikey-verified: true',
        'x-consumer-id: acct_1',
        'x-tenant-id: acct_1',
        'x-middleware-subrequest: 1',
        'apikey: x',
      ]
      expect((await raw(port, request(markers))).status).toBe(401)
      expect(reached).toBe(0)
    })

    it('is taken from no query and no body', async () => {
      const { keys, created } = await inHandler(() => undefined)
      const app = way.express()
      app.post('/', guard(keys), (_req, res) => res.json({}))
      const { port } = await serve(app)
      const target = `/?api_key=${created.key}&access_token=${created.key}&apiKey=${created.key}`
      const answer = await raw(port, request([], { method: 'POST', target }))
      expect(answer.status).toBe(401)
      expect(JSON.stringify(answer)).not.toContain(created.key.slice(-20))
    })
  })
}

describe('N. keys.of', () => {
  it('is CONFIG of a request that no guard has seen, and of what is no request', async () => {
    const keys = createApiKeys({ prefix: 'idn_' })
    for (const given of [{}, [], null, undefined, 'request', 7, Symbol('request')]) {
      expect(await failure(() => keys.of(given as object))).toMatchObject({ code: 'CONFIG' })
    }
  })
})
