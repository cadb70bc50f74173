import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { stream } from 'hono/streaming'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/hono'
import { describe, expect, it } from 'vitest'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { TARGETS } from '../support/targets.ts'

const keys = createApiKeys({ prefix: 'hon_' })
type Handler = (c: Context) => Response

/** Every way in which a host may put the guard before `/admin`. */
const MOUNTS: Readonly<Record<string, (handler: Handler) => Hono>> = {
  'on the route': (handler) => new Hono().all('/admin', guard(keys), handler),
  'on all paths': (handler) => new Hono().use(guard(keys)).all('/admin', handler),
  'on its path': (handler) => new Hono().use('/admin/*', guard(keys)).all('/admin', handler),
  'in an application below': (handler) => new Hono().route('/admin', new Hono().use(guard(keys)).all('/', handler)),
  'without strictness': (handler) => new Hono({ strict: false }).all('/admin', guard(keys), handler),
}

async function open(mount: string) {
  const reached: string[] = []
  const app = MOUNTS[mount]?.((c) => {
    reached.push(keys.of(c).owner)
    return c.text('handled')
  })
  if (app === undefined) throw new Error(mount)
  app.onError((_error, c) => c.text('error', 500))
  const { key } = await keys.create({ owner: 'acct_1' })
  const { port } = await serve(getRequestListener(app.fetch))
  const ask = async (target: string, ...lines: string[]) => (await raw(port, request(lines, { target }))).status
  return { ask, reached, key }
}

describe.each(Object.keys(MOUNTS))('N-17 Paths, Hono with the guard %s', (mount) => {
  it.each(TARGETS)(
    'lets nobody without a key to the handler by %j, and a key only through the guard',
    async (target) => {
      const { ask, reached, key } = await open(mount)
      for (const lines of [[], ['X-API-Key: hon_nonsense']])
        expect([400, 401, 404]).toContain(await ask(target, ...lines))
      expect(reached).toEqual([])
      // keys.of() in the handler throws where no guard was: the handler would have answered 500.
      const status = await ask(target, `X-API-Key: ${key}`)
      expect([200, 400, 404]).toContain(status)
      expect(reached).toEqual(status === 200 ? ['acct_1'] : [])
    },
  )
})

describe('Hono around a guard', () => {
  const ask = async (app: Hono, credits = {}) => {
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 }, ...credits })
    return app.request('/', { headers: { 'x-api-key': key, origin: 'http://a.example' } })
  }

  it('keeps what others put into Vary, on refusals and admissions', async () => {
    const app = new Hono().use(cors({ origin: 'http://a.example' }), guard(keys))
    app.get('/', (c) => c.text('reached'))
    const vary = ({ headers }: Response) => headers.get('vary')?.split(', ').sort()
    expect(vary(await app.request('/'))).toEqual(['Origin', 'authorization', 'x-api-key'])
    expect(vary(await ask(app))).toEqual(['Origin', 'authorization', 'x-api-key'])
  })

  it.each([
    ['a response as it is', () => new Response('reached', { headers: { Vary: 'Accept' } })],
    ['a redirect, whose fields are immutable', () => Response.redirect('http://a.example/', 302)],
    ['a text', (c: Context) => c.text('reached')],
  ])('tells of limits on %s', async (_what, handler) => {
    const { headers, status } = await ask(new Hono().get('/', guard(keys), handler))
    expect([200, 302]).toContain(status)
    expect(headers.get('ratelimit')).toMatch(/^"minute";r=4/)
    expect(headers.get('vary')).toContain('authorization, x-api-key')
  })

  it('N-10 with a guard twice takes once', async () => {
    const app = new Hono().use(guard(keys), guard(keys)).get('/', (c) => c.json(c.get('apiKey').readings))
    expect(await (await ask(app)).json()).toMatchObject([{ remaining: 4 }])
  })

  it('holds until a streamed body has come to its end', async () => {
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 10 } })
    const app = new Hono().get('/', guard(keys, { reserve: 4 }), (c) =>
      stream(c, async (body) => {
        await body.write('a')
        await body.write(String(await keys.balance({ id: record.id })))
      }),
    )
    const answer = await app.request('/', { headers: { 'x-api-key': key } })
    expect(await keys.balance({ id: record.id })).toBe(6)
    expect(await answer.text()).toBe('a6')
    await expect.poll(() => keys.balance({ id: record.id })).toBe(10)
  })

  it('I-01 I-02 knows no address where nobody tells one, and only what trustedProxies allow where somebody does', async () => {
    const status = async (address: undefined | ((c: Context) => string | undefined), headers = {}, options = {}) => {
      const own = createApiKeys({ prefix: 'hon_', ...options })
      const { key } = await own.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
      const app = new Hono().get('/', guard(own, address === undefined ? {} : { address }), (c) => c.text('reached'))
      return (await app.request('/', { headers: { 'x-api-key': key, ...headers } })).status
    }
    const forwarded = { 'x-forwarded-for': '10.0.0.5' }
    expect(await status(undefined)).toBe(403)
    expect(await status(undefined, forwarded)).toBe(403)
    expect(await status(() => '10.0.0.5')).toBe(200)
    expect(await status(() => undefined)).toBe(403)
    expect(await status(() => 10 as unknown as string)).toBe(403)
    expect(await status(() => '10.0.0.5:80')).toBe(403)
    expect(await status(() => '192.0.2.1', forwarded)).toBe(403)
    expect(await status(() => '192.0.2.1', forwarded, { trustedProxies: ['192.0.2.1'] })).toBe(200)
    expect(
      await status((c) => c.req.header('cf-connecting-ip'), { 'cf-connecting-ip': '10.0.0.5' }, { trustedProxies: [] }),
    ).toBe(200)
  })

  it('takes the address that getConnInfo tells', async () => {
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['127.0.0.3'] })
    const app = new Hono().get('/', guard(keys, { address: (c) => getConnInfo(c).remote.address }), (c) => c.text('ok'))
    const { port } = await serve(getRequestListener(app.fetch))
    const from = async (address: string) =>
      (await raw(port, request([`X-API-Key: ${key}`]), '127.0.0.1', address)).status
    expect([await from('127.0.0.3'), await from('127.0.0.4')]).toEqual([200, 403])
  })

  it.each(['10.0.0.1', undefined, null, 7])(
    'refuses the address %j of a demand, which is no function',
    async (address) => {
      expect(await failure(() => guard(keys, { address } as object))).toMatchObject({
        code: 'CONFIG',
        issues: [{ path: 'address' }],
      })
    },
  )
})
