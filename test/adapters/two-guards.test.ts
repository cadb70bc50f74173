import { Hono } from 'hono'
import { createApiKeys, header } from 'keyward'
import { guard as onFetch } from 'keyward/fetch'
import { guard as onHono } from 'keyward/hono'
import { describe, expect, it } from 'vitest'

const keys = createApiKeys({ prefix: 'tg_', trustedProxies: [], limits: { default: { minute: 100 } } })
const exports = { limits: [{ name: 'exports', limit: 1, window: '1d' as const }], cost: 1 }

const answer = () => new Response('done')
const hono = new Hono()
  .use(onHono(keys))
  .get('/', onHono(keys, exports), answer)
  .get('/upstream', () => new Response('', { headers: { RateLimit: '"theirs";r=1;t=1' } }))

const ASKED: readonly (readonly [string, (request: Request) => Response | Promise<Response>])[] = [
  ['Hono', (request) => hono.fetch(request)],
  ['fetch', onFetch(keys, {}, onFetch(keys, exports, answer))],
]

describe.each(ASKED)('two guards on one request, %s', (_, ask) => {
  it('tell what the later one took, on an admission and on a refusal', async () => {
    const { key } = await keys.create({ owner: 'acct_1' })
    const asked = async () => ask(new Request('http://a.test/', { headers: { 'x-api-key': key } }))
    const [first, second] = [await asked(), await asked()]
    expect([first.status, second.status]).toEqual([200, 429])
    expect(first.headers.get('RateLimit')).toMatch(/"minute";r=99;t=\d+, "exports";r=0;t=\d+/)
    expect(second.headers.get('RateLimit')).toMatch(/"exports";r=0;t=\d+/)
    expect(second.headers.get('RateLimit-Policy')).toContain('"exports";q=1;w=86400')
    expect(second.headers.get('Content-Type')).toBe('application/problem+json')
    for (const { headers } of [first, second]) expect(headers.get('Vary')).toBe('authorization, x-api-key')
  })
})

it('what a handler says of limits that are not ours gives way to what the guard says', async () => {
  const { key } = await keys.create({ owner: 'acct_1' })
  const { headers } = await hono.request('/upstream', { headers: { 'x-api-key': key } })
  expect(headers.get('RateLimit')).toMatch(/^"minute";r=99/)
})

const partners = createApiKeys({ prefix: 'pa_', sources: [header('x-partner-key')] })

it.each<[string, (request: Request) => Response | Promise<Response>]>([
  ['Hono', (request) => new Hono().use(onHono(keys)).get('/', onHono(partners), answer).fetch(request)],
  ['fetch', onFetch(keys, {}, onFetch(partners, {}, answer))],
])('on %s, what the outer guard says of its limits arrives where the inner one has none', async (_, ask) => {
  const [{ key }, partner] = [await keys.create({ owner: 'acct_1' }), await partners.create({ owner: 'p_1' })]
  const headers = { 'x-api-key': key, 'x-partner-key': partner.key }
  const told = await ask(new Request('http://a.test/', { headers }))
  expect([told.status, told.headers.get('RateLimit')]).toEqual([200, expect.stringMatching(/^"minute";r=99/)])
  expect(told.headers.get('Vary')).toBe('x-partner-key, authorization, x-api-key')
})
