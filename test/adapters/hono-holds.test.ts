import { Hono, type MiddlewareHandler } from 'hono'
import { etag } from 'hono/etag'
import { timeout } from 'hono/timeout'
import { createApiKeys } from 'keyward'
import { guard as fetchGuard } from 'keyward/fetch'
import { guard } from 'keyward/hono'
import { expect, it, vi } from 'vitest'
import { deferred } from '../support/stores.ts'

const OUTER: readonly (readonly [string, MiddlewareHandler, number])[] = [
  ['a time-out that answered meanwhile', timeout(20), 504],
  ['an etag that the client knows', etag(), 304],
  [
    'another answer in its place',
    async (c, next) => {
      await next()
      c.res = new Response('another', { status: 418 })
    },
    418,
  ],
]

it.each(OUTER)('what a handler held is given back under %s', async (_, outer, status) => {
  const keys = createApiKeys({ prefix: 'hh_' })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  const app = new Hono().use(outer).get('/', guard(keys, { reserve: 40 }), async (c) => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    return c.text('unsettled', 200, { ETag: '"1"' })
  })
  const answer = await app.fetch(
    new Request('http://a.test/', { headers: { 'X-API-Key': key, 'If-None-Match': '"1"' } }),
  )
  expect(answer.status).toBe(status)
  await answer.text()
  await vi.waitFor(async () => expect(await keys.balance({ id: record.id })).toBe(100))
})

it.each(['hono', 'fetch'])('a client that goes in the middle of a stream frees nothing (%s)', async (name) => {
  const keys = createApiKeys({ prefix: 'hh_' })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  const balance = () => keys.balance({ id: record.id })
  const [wasLeft, settled] = [deferred(), deferred<unknown>()]
  const stream = (access: { settle(actual: number): Promise<unknown> }) =>
    new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('first'))
        await wasLeft.promise
        settled.resolve(await access.settle(40))
      },
    })
  const app = new Hono().get('/', guard(keys, { reserve: 40 }), (c) => c.body(stream(c.get('apiKey'))))
  const handler = fetchGuard(keys, { reserve: 40 }, (_, access) => new Response(stream(access)))
  const request = new Request('http://a.test/', { headers: { 'X-API-Key': key } })
  const reader = (await (name === 'hono' ? app.fetch(request) : handler(request))).body?.getReader()
  await reader?.read()
  void reader?.read()
  await reader?.cancel()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await balance()).toBe(60)
  wasLeft.resolve()
  expect(await settled.promise).toEqual({ charged: 40, short: 0 })
})

it.each(['hono', 'fetch'])(
  'a stream that breaks gives back what it held, and tells its reader why (%s)',
  async (name) => {
    const keys = createApiKeys({ prefix: 'hh_' })
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
    const stream = () =>
      new ReadableStream({
        pull(controller) {
          controller.error(new Error('the model has gone'))
        },
      })
    const app = new Hono().get('/', guard(keys, { reserve: 40 }), (c) => c.body(stream()))
    const handler = fetchGuard(keys, { reserve: 40 }, () => new Response(stream()))
    const request = new Request('http://a.test/', { headers: { 'X-API-Key': key } })
    const answer = await (name === 'hono' ? app.fetch(request) : handler(request))
    await expect(answer.text()).rejects.toThrow('the model has gone')
    expect(await keys.balance({ id: record.id })).toBe(100)
  },
)
