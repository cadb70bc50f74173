import Router from '@koa/router'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/koa'
import Koa from 'koa'

export const keys = createApiKeys({ prefix: 'demo_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] })

const router = new Router()
router.get('/health', (ctx) => {
  ctx.body = 'ok'
})
router.get('/contacts', guard(keys, { scopes: ['contacts:read'] }), (ctx) => {
  ctx.body = { owner: ctx.state.apiKey.owner }
})
router.delete('/contacts/:id', guard(keys, { scopes: ['contacts:delete'] }), (ctx) => {
  ctx.body = { deleted: ctx.params.id }
})

const app = new Koa().use(router.routes())
export const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
