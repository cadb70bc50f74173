import Fastify from 'fastify'
import { createApiKeys } from 'keyward'
import { guard as forFetch } from 'keyward/fetch'
import { guard as forNode } from 'keyward/node'
import { expect, it, onTestFinished } from 'vitest'

const MISTAKES = {
  'keyward/node': forNode,
  'keyward/fetch': (keys: ReturnType<typeof createApiKeys>) => forFetch(keys, {}, () => new Response('in')),
}

it.each(Object.entries(MISTAKES))('the guard of %s opens no route of Fastify', async (_, guard) => {
  const keys = createApiKeys({ prefix: 'fg_' })
  const { key } = await keys.create({ owner: 'acct_1' })
  const app = Fastify()
  onTestFinished(() => app.close())
  app.get('/', { onRequest: guard(keys) as never }, async () => 'handler')
  for (const headers of [{}, { 'x-api-key': 'fg_bad' }, { 'x-api-key': key }]) {
    const { statusCode, body } = await app.inject({ url: '/', headers })
    expect([statusCode, body.includes('entry of your framework')]).toEqual([500, true])
  }
})
