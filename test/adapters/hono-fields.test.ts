import { Hono } from 'hono'
import { createApiKeys, memoryStore } from 'keyward'
import { guard } from 'keyward/hono'
import { expect, test } from 'vitest'

test("a refusal on Hono keeps what the host's own middleware said of Vary, and adds to it", async () => {
  const app = new Hono()
  app.use(async (c, next) => {
    c.header('Vary', 'Origin')
    await next()
  })
  app.get('/', guard(createApiKeys({ prefix: 'acme_', store: memoryStore() })), (c) => c.text('fine'))
  const response = await app.request('/')
  expect(response.status).toBe(401)
  expect(response.headers.get('vary')?.toLowerCase().split(/, */)).toEqual(['origin', 'authorization', 'x-api-key'])
})
