import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApiKeys, memoryStore } from 'keyward'
import { guard as fetchGuard } from 'keyward/fetch'
import { guard as nodeGuard, refuse } from 'keyward/node'
import { type GuardedRoute, type GuardHarness, guardChecks, storeChecks } from 'keyward/testing'
import { raw, request } from '../test/support/raw.ts'
import { outcomeOf } from './outcome.ts'

// Run by Node, Bun or Deno: puts the promises of guards and stores to the runtime's own server, over sockets, and prints
// what became of them as JSON.

type Setup = Parameters<GuardHarness['serve']>[0]
interface Served {
  readonly port: number
  close(): unknown
}

interface BunServer extends Served {
  stop(closeAll: boolean): unknown
  upgrade(request: Request): boolean
  requestIP(request: Request): { readonly address: string } | null
}
interface DenoServer {
  readonly addr: { readonly port: number }
  shutdown(): Promise<void>
}
interface DenoInfo {
  readonly remoteAddr: { readonly hostname: string }
}
type Handler<Second> = (request: Request, second: Second) => Promise<Response>

const { Bun, Deno } = globalThis as {
  Bun?: {
    serve(options: { port: number; hostname: string; fetch: Handler<BunServer>; websocket?: object }): BunServer
  }
  Deno?: {
    serve(options: { port: number; hostname: string; onListen(): void }, handler: Handler<DenoInfo>): DenoServer
  }
}
const HERE = { port: 0, hostname: '127.0.0.1' }

function onBun(bun: NonNullable<typeof Bun>, { keys, demand, handle }: Setup): Served {
  const address = (req: Request, server: BunServer) => server.requestIP(req)?.address
  const fetch = fetchGuard(keys, { ...demand, address }, async (_request, access) => json(await handle(access)))
  const server = bun.serve({ ...HERE, fetch })
  return { port: server.port, close: () => server.stop(true) }
}

function onDeno(deno: NonNullable<typeof Deno>, { keys, demand, handle }: Setup): Served {
  const address = (_request: Request, info: DenoInfo) => info.remoteAddr.hostname
  const fetch = fetchGuard(keys, { ...demand, address }, async (_request, access) => json(await handle(access)))
  const server = deno.serve({ ...HERE, onListen() {} }, fetch)
  return { port: server.addr.port, close: () => server.shutdown() }
}

async function onNode({ keys, demand, handle }: Setup): Promise<Served> {
  const check = nodeGuard(keys, demand)
  const server = createServer(async (req, res) => {
    try {
      const verdict = await check(req, res)
      if (!verdict.ok) return refuse(res, verdict)
      res.setHeader('Content-Type', 'application/json')
      res.end(await handle(verdict.access))
    } catch {
      res.writeHead(500).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(HERE.port, HERE.hostname, resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

function json(text: string): Response {
  return new Response(text, { headers: { 'Content-Type': 'application/json' } })
}

async function serve(setup: Setup): Promise<GuardedRoute> {
  const server = Bun ? onBun(Bun, setup) : Deno ? onDeno(Deno, setup) : await onNode(setup)
  return {
    send: ({ method, headers }) =>
      raw(
        server.port,
        request(
          headers.map((line) => line.join(': ')),
          { method },
        ),
      ),
    close: () => server.close(),
  }
}

type Headed = Request | { readonly headers: Readonly<Record<string, unknown>> }

/** What the functions of a demand are given is a fetch request, or Node's own. */
function header({ headers }: Headed, name: string): string | undefined {
  const value = headers instanceof Headers ? headers.get(name) : (headers as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : undefined
}

/** What the handler's answer is to have kept behind a guard: a text knows its type and its length. */
async function answerOfText(): Promise<string> {
  const keys = createApiKeys({ prefix: 'own_', store: memoryStore() })
  const fetch = fetchGuard(keys, {}, () => new Response('hello'))
  const server = Bun ? Bun.serve({ ...HERE, fetch }) : Deno?.serve({ ...HERE, onListen() {} }, fetch)
  if (server === undefined) return 'text/plain;charset=utf-8, 5'
  const { key } = await keys.create({ owner: 'acct_1' })
  const { port } = 'addr' in server ? server.addr : server
  const { headers } = await globalThis.fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-api-key': key } })
  return `${headers.get('content-type')}, ${headers.get('content-length')}`
}

/** Bun's own way to a WebSocket: what it was made of has no answer. */
async function answerOfSocket(): Promise<string> {
  if (!Bun) return 'hello'
  const keys = createApiKeys({ prefix: 'own_', store: memoryStore() })
  const upgrade = (request: Request, _access: unknown, server: BunServer) =>
    server.upgrade(request) ? undefined : new Response('no upgrade', { status: 426 })
  const websocket = { message() {}, open: (socket: { send(text: string): void }) => socket.send('hello') }
  const server = Bun.serve({ ...HERE, fetch: fetchGuard(keys, {}, upgrade) as Handler<BunServer>, websocket })
  const { key } = await keys.create({ owner: 'acct_1' })
  const options = { headers: { 'x-api-key': key } } as unknown as string[]
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, options)
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve(String(data))
    socket.onclose = ({ code }) => resolve(`closed with ${code}`)
  })
}

const text = await answerOfText()
const socket = await answerOfSocket()
const guards = await outcomeOf(guardChecks({ serve, header }))
const stores = await outcomeOf(storeChecks(() => memoryStore()))
console.log(JSON.stringify({ text, socket, guards, stores }))
process.exit(0)
