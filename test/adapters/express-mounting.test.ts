import type { Express, Request, Response } from 'express'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EXPRESSES, type ExpressModule } from '../support/express.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

/** Keys for these scopes, and a way to ask a server that is given to it. */
async function setting(
  build: (express: ExpressModule, keys: ReturnType<typeof createApiKeys>) => Express,
  express: ExpressModule,
) {
  const keys = createApiKeys({ prefix: 'mnt_' })
  const { port } = await serve(build(express, keys))
  const make = async (input: { owner?: string; resource?: string; scopes?: string[] } = {}) => {
    const { key } = await keys.create({ owner: 'acct_1', ...input })
    return async (target: string, method = 'GET') => {
      const { status, body } = await raw(port, request([`X-API-Key: ${key}`], { target, method }))
      return status === 200 ? `200 ${body}` : String(status)
    }
  }
  const anonymous = async (target: string) => (await raw(port, request([], { target }))).status
  return { keys, make, anonymous }
}

const say = (word: string) => (_req: Request, res: Response) => void res.send(word)

for (const { name, express } of EXPRESSES) {
  describe(`N. Mounting, ${name}`, () => {
    it('guards one route and no other', async () => {
      const { make, anonymous } = await setting((express, keys) => {
        const app = express()
        app.get('/open', say('open'))
        app.get('/shut', guard(keys), say('shut'))
        app.get('/shut/not', say('not'))
        return app
      }, express)
      const ask = await make()
      expect([await ask('/open'), await ask('/shut'), await ask('/shut/not')]).toEqual([
        '200 open',
        '200 shut',
        '200 not',
      ])
      expect(await Promise.all(['/open', '/shut', '/shut/not', '/none'].map(anonymous))).toEqual([200, 401, 200, 404])
    })

    it('guards all that is registered after app.use, and nothing before it', async () => {
      const { anonymous } = await setting((express, keys) => {
        const app = express()
        app.get('/before', say('before'))
        app.use(guard(keys))
        app.get('/after', say('after'))
        return app
      }, express)
      expect(await Promise.all(['/before', '/after', '/none'].map(anonymous))).toEqual([200, 401, 401])
    })

    it('guards a router with all that is in it, and not its siblings', async () => {
      const { make, anonymous } = await setting((express, keys) => {
        const inner = express.Router()
        inner.get('/deep', say('deep'))
        const router = express.Router()
        router.use(guard(keys))
        router.get('/', say('root'))
        router.use('/inner', inner)
        const sibling = express.Router()
        sibling.get('/', say('sibling'))
        return express().use('/api', router).use('/other', sibling)
      }, express)
      const ask = await make()
      expect([await ask('/api'), await ask('/api/inner/deep')]).toEqual(['200 root', '200 deep'])
      expect(await Promise.all(['/api', '/api/inner/deep', '/other'].map(anonymous))).toEqual([401, 401, 200])
    })

    it('N-10 guards a sub-app from outside and from inside', async () => {
      const { make, anonymous } = await setting((express, keys) => {
        const inside = express().use(guard(keys))
        inside.get('/x', say('inside'))
        const outside = express()
        outside.get('/x', say('outside'))
        return express().use('/inside', inside).use('/outside', guard(keys), outside)
      }, express)
      const ask = await make()
      expect([await ask('/inside/x'), await ask('/outside/x')]).toEqual(['200 inside', '200 outside'])
      expect(await Promise.all(['/inside/x', '/outside/x'].map(anonymous))).toEqual([401, 401])
    })

    it('R-02 R-18 N-10 compares the resource with the parameter as the route decodes it', async () => {
      const { make } = await setting((express, keys) => {
        const app = express()
        app.get(
          '/agents/:id',
          guard(keys, { resource: (req) => `agent:${String((req as Request).params.id)}` }),
          say('yes'),
        )
        return app
      }, express)
      const ask = await make({ resource: 'agent:X' })
      const targets = [
        '/agents/X',
        '/agents/%58',
        '/agents/X/',
        '/agents/Y',
        '/agents/x',
        '/agents/X%2e',
        '/agents/X%20',
        '/agents/X%2f..',
        '/agents//X',
      ]
      expect(await Promise.all(targets.map((target) => ask(target)))).toEqual([
        '200 yes',
        '200 yes',
        '200 yes',
        '403',
        '403',
        '403',
        '403',
        '403',
        '404',
      ])
    })

    it('N-10 sees the parameters of a parent route with mergeParams, and none without: then nobody passes', async () => {
      const build = (mergeParams: boolean) => (express: ExpressModule, keys: ReturnType<typeof createApiKeys>) => {
        const router = express.Router({ mergeParams })
        const resource = (req: Request) => (req.params.id === undefined ? undefined : `agent:${String(req.params.id)}`)
        router.get('/contacts', guard(keys, { resource }), say('contacts'))
        return express().use('/agents/:id', router)
      }
      const merged = await (await setting(build(true), express)).make({ resource: 'agent:X' })
      expect([await merged('/agents/X/contacts'), await merged('/agents/Y/contacts')]).toEqual(['200 contacts', '403'])
      const apart = await (await setting(build(false), express)).make({ resource: 'agent:X' })
      expect(await apart('/agents/X/contacts')).toBe('403')
    })

    it('N-10 runs after router.param, whose work a demand may use', async () => {
      const { make } = await setting((express, keys) => {
        const app = express()
        app.param('id', (req, _res, next, id: string) => {
          Object.assign(req, { account: `acct_${id}` })
          next()
        })
        const owner = (req: Request) => (req as Request & { account?: string }).account
        app.get('/accounts/:id', guard(keys, { owner }), say('mine'))
        return app
      }, express)
      const ask = await make({ owner: 'acct_1' })
      expect([await ask('/accounts/1'), await ask('/accounts/2')]).toEqual(['200 mine', '403'])
    })

    it('serves several routes with one guard, and one route with guards of its own', async () => {
      const { make } = await setting((express, keys) => {
        const app = express()
        const reads = guard(keys, { scopes: ['contacts:read'] })
        app.get('/a', reads, say('a'))
        app.get('/b', reads, say('b'))
        app.delete('/b', guard(keys, { scopes: ['contacts:delete'] }), say('deleted'))
        return app
      }, express)
      const ask = await make({ scopes: ['contacts:read'] })
      expect([await ask('/a'), await ask('/b'), await ask('/b', 'DELETE')]).toEqual(['200 a', '200 b', '403'])
    })

    it('lists middleware as Express does: in an array', async () => {
      const { make, anonymous } = await setting((express, keys) => {
        const app = express()
        app.get('/', [guard(keys), guard(keys, { scopes: ['contacts:read'] })], say('both'))
        return app
      }, express)
      expect(await (await make({ scopes: ['contacts:read'] }))('/')).toBe('200 both')
      expect(await (await make())('/')).toBe('403')
      expect(await anonymous('/')).toBe(401)
    })
  })
}
