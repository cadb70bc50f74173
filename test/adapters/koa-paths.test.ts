import { connect } from 'node:net'
import Router from '@koa/router'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/koa'
import Koa, { type Context } from 'koa'
import { describe, expect, it } from 'vitest'
import { listener } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { deferred, distantStore } from '../support/stores.ts'
import { TARGETS } from '../support/targets.ts'

const keys = createApiKeys({ prefix: 'koa_' })
type Handler = (ctx: Pick<Context, 'body'>) => void

/**
 * Every way in which a host may put the guard before `/admin`. What `router.use` adds is matched by case where there is
 * a prefix, while the routes are not: hence `sensitive`.
 */
const MOUNTS: Readonly<Record<string, (handler: Handler) => Pick<Koa, 'callback' | 'silent'>>> = {
  'on the route': (handler) => new Koa().use(new Router().all('/admin', guard(keys), handler).routes()),
  'on the router': (handler) => new Koa().use(new Router().use(guard(keys)).all('/admin', handler).routes()),
  'on the router, with a prefix': (handler) =>
    new Koa().use(new Router({ prefix: '/admin', sensitive: true }).use(guard(keys)).all('/', handler).routes()),
  'on a nested router': (handler) => {
    const inner = new Router({ sensitive: true }).use(guard(keys)).all('/', handler)
    return new Koa().use(new Router({ sensitive: true }).use('/admin', inner.routes()).routes())
  },
  'on the application': (handler) => new Koa().use(guard(keys)).use(new Router().all('/admin', handler).routes()),
}

async function open(mount: string) {
  const reached: string[] = []
  const app = MOUNTS[mount]?.((ctx) => {
    reached.push(keys.of(ctx).owner)
    ctx.body = 'handled'
  })
  if (app === undefined) throw new Error(mount)
  app.silent = true
  const { key } = await keys.create({ owner: 'acct_1' })
  const { port } = await serve(app.callback())
  const ask = async (target: string, ...lines: string[]) => (await raw(port, request(lines, { target }))).status
  return { ask, reached, key }
}

describe.each(Object.keys(MOUNTS))('N-07 N-17 Paths, Koa with the guard %s', (mount) => {
  it.each(TARGETS)(
    'lets nobody without a key to the handler by %j, and a key only through the guard',
    async (target) => {
      const { ask, reached, key } = await open(mount)
      for (const lines of [[], ['Authorization: Basic YTpi'], ['X-API-Key: koa_nonsense']]) {
        expect([400, 401, 404]).toContain(await ask(target, ...lines))
      }
      expect(reached).toEqual([])
      // keys.of() in the handler throws where no guard was: Koa would have answered 500.
      const status = await ask(target, `X-API-Key: ${key}`)
      expect([200, 400, 404]).toContain(status)
      expect(reached).toEqual(status === 200 ? ['acct_1'] : [])
    },
  )
})

it('N-07 is not called at all by @koa/router for /ADMIN behind `prefix`, as README.md warns', async () => {
  // When this fails, @koa/router has mended it, and the warning can go.
  const router = new Router({ prefix: '/admin' }).use(guard(keys)).all('/', (ctx) => {
    ctx.body = 'reached'
  })
  const { port } = await serve(new Koa().use(router.routes()).callback())
  expect((await raw(port, request([], { target: '/admin' }))).status).toBe(401)
  expect((await raw(port, request([], { target: '/ADMIN' }))).body).toBe('reached')
})

