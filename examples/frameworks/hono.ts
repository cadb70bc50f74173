import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/hono'

export const keys = createApiKeys({ prefix: 'demo_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] })

/** Hono has no socket: who is at its other end is told by the package of the runtime. */
const address = (c: Context) => getConnInfo(c).remote.address

const app = new Hono()
app.get('/health', (c) => c.text('ok'))
app.get('/contacts', guard(keys, { scopes: ['contacts:read'], address }), (c) =>
  c.json({ owner: c.get('apiKey').owner }),
)
app.delete('/contacts/:id', guard(keys, { scopes: ['contacts:delete'], address }), (c) => {
  return c.json({ deleted: c.req.param('id') })
})

export const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' })
