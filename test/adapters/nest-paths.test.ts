import { createApiKeys } from 'keyward'
import { ApiKey, KeywardGuard, KeywardModule, mount } from 'keyward/nest'
import { describe, expect, it } from 'vitest'
import { NESTS, type Prepare, packagesOf, serveNest } from '../support/nest.ts'
import { raw, request } from '../support/raw.ts'
import { TARGETS } from '../support/targets.ts'

/** Where a guard may stand. */
const PLACES = ['of the application', 'of the controller', 'of the handler', '@ApiKey() of the handler'] as const

for (const kind of NESTS) {
  describe(`N. Paths, ${kind.name}`, async () => {
    const { common, core } = await packagesOf(kind)
    const { All, Controller, Delete, Get, Module, Req, UseGuards, VersioningType } = common
    const none = () => {}

    async function open(place: (typeof PLACES)[number], prepare: Prepare = () => {}, path = 'admin') {
      const keys = createApiKeys({ prefix: 'path_', scopes: { contacts: ['read', 'delete'] } })
      const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
      const reached: string[] = []
      const guarding = UseGuards(KeywardGuard)

      @(place === 'of the controller' ? guarding : none)
      @Controller(path)
      class Admin {
        @(place === 'of the handler' ? guarding : none)
        @(place === '@ApiKey() of the handler' ? ApiKey() : none)
        @All()
        admin(@Req() req: object) {
          reached.push(keys.of(req).owner)
          return 'handled'
        }
      }
      @Controller('contacts')
      class Contacts {
        @Get() @ApiKey({ scopes: ['contacts:delete'] }) get() {
          return 1
        }
        @Delete() @ApiKey({ scopes: ['contacts:delete'] }) delete() {
          return 1
        }
      }
      const everywhere = place === 'of the application' ? [{ provide: core.APP_GUARD, useClass: KeywardGuard }] : []
      @Module({
        imports: [KeywardModule.forRoot({ keys })],
        controllers: [Admin, Contacts],
        providers: everywhere,
      })
      class Application {}
      const { port } = await serveNest(kind, Application, { prepare })
      const ask = async (target: string, lines: readonly string[] = [], method = 'GET') =>
        (await raw(port, request(lines, { target, method }))).status
      return { ask, reached, key, port, keys }
    }

    describe.each(PLACES)('with the guard %s', (place) => {
      it('N-01 N-02 N-17 lets nobody without a key to the handler by any spelling, and a key only through it', async () => {
        const { ask, reached, key } = await open(place)
        for (const target of TARGETS) {
          for (const lines of [[], ['Authorization: Basic YTpi'], ['X-API-Key: path_nonsense']]) {
            expect([400, 401, 404], target).toContain(await ask(target, lines))
          }
          expect(reached, target).toEqual([])
          // keys.of() in the handler throws where no guard was: Nest would have answered 500.
          const status = await ask(target, [`X-API-Key: ${key}`])
          expect([200, 400, 404], target).toContain(status)
          expect(reached.splice(0), target).toEqual(status === 200 ? ['acct_1'] : [])
        }
      })
    })

    it('N-03 guards under a prefix and a version as well', async () => {
      const prepare: Prepare = (app) => {
        app.setGlobalPrefix('api')
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
      }
      const { ask, key, reached } = await open('of the application', prepare)
      for (const target of ['/api/v1/admin', '/api/V1/ADMIN', '/api/v1/%61dmin', '/api//v1/admin', '/api/v1/admin/']) {
        expect([401, 404]).toContain(await ask(target))
      }
      expect(reached).toEqual([])
      expect(await ask('/api/v1/admin', [`X-API-Key: ${key}`])).toBe(200)
      expect(reached).toEqual(['acct_1'])
    })

    it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('H-50 guards %s', async (method) => {
      const { ask, key, reached } = await open('of the application')
      expect(await ask('/admin', ['Content-Type: text/plain', 'Content-Length: 0'], method)).toBe(401)
      expect(reached).toEqual([])
      expect([200, 201]).toContain(await ask('/admin', [`X-API-Key: ${key}`, 'Content-Length: 0'], method))
      expect(reached).toEqual(['acct_1'])
    })

    it('S-20 S-21 asks by the real method, and of HEAD what it asks of GET', async () => {
      const { ask, key } = await open('of the application')
      const lines = [`X-API-Key: ${key}`, 'X-HTTP-Method-Override: POST']
      const statuses = await Promise.all(['GET', 'HEAD', 'DELETE'].map((method) => ask('/contacts', lines, method)))
      expect(statuses).toEqual([403, 403, 403])
    })

    it('I-03 asks nobody about the trust of the platform in proxies: a spoofed address stays one', async () => {
      const keys = createApiKeys({ prefix: 'path_', trustedProxies: [] })
      const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
      @Controller()
      class Inside {
        @Get() @ApiKey() inside() {
          return 1
        }
      }
      @Module({ imports: [KeywardModule.forRoot({ keys })], controllers: [Inside] })
      class Application {}
      const prepare: Prepare = (app) => {
        const instance: { set?: (name: string, value: boolean) => unknown } = app.getHttpAdapter().getInstance()
        instance.set?.('trust proxy', true)
      }
      const { port } = await serveNest(kind, Application, { prepare })
      const { status } = await raw(port, request([`X-API-Key: ${key}`, 'X-Forwarded-For: 10.0.0.5']))
      expect(status).toBe(403)
    })

    it('mounts a fetch-style handler with app.use, before any guard of Nest', async () => {
      const prepare: Prepare = (app) => {
        const handler = async (request: Request) => {
          const { pathname, search } = new URL(request.url)
          return Response.json({ path: pathname + search, body: await request.text() })
        }
        app.use('/mounted', mount(handler))
      }
      const { port, ask } = await open('of the application', prepare)
      const answer = await fetch(`http://127.0.0.1:${port}/mounted/keys?limit=2`, { method: 'POST', body: '{"a":1}' })
      expect(await answer.json()).toEqual({ path: '/keys?limit=2', body: '{"a":1}' })
      expect(await ask('/admin')).toBe(401)
    })
  })
}
