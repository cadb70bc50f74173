import { type ApiKeys, createApiKeys, type KeyStore } from 'keyward'
import { guard } from 'keyward/fetch'
import { type GuardHarness, guardChecks, storeChecks } from 'keyward/testing'
import { type Fetcher, httpStore } from './http-store.ts'
import { outcomeOf } from './outcome.ts'

/** What the configuration of the Worker binds. */
interface Env {
  readonly KEYS: { fetch: Fetcher }
}

interface Context {
  waitUntil(promise: Promise<unknown>): void
}

// A binding is part of a request's environment, and the same for each of them.
let env: Env
const remote = httpStore((request) => env.KEYS.fetch(request))
const options = {
  scopes: { contacts: ['read', 'update'] },
  limits: { default: { minute: 5, hour: 100 } },
  failures: { limit: 50, window: '1m' },
  hideCredentials: true,
  trustedProxies: [], // the address that the platform tells is the client's
} as const
const memory = createApiKeys({ prefix: 'mem_', ...options })
const http = createApiKeys({ prefix: 'web_', store: remote, storeTimeout: '2s', ...options })
const leased = createApiKeys({
  prefix: 'lea_',
  store: remote,
  storeTimeout: '2s',
  limits: { default: { minute: 100_000 }, lease: 50 },
})
const onLease = guard(leased, {}, (_request, { owner }) => Response.json({ owner }))

const address = (request: Request) => request.headers.get('cf-connecting-ip') ?? undefined
const guarded = guard(
  [memory, http],
  { scopes: ['contacts:read'], address },
  (request, access, _env: Env, context: Context) => {
    const { id, owner } = access
    context.waitUntil(Promise.all([memory.flush(), http.flush()]))
    // What would be forwarded by `fetch(new Request(upstream, request))`.
    return Response.json({ id, owner, forwarded: [...new Request(request).headers.keys()] })
  },
)

/** Scenes are played by calling the handler: what came over the wire, the runtime has made a request of. */
const harness: GuardHarness = {
  header: (request: Request, name) => request.headers.get(name) ?? undefined,
  serve({ keys, demand, handle }) {
    const handler = async (_request: Request, access: Parameters<typeof handle>[0]) =>
      new Response(await handle(access), { headers: { 'Content-Type': 'application/json' } })
    const scene = guard(keys, { ...demand, address: () => '127.0.0.1' }, handler)
    return {
      async send({ method, headers: lines }) {
        const headers = new Headers()
        for (const [name, value] of lines) headers.append(name, value)
        const answer = await scene(new Request('http://worker/', { method, headers }))
        const body = method === 'HEAD' ? '' : await answer.text()
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body }
      },
    }
  },
}

/** What the test asks for beside the guarded route. */
async function administer(path: string, request: Request): Promise<Response> {
  if (path === '/checks/guard') return Response.json(await outcomeOf(guardChecks(harness)))
  if (path === '/checks/store') return Response.json(await outcomeOf(storeChecks((): KeyStore => remote)))
  const [, place, verb] = path.split('/')
  return Response.json(await act(INSTANCES[place as keyof typeof INSTANCES], verb, await request.json()))
}

const INSTANCES = { memory, http, leased } as unknown as Readonly<Record<'memory' | 'http' | 'leased', ApiKeys>>

async function act(keys: ApiKeys, verb: string | undefined, given: unknown): Promise<unknown> {
  if (verb === 'create') return keys.create(given as Parameters<ApiKeys['create']>[0])
  if (verb === 'revoke') return keys.revoke((given as { id: string }).id)
  return keys.get((given as { id: string }).id)
}

export default {
  async fetch(request: Request, bound: Env, context: Context): Promise<Response> {
    env = bound
    const path = new URL(request.url).pathname
    try {
      if (path === '/guarded') return await guarded(request, bound, context)
      return path === '/leased' ? await onLease(request) : await administer(path, request)
    } catch (error) {
      return new Response((error as Error).stack, { status: 500 })
    }
  },
}
