import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyServerOptions } from 'fastify'
import { type ApiKeys, createApiKeys } from 'keyward'
import keyward, { guard, mount } from 'keyward/fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { TARGETS } from '../support/targets.ts'

const keys = createApiKeys({ prefix: 'fst_' })

const route = async (app: FastifyInstance, path: string, config: { apiKey?: false } = {}) => {
  app.get(path, { config }, async () => ({ reached: true }))
}
const scope =
  (path: string): FastifyPluginAsync =>
  async (app) =>
    route(app, path)

/** What each path answers to who has no key, by method. */
async function open(app: FastifyInstance, paths: readonly string[], method: 'GET' | 'HEAD' = 'GET') {
  onTestFinished(() => void app.close())
  const answers: Record<string, number> = {}
  for (const url of paths) answers[url] = (await app.inject({ method, url })).statusCode
  return answers
}

/** An application with routes everywhere, of which one scope or the root itself is guarded. */
function built(place: 'root' | 'scope', guarded: (app: FastifyInstance) => unknown) {
  const app = Fastify()
  void route(app, '/before')
  app.register(scope('/child-before'))
  app.register(async (outer) => {
    await route(outer, '/outer')
    outer.register(
      async (inner) => {
        await route(inner, '/inner')
        inner.register(scope('/deepest'))
      },
      { prefix: '/nested' },
    )
  })
  app.register(
    async (guardedScope) => {
      await route(guardedScope, '/early')
      guardedScope.register(scope('/child-early'))
      if (place === 'scope') await guarded(guardedScope)
      await route(guardedScope, '/late')
      guardedScope.register(scope('/child-late'), { prefix: '/deep' })
    },
    { prefix: '/scope' },
  )
  if (place === 'root') app.register(async () => {})
  if (place === 'root') void guarded(app)
  app.register(scope('/sibling-after'), { prefix: '/after' })
  void route(app, '/last')
  return app
}

const OUTSIDE = [
  '/before',
  '/child-before',
  '/outer',
  '/nested/inner',
  '/nested/deepest',
  '/after/sibling-after',
  '/last',
]
const WITHIN = ['/scope/early', '/scope/child-early', '/scope/late', '/scope/deep/child-late']

