import { createApiKeys } from 'keyward'
import { guard } from 'keyward/fetch'
import { expect, it } from 'vitest'

it('a response keeps its type and what tells its length, also where what is held is given back at its end', async () => {
  const keys = createApiKeys({ prefix: 'fr_', credits: 'owner' })
  const { key } = await keys.create({ owner: 'acct_1' })
  await keys.credit({ owner: 'acct_1' }, 9)
  const request = () => new Request('http://service.test/', { headers: { 'x-api-key': key } })
  const text = new Response('hello')
  expect(await guard(keys, {}, () => text)(request())).toBe(text)
  const held = await guard(keys, { reserve: 1 }, () => new Response('hello'))(request())
  expect(held.headers.get('content-type')).toMatch(/^text\/plain; ?charset=utf-8$/i)
  expect(await held.text()).toBe('hello')
})

it('what has no response, as an upgrade on Bun, is handed on', async () => {
  const keys = createApiKeys({ prefix: 'fr_' })
  const { key } = await keys.create({ owner: 'acct_1' })
  const upgrade = guard(keys, {}, () => undefined)
  expect(await upgrade(new Request('http://service.test/', { headers: { 'x-api-key': key } }))).toBeUndefined()
  expect((await upgrade(new Request('http://service.test/')))?.status).toBe(401)
})

it('a response that a handler gives again and again tells nobody of the limits of another', async () => {
  const keys = createApiKeys({ prefix: 'fr_', limits: { default: { minute: 50 } } })
  const { key } = await keys.create({ owner: 'acct_1' })
  const nothing = new Response(null, { status: 204 })
  const handler = guard(keys, { optional: true }, () => nothing)
  const answerTo = (headers: Record<string, string>) => handler(new Request('http://service.test/', { headers }))
  expect((await answerTo({ 'x-api-key': key })).headers.get('ratelimit')).toContain('r=49')
  const other = await answerTo({})
  expect([other.status, other.headers.get('ratelimit')]).toEqual([204, null])
  expect([...nothing.headers]).toEqual([])
})
