import type { RequestHandler } from 'express'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EXPRESSES, type ExpressModule } from '../support/express.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { TARGETS } from '../support/targets.ts'

type Keys = ReturnType<typeof createApiKeys>

/** Every way in which a host may put the guard before `/admin`. */
const MOUNTS: Readonly<
  Record<string, (express: ExpressModule, keys: Keys, handler: RequestHandler) => ReturnType<ExpressModule>>
> = {
  'on the route': (express, keys, handler) => express().all('/admin', guard(keys), handler),
  'with app.use for all': (express, keys, handler) => express().use(guard(keys)).all('/admin', handler),
  'with app.use on its path': (express, keys, handler) => express().use('/admin', guard(keys)).all('/admin', handler),
  'in a router': (express, keys, handler) => {
    const router = express.Router()
    router.use(guard(keys))
    router.all('/', handler)
    return express().use('/admin', router)
  },
  'in a sub-app': (express, keys, handler) => {
    const inner = express().use(guard(keys))
    inner.all('/', handler)
    return express().use('/admin', inner)
  },
  'with app.route': (express, keys, handler) => {
    const app = express()
    app.route('/admin').all(guard(keys)).all(handler)
    return app
  },
  'by a pattern': (express, keys, handler) => express().all(/^\/+admin\/?$/i, guard(keys), handler),
}

/** What reaches the handler of such a mount, and whether the guard had been there. */
async function serveMount(express: ExpressModule, mount: string) {
  const keys = createApiKeys({ prefix: 'path_' })
  const { key } = await keys.create({ owner: 'acct_1' })
  const reached: unknown[] = []
  const app = MOUNTS[mount]?.(express, keys, (req, res) => {
    reached.push(keys.of(req).owner)
    res.json({ handled: true })
  })
  if (app === undefined) throw new Error(mount)
  return { keys, key, reached, ...(await serve(app)) }
}

for (const { name, express } of EXPRESSES) {
  describe(`N. Paths, ${name}`, () => {
    describe.each(Object.keys(MOUNTS))('with the guard %s', (mount) => {
      it.each(TARGETS)('N-01 N-17 lets nobody without a key to the handler by %j', async (target) => {
        const { port, reached } = await serveMount(express, mount)
        for (const lines of [[], ['Authorization: Basic YTpi'], ['X-API-Key: path_nonsense']]) {
          const { status } = await raw(port, request(lines, { target }))
          expect([400, 401, 404]).toContain(status)
        }
        expect(reached).toEqual([])
      })

      it.each(TARGETS)('N-01 lets a key to the handler by %j only through the guard', async (target) => {
        const { port, key, reached } = await serveMount(express, mount)
        const { status, body } = await raw(port, request([`X-API-Key: ${key}`], { target }))
        expect([200, 400, 404]).toContain(status)
        // keys.of() in the handler throws where no guard was: the handler would have answered 500.
        expect(reached).toEqual(body.includes('"handled":true') ? ['acct_1'] : [])
      })
    })

    it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'M-SEARCH'])(
      'H-50 guards %s as any other method',
      async (method) => {
        const { port, key, reached } = await serveMount(express, 'with app.use for all')
        expect((await raw(port, request([], { method, target: '/admin' }))).status).toBe(401)
        expect(reached).toEqual([])
        expect((await raw(port, request([`X-API-Key: ${key}`], { method, target: '/admin' }))).status).toBe(200)
        expect(reached).toEqual(['acct_1'])
      },
    )

    it('N-17 never lets CONNECT to the handler: Node hands it to nobody', async () => {
      const { port, key, reached } = await serveMount(express, 'on the route')
      for (const target of ['localhost:443', '/admin', 'evil@good:80']) {
        const sent = request([`X-API-Key: ${key}`], { method: 'CONNECT', target })
        await expect(raw(port, sent)).rejects.toThrow()
      }
      expect(reached).toEqual([])
    })

    it.each(['evil@good', 'evil.example:99999', '', 'localhost/admin', '[::1', 'a b'])(
      'N-17 decides nothing by the Host %j',
      async (host) => {
        const { port, key, reached } = await serveMount(express, 'on the route')
        const send = (line: string) => {
          const head = ['GET /admin HTTP/1.1', `Host: ${host}`, 'Connection: close', ...(line === '' ? [] : [line])]
          return raw(port, `${head.join('\r\n')}\r\n\r\n`)
        }
        const [without, withKey] = [await send(''), await send(`X-API-Key: ${key}`)]
        expect([without.status, withKey.status]).toEqual([401, 200])
        expect(without.body + without.lines.join()).not.toContain('evil')
        expect(reached).toEqual(['acct_1'])
      },
    )

    it('S-20 takes no other method from X-HTTP-Method-Override', async () => {
      const keys = createApiKeys({ prefix: 'path_' })
      const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
      const app = express()
      app.get('/admin', guard(keys, { scopes: ['contacts:read'] }), (_req, res) => res.json({}))
      app.delete('/admin', guard(keys, { scopes: ['contacts:delete'] }), (_req, res) => res.json({}))
      const { port } = await serve(app)
      const lines = [`X-API-Key: ${key}`, 'X-HTTP-Method-Override: GET', 'X-Method-Override: GET']
      expect((await raw(port, request(lines, { method: 'DELETE', target: '/admin?_method=GET' }))).status).toBe(403)
    })

    it('S-21 asks of HEAD what it asks of GET', async () => {
      const keys = createApiKeys({ prefix: 'path_' })
      const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:update'] })
      const app = express()
      app.get('/admin', guard(keys, { scopes: ['contacts:read'] }), (_req, res) => res.json({}))
      const { port } = await serve(app)
      const statuses: number[] = []
      for (const method of ['GET', 'HEAD']) {
        statuses.push((await raw(port, request([`X-API-Key: ${key}`], { method, target: '/admin' }))).status)
      }
      expect(statuses).toEqual([403, 403])
    })

    it('N-16 keeps its verdicts where the server parses leniently', async () => {
      const keys = createApiKeys({ prefix: 'path_' })
      const { key } = await keys.create({ owner: 'acct_1' })
      let reached = 0
      const app = express()
      app.get('/', guard(keys), (_req, res) => {
        reached++
        res.json({})
      })
      const { port } = await serve(app, { insecureHTTPParser: true })
      const ask = async (...lines: string[]) => (await raw(port, request(lines))).status
      expect(await ask(`X-API-Key: ${key}\x01`)).toBe(401)
      expect(await ask(`X-API-Key: ${key}\x00`)).toBeGreaterThanOrEqual(400)
      expect(await ask(`X-API-Key: \x0b${key}`)).toBeGreaterThanOrEqual(400)
      expect(await ask(`Authorization: Bearer ${key}\x7f`)).toBe(401)
      expect(await ask(`X-API-Key: ${key}`, `X-API-Key: ${key}`)).toBe(400)
      expect(reached).toBe(0)
      expect(await ask(`X-API-Key: ${key}`)).toBe(200)
      expect(reached).toBe(1)
    })
  })
}