describe('N-08 Middleware of Koa around a guard', () => {
  it('sees a refusal, may add fields to it, and none of those below is called', async () => {
    const app = new Koa()
    const called: string[] = []
    app.use(async (ctx, next) => {
      ctx.vary('Origin')
      await next()
      called.push(`${ctx.status} ${ctx.type}`)
      ctx.set('X-Seen', '1')
    })
    app.use(guard(keys))
    app.use(() => void called.push('below'))
    const { port } = await serve(app.callback())
    const { headers } = await raw(port, request())
    expect(called).toEqual(['401 application/problem+json'])
    expect([headers['x-seen'], headers.vary]).toEqual(['1', 'Origin, authorization, x-api-key'])
  })

  it('that throws below takes the error path of Koa, as without a guard', async () => {
    const app = new Koa()
    const errors: unknown[] = []
    app.on('error', (error) => errors.push(error))
    app.use(guard(keys)).use(() => {
      throw new Error("the handler's own")
    })
    const { key } = await keys.create({ owner: 'acct_1' })
    const { port } = await serve(app.callback())
    expect((await raw(port, request([`X-API-Key: ${key}`]))).status).toBe(500)
    expect(errors).toMatchObject([{ message: "the handler's own" }])
  })

  it('asks nobody about app.proxy: I-07 a spoofed address stays one', async () => {
    const own = createApiKeys({ prefix: 'koa_', trustedProxies: [] })
    const { key } = await own.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
    const app = new Koa({ proxy: true, maxIpsCount: 1 })
    const seen: string[] = []
    app.use(async (ctx, next) => {
      seen.push(ctx.ip)
      await next()
    })
    app.use(guard(own)).use((ctx) => {
      ctx.body = 'reached'
    })
    const { port } = await serve(app.callback())
    expect((await raw(port, request([`X-API-Key: ${key}`, 'X-Forwarded-For: 10.0.0.5']))).status).toBe(403)
    expect(seen).toEqual(['10.0.0.5'])
  })

  it.each([
    ['nobody has told Koa otherwise', true],
    ['somebody before it has told Koa to write nothing', false],
  ])('N-08 gets its refusal written where %s, and lets a handler write past Koa', async (_, respond) => {
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 10 } })
    const app = new Koa()
    app.use((ctx, next) => {
      ctx.respond = respond
      return next()
    })
    let reached = 0
    app.use(guard(keys, { reserve: 4 })).use(async (ctx) => {
      reached++
      ctx.respond = false
      ctx.res.statusCode = 200
      ctx.res.end(String(await keys.balance({ id: record.id })))
    })
    const { port } = await serve(app.callback())
    expect(await raw(port, request())).toMatchObject({
      status: 401,
      headers: { 'content-type': 'application/problem+json', vary: 'authorization, x-api-key' },
      body: expect.stringContaining('missing_credentials'),
    })
    expect(reached).toBe(0)
    expect(await raw(port, request([`X-API-Key: ${key}`]))).toMatchObject({ status: 200, body: '6' })
    await expect.poll(() => keys.balance({ id: record.id })).toBe(10)
  })

  it('N-08 that waits for nobody below has answered first: nobody is let through then, and nothing stays held', async () => {
    const own = createApiKeys({ prefix: 'koa_', store: distantStore() })
    const { key, record } = await own.create({ owner: 'acct_1', credits: { remaining: 10 } })
    const below: Promise<unknown>[] = []
    let reached = 0
    const app = new Koa()
    app.use((_, next) => void below.push(next()))
    app.use(guard(own, { reserve: 4 })).use(() => void reached++)
    const { port } = await serve(app.callback())
    for (const lines of [[], ['X-API-Key: koa_nonsense'], [`X-API-Key: ${key}`]]) {
      expect([401, 404]).toContain((await raw(port, request(lines))).status)
    }
    await Promise.all(below)
    expect(below).toHaveLength(3)
    expect(reached).toBe(0)
    await expect.poll(() => own.balance({ id: record.id })).toBe(10)
  })

  it('N-10 with a guard twice takes once', async () => {
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    const app = new Koa()
    app
      .use(guard(keys))
      .use(guard(keys))
      .use((ctx) => {
        ctx.body = ctx.state.apiKey.readings
      })
    const { port } = await serve(app.callback())
    const { body } = await raw(port, request([`X-API-Key: ${key}`]))
    expect(JSON.parse(body)).toMatchObject([{ remaining: 4 }])
  })
})

it('I-20 A client that has gone is let through by no allowlist, and nothing is thrown', async () => {
  const heard = listener()
  const own = createApiKeys({ prefix: 'koa_', onEvent: heard.onEvent })
  const { key } = await own.create({ owner: 'acct_1', allowedIps: ['127.0.0.0/8'] })
  const [asked, over] = [deferred(), deferred()]
  let reached = 0
  const app = new Koa()
  app.use(async (ctx, next) => {
    asked.resolve()
    // Not `once` of node:events, which an error before it rejects: Deno tells of one, and Node may.
    await new Promise((resolve) => ctx.req.socket.once('close', resolve))
    await next()
    over.resolve()
  })
  app.use(guard(own)).use(() => void reached++)
  const socket = connect((await serve(app.callback())).port, '127.0.0.1')
  socket.write(request([`X-API-Key: ${key}`]))
  await asked.promise
  socket.destroy()
  await over.promise
  expect(heard.of('denied').map(({ code }) => code)).toEqual(['ip_not_allowed'])
  expect([heard.of('fault'), reached]).toEqual([[], 0])
})
