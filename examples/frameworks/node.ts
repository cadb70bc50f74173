import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createApiKeys } from 'keyward'
import { guard, refuse } from 'keyward/node'

export const keys = createApiKeys({ prefix: 'demo_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] })

const mayRead = guard(keys, { scopes: ['contacts:read'] })
const mayDelete = guard(keys, { scopes: ['contacts:delete'] })

async function handle(req: IncomingMessage, res: ServerResponse): Promise<unknown> {
  const { method, url = '/' } = req
  if (url === '/health') return res.end('ok')
  const isList = method === 'GET' && url === '/contacts'
  const isRemoval = method === 'DELETE' && /^\/contacts\/[^/]+$/.test(url)
  if (!isList && !isRemoval) return res.writeHead(404).end('Not found')

  const verdict = await (isList ? mayRead(req, res) : mayDelete(req, res))
  if (!verdict.ok) return refuse(res, verdict)
  res.setHeader('Content-Type', 'application/json')
  return res.end(JSON.stringify(isList ? { owner: verdict.access.owner } : { deleted: url.split('/').at(-1) }))
}

export const server = createServer((req, res) => {
  handle(req, res).catch(() => res.writeHead(500).end())
}).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