describe('N-04 The plugin', () => {
  it.each(['GET', 'HEAD'] as const)(
    'guards every route of the application, wherever it was declared: %s',
    async (method) => {
      const app = built('root', (root) => root.register(keyward, { keys }))
      const paths = [...OUTSIDE, ...WITHIN]
      expect(await open(app, paths, method)).toEqual(Object.fromEntries(paths.map((path) => [path, 401])))
    },
  )

  it.each(['GET', 'HEAD'] as const)(
    'in a scope guards that scope and those below, and no other: %s',
    async (method) => {
      const app = built('scope', (inner) => inner.register(keyward, { keys }))
      expect(await open(app, [...OUTSIDE, ...WITHIN], method)).toEqual({
        ...Object.fromEntries(OUTSIDE.map((path) => [path, 200])),
        ...Object.fromEntries(WITHIN.map((path) => [path, 401])),
      })
    },
  )

  it('lets a key to all of them', async () => {
    const app = built('root', (root) => root.register(keyward, { keys }))
    onTestFinished(() => void app.close())
    const { key } = await keys.create({ owner: 'acct_1' })
    for (const url of [...OUTSIDE, ...WITHIN]) {
      expect((await app.inject({ url, headers: { 'x-api-key': key } })).json()).toEqual({ reached: true })
    }
  })

  it('answers 401 before 404, at any prefix and with a handler of the host', async () => {
    const app = Fastify()
    app.register(keyward, { keys })
    app.register(async (inner) => inner.setNotFoundHandler(async () => 'nothing here'), { prefix: '/v1' })
    expect(await open(app, ['/none', '/v1/none'])).toEqual({ '/none': 401, '/v1/none': 401 })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect((await app.inject({ url: '/v1/none', headers: { 'x-api-key': key } })).body).toBe('nothing here')
  })

  it('leaves a route open, with its HEAD, that says config: { apiKey: false }, and no other', async () => {
    const app = Fastify()
    await route(app, '/early', { apiKey: false })
    app.register(keyward, { keys })
    app.register(async (inner) => {
      await route(inner, '/late', { apiKey: false })
      await route(inner, '/guarded')
    })
    const paths = ['/early', '/late', '/guarded']
    const statuses = { '/early': 200, '/late': 200, '/guarded': 401 }
    expect(await open(app, paths)).toEqual(statuses)
    expect(await open(app, paths, 'HEAD')).toEqual(statuses)
  })

  it.each([true, 0, null, 'false', ''])(
    'refuses to start with config: { apiKey: %j }, which is not false',
    async (apiKey) => {
      const app = Fastify()
      await app.register(keyward, { keys })
      const declared = await failure(() => route(app, '/', { apiKey } as { apiKey?: false }))
      expect(declared).toMatchObject({ code: 'CONFIG', issues: [{ path: 'config.apiKey' }] })
    },
  )

  it('P-01 opens nothing because of Object.prototype', async () => {
    const app = Fastify()
    app.register(keyward, { keys })
    app.register(scope('/a'))
    await app.ready()
    const polluted = Object.prototype as { apiKey?: unknown }
    try {
      polluted.apiKey = false
      expect(await open(app, ['/a'])).toEqual({ '/a': 401 })
    } finally {
      delete polluted.apiKey
    }
  })

  it('guards side by side with several instances, each its own scope', async () => {
    const [users, agents] = [createApiKeys({ prefix: 'usr_' }), createApiKeys({ prefix: 'agt_' })]
    const app = Fastify()
    const part =
      (instance: ApiKeys): FastifyPluginAsync =>
      async (inner) => {
        inner.register(keyward, { keys: instance, demand: { scopes: ['a:read'] } })
        inner.get('/', async (req) => req.apiKey.prefix)
      }
    app.register(part(users), { prefix: '/users' })
    app.register(part(agents), { prefix: '/agents' })
    onTestFinished(() => void app.close())
    const made = await Promise.all([users, agents].map((each) => each.create({ owner: 'acct_1', scopes: ['a:read'] })))
    const ask = async (url: string, i: number) =>
      (await app.inject({ url, headers: { 'x-api-key': made[i]?.key ?? '' } })).statusCode
    expect([await ask('/users', 0), await ask('/agents', 0), await ask('/users', 1), await ask('/agents', 1)]).toEqual([
      200, 401, 401, 200,
    ])
  })

  it.each([
    [{ keys: undefined }, 'keys'],
    [{ keys, demand: undefined }, 'demand'],
    [{ keys, demnad: { scopes: ['a:read'] } }, 'demnad'],
    [{ keys, demand: { scope: ['a:read'] } }, 'scope'],
  ])('refuses to start with the options %#', async (options, path) => {
    const app = Fastify()
    const error = await failure(() => app.register(keyward, options as { keys: ApiKeys }))
    expect(error.code).toBe('CONFIG')
    expect(error.message).toContain(path === 'keys' ? 'createApiKeys' : path)
  })

  it('asks once per route, however many guards and plugins: the first takes', async () => {
    const limited = createApiKeys({ prefix: 'lim_' })
    const { key } = await limited.create({ owner: 'acct_1', limits: { minute: 5 } })
    const app = Fastify()
    app.register(keyward, { keys: limited })
    app.register(async (inner) => {
      inner.addHook('onRequest', guard(limited))
      inner.get('/', { onRequest: guard(limited), preHandler: [guard(limited)] }, async (req) => req.apiKey.readings)
    })
    onTestFinished(() => void app.close())
    const answer = await app.inject({ url: '/', headers: { 'x-api-key': key } })
    expect(answer.json()).toMatchObject([{ remaining: 4 }])
  })
})

