import { Hono } from 'hono'
import { type ApiKeys, createApiKeys } from 'keyward'
import { guard as fetchGuard } from 'keyward/fetch'
import { guard as honoGuard } from 'keyward/hono'
import { describe, expect, it } from 'vitest'

type Told = () => string | undefined
type Send = (request: Request) => Promise<Response>

/** The same route where there is no socket: what the runtime tells of the peer is all that is known of it. */
const FRAMEWORKS: readonly (readonly [string, (keys: ApiKeys, address: Told) => Send])[] = [
  [
    'Hono',
    (keys, address) => {
      const app = new Hono().get('/', honoGuard(keys, { address }), (c) => c.text('reached'))
      app.onError((error, c) => c.text(error.message, 500))
      return async (request) => app.fetch(request)
    },
  ],
  [
    'fetch',
    (keys, address) => {
      const guarded = fetchGuard(keys, { address }, () => new Response('reached'))
      return (request) => guarded(request).catch((error: Error) => new Response(error.message, { status: 500 }))
    },
  ],
]

const TRUSTED = { trustedProxies: ['10.0.0.0/8'] }

/** Asks with a key for 203.0.113.7 alone. */
async function answer(
  open: (typeof FRAMEWORKS)[number][1],
  told: unknown,
  { trustedProxies = [] as readonly string[], headers = {} } = {},
): Promise<string> {
  const keys = createApiKeys({ prefix: 'adr_', trustedProxies })
  const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['203.0.113.7'] })
  const send = open(keys, (typeof told === 'function' ? told : () => told) as Told)
  const response = await send(new Request('http://localhost/', { headers: { 'x-api-key': key, ...headers } }))
  const body = await response.text()
  return response.status === 403 ? (JSON.parse(body).code as string) : body
}

describe.each(FRAMEWORKS)('I. An address that the runtime tells, %s', (_name, open) => {
  const forwarded = (text: string) => ({ headers: { 'x-forwarded-for': text } })

  it.each(['203.0.113.7', '::ffff:203.0.113.7'])('I-15 is the client: %s', async (told) => {
    expect(await answer(open, told)).toBe('reached')
  })

  it('I-01 is not what a header says that a peer sent who is no proxy of ours', async () => {
    expect(await answer(open, '198.51.100.7', { ...TRUSTED, ...forwarded('203.0.113.7') })).toBe('ip_not_allowed')
    expect(await answer(open, '198.51.100.7', forwarded('203.0.113.7'))).toBe('ip_not_allowed')
  })

  it.each([
    ['203.0.113.7', 'reached'],
    ['198.51.100.7, 203.0.113.7', 'reached'],
    ['203.0.113.7, 10.1.1.1', 'reached'],
    ['203.0.113.7, 198.51.100.7', 'ip_not_allowed'],
    ['203.0.113.7, unknown', 'ip_not_allowed'],
    ['203.0.113.7:80', 'ip_not_allowed'],
    ['', 'ip_not_allowed'],
  ])('I-10 I-11 I-12 is walked on from where it is a trusted proxy: %j', async (text, word) => {
    expect(await answer(open, '10.0.0.5', { ...TRUSTED, ...forwarded(text) })).toBe(word)
  })

  it('is unknown where a trusted proxy names nobody', async () => {
    expect(await answer(open, '10.0.0.5', TRUSTED)).toBe('ip_not_allowed')
  })

  it.each([
    undefined,
    null,
    '',
    0,
    3405803783,
    ['203.0.113.7'],
    { address: '203.0.113.7' },
    '203.0.113.7:443',
    '203.0.113.7 ',
    '203.0.113.7, 10.0.0.1',
  ])('I-21 is unknown where it is no text of an address: %j', async (told) => {
    expect(await answer(open, told)).toBe('ip_not_allowed')
    expect(await answer(open, told, { ...TRUSTED, ...forwarded('203.0.113.7') })).toBe('ip_not_allowed')
  })

  it('admits nobody where the host cannot tell it, and the error reaches the host', async () => {
    const fails = () => {
      throw new Error('no connection info')
    }
    expect(await answer(open, fails)).toBe('no connection info')
    const late = () => Promise.reject(new Error('heard out, and not unhandled'))
    expect(await answer(open, late)).toMatch(/address gave a promise/)
  })
})
