import { createServer } from 'node:http'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/fetch'
import { mount } from 'keyward/node'

export const keys = createApiKeys({ prefix: 'demo_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] })

/** As a route handler of Next has them, or `routes` of Bun.serve: one guarded handler for each method and path. */
const list = guard(keys, { scopes: ['contacts:read'] }, (_request, access) => Response.json({ owner: access.owner }))
const remove = guard(keys, { scopes: ['contacts:delete'] }, (request) => {
  return Response.json({ deleted: new URL(request.url).pathname.split('/').at(-1) })
})

/** Bun, Deno and Workers serve this as it is; `mount` serves it on Node. */
async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/health') return new Response('ok')
  if (pathname === '/contacts' && request.method === 'GET') return list(request)
  if (/^\/contacts\/[^/]+$/.test(pathname) && request.method === 'DELETE') return remove(request)
  return new Response('Not found', { status: 404 })
}

export const server = createServer(mount(handle)).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