describe('N-04 A hook', () => {
  it('on a scope guards that scope alone, whose unknown paths Fastify takes for those of the root', async () => {
    const app = Fastify()
    app.register(
      async (inner) => {
        inner.addHook('onRequest', guard(keys))
        await route(inner, '/a')
        inner.register(scope('/b'))
      },
      { prefix: '/scope' },
    )
    app.register(scope('/sibling'))
    expect(await open(app, ['/scope/a', '/scope/b', '/sibling', '/scope/none'])).toEqual({
      '/scope/a': 401,
      '/scope/b': 401,
      '/sibling': 200,
      '/scope/none': 404,
    })
  })

  it('N-05 as onRequest answers before the body is read; as preHandler its demand may read it', async () => {
    const app = Fastify({ forceCloseConnections: true })
    let parsed = 0
    app.addHook('preParsing', async () => {
      parsed++
    })
    app.post('/', { onRequest: guard(keys) }, async () => 'reached')
    const demand = { owner: (req: { body: unknown }) => (req.body as { account: string }).account }
    app.post('/body', { preHandler: guard(keys, demand as object) }, async () => 'reached')
    const port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
    onTestFinished(() => void app.close())
    const lines = ['Content-Type: application/json', 'Content-Length: 1000000000', 'X-API-Key: fst_nonsense']
    expect((await raw(port, request(lines, { method: 'POST' }))).status).toBe(401)
    expect(parsed).toBe(0)
    const { key } = await keys.create({ owner: 'acct_1' })
    const ask = async (account: string) =>
      (await app.inject({ method: 'POST', url: '/body', headers: { 'x-api-key': key }, payload: { account } }))
        .statusCode
    expect([await ask('acct_1'), await ask('acct_2')]).toEqual([200, 403])
  })

  it('leaves a request alone that an earlier hook has answered or hijacked', async () => {
    const app = Fastify()
    let reached = 0
    app.addHook('onRequest', async (req, reply) => {
      if (req.url === '/sent') return reply.code(418).send('earlier')
    })
    app.get('/sent', { onRequest: guard(keys) }, async () => ++reached)
    expect(await open(app, ['/sent'])).toEqual({ '/sent': 418 })
    expect(reached).toBe(0)
  })

  it('keeps what others put into Vary, and lets onSend hooks see a refusal', async () => {
    const app = Fastify()
    app.addHook('onRequest', async (_req, reply) => void reply.header('Vary', 'Origin'))
    app.addHook('onSend', async (_req, reply) => void reply.header('X-Seen', '1'))
    app.get('/', { onRequest: guard(keys) }, async () => 'reached')
    onTestFinished(() => void app.close())
    const { headers } = await app.inject('/')
    expect([headers.vary, headers['x-seen']]).toEqual(['Origin, authorization, x-api-key', '1'])
  })
})

// Fastify's own types do not know all options of its router.
const ROUTERS = [
  { name: 'as it is' },
  {
    name: 'lenient',
    routerOptions: {
      ignoreDuplicateSlashes: true,
      ignoreTrailingSlash: true,
      caseSensitive: false,
      useSemicolonDelimiter: true,
    },
  },
  { name: 'rewriting', rewriteUrl: (req) => (req.url ?? '').replace('/x/../', '/') },
] as readonly (FastifyServerOptions & { readonly name: string })[]

