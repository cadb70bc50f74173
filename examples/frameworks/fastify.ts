import Fastify from 'fastify'
import { createApiKeys } from 'keyward'
import keyward, { guard } from 'keyward/fastify'

export const keys = createApiKeys({ prefix: 'demo_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] })

const app = Fastify()
app.register(keyward, { keys }) // every route needs a key, but for those that are opened
app.get('/health', { config: { apiKey: false } }, async () => 'ok')
app.get('/contacts', { onRequest: guard(keys, { scopes: ['contacts:read'] }) }, async (request) => {
  return { owner: request.apiKey.owner }
})
app.delete<{ Params: { id: string } }>(
  '/contacts/:id',
  { onRequest: guard(keys, { scopes: ['contacts:delete'] }) },
  async (request) => ({ deleted: request.params.id }),
)

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
export const { server } = app
