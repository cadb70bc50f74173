import { createApiKeys } from 'keyward'
import { guard } from 'keyward/fetch'
import { expect, it } from 'vitest'

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