describe.each(ROUTERS)('N-02 N-03 Paths, with a router $name', ({ name: _, ...options }) => {
  const mounts: Readonly<Record<string, (app: FastifyInstance, reached: (owner: string) => string) => unknown>> = {
    'on the route': (app, reached) =>
      app.all('/admin', { onRequest: guard(keys) }, async (req) => reached(keys.of(req).owner)),
    'on the scope': (app, reached) =>
      app.register(
        async (inner) => {
          inner.addHook('onRequest', guard(keys))
          inner.all('/', async (req) => reached(keys.of(req).owner))
        },
        { prefix: '/admin' },
      ),
    'by the plugin': (app, reached) => {
      app.register(keyward, { keys })
      app.all('/admin', async (req) => reached(keys.of(req).owner))
    },
  }

  it.each(Object.keys(mounts))(
    'lets nobody without a key to the handler by any spelling, guarded %s',
    async (mount) => {
      const app = Fastify({ ...options, forceCloseConnections: true })
      let reached = 0
      mounts[mount]?.(app, (owner) => {
        reached++
        return owner
      })
      const port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
      onTestFinished(() => void app.close())
      const { key } = await keys.create({ owner: 'acct_1' })
      for (const target of TARGETS) {
        for (const lines of [[], ['X-API-Key: fst_nonsense']]) {
          expect([400, 401, 404], target).toContain((await raw(port, request(lines, { target }))).status)
        }
        expect(reached, target).toBe(0)
        // keys.of() in the handler throws where no guard was: the handler would have answered 500.
        expect([200, 400, 404], target).toContain((await raw(port, request([`X-API-Key: ${key}`], { target }))).status)
        reached = 0
      }
    },
  )
})

describe('@fastify/swagger', () => {
  interface Written {
    readonly paths: Record<string, Record<string, { security?: unknown }>>
    readonly components: { readonly securitySchemes: Record<string, unknown> }
  }

  async function written(openapi: object, order: 'before' | 'after', demand?: { readonly optional?: boolean }) {
    const app = Fastify()
    onTestFinished(() => void app.close())
    if (order === 'before') await app.register(keyward, demand ? { keys, demand } : { keys })
    await app.register(swagger, { openapi })
    if (order === 'after') await app.register(keyward, demand ? { keys, demand } : { keys })
    app.get('/guarded/:id', { schema: { summary: 'One' } }, async () => 1)
    app.get('/plain', async () => 1)
    app.get('/open', { config: { apiKey: false } }, async () => 1)
    app.get('/own', { schema: { security: [{ mine: [] }] } }, async () => 1)
    await app.ready()
    return { document: app.swagger() as unknown as Written, yaml: app.swagger({ yaml: true }) }
  }
  const NEEDS = [{ bearer: [] }, { xApiKey: [] }]
  const mine = { securitySchemes: { mine: { type: 'http', scheme: 'basic' } } }

  it.each(['before', 'after'] as const)(
    'is told what guarded routes need, when it was registered %s',
    async (order) => {
      const { document, yaml } = await written({ components: mine }, order)
      const needs = (path: string) => document.paths[path]?.get?.security
      expect([needs('/guarded/{id}'), needs('/plain'), needs('/open'), needs('/own')]).toEqual([
        NEEDS,
        NEEDS,
        undefined,
        [{ mine: [] }],
      ])
      expect(document.components.securitySchemes).toEqual({
        ...mine.securitySchemes,
        bearer: { type: 'http', scheme: 'bearer' },
        xApiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      })
      expect(JSON.stringify(document) + yaml).not.toContain('x-keyward')
      expect(yaml).toContain('bearer')
    },
  )

  it('says that an optional demand needs nothing', async () => {
    const { document } = await written({ components: mine }, 'before', { optional: true })
    expect(document.paths['/plain']?.get?.security).toEqual([...NEEDS, {}])
  })

  it('does not see what a mounted handler serves', async () => {
    const app = Fastify()
    onTestFinished(() => void app.close())
    await app.register(swagger, { openapi: {} })
    app.register(
      mount(() => new Response('mounted')),
      { prefix: '/settings/keys' },
    )
    app.get('/plain', async () => 1)
    expect((await app.inject('/settings/keys/42')).body).toBe('mounted')
    expect(Object.keys(app.swagger().paths ?? {})).toEqual(['/plain'])
  })
})

it('the adapter brings no plugin package along', () => {
  expect(readFileSync('adapters/fastify.ts', 'utf8')).not.toContain("'fastify-plugin'")
})
