import express from 'express'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'

export const keys = createApiKeys({ prefix: 'demo_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] })

const app = express()
app.get('/health', (_req, res) => void res.send('ok'))
app.get(
  '/contacts',
  guard(keys, { scopes: ['contacts:read'] }),
  (req, res) => void res.json({ owner: req.apiKey.owner }),
)
app.delete('/contacts/:id', guard(keys, { scopes: ['contacts:delete'] }), (req, res) => {
  res.json({ deleted: req.params.id })
})

export const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
