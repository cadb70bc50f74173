import type { RequestListener } from 'node:http'
import express, { type RequestHandler } from 'express'
import Fastify, { type FastifyInstance } from 'fastify'
import { type ApiKeys, createApiKeys, memoryStore } from 'keyward'
import { guard as expressGuard } from 'keyward/express'
import { guard as fastifyGuard } from 'keyward/fastify'
import { guard as koaGuard } from 'keyward/koa'
import Koa from 'koa'

/** One application with one route, which answers `{ hello: 'world' }` once what stands before it lets the request by. */
export interface App {
  readonly listener: RequestListener
  /** The values of `Authorization` that it is asked with. */
  readonly sent: readonly string[]
}

/** What an application promises: it is asked before it is timed, and one that does not keep it is not timed. */
export interface Promised {
  /** Whether it refuses a credential that nobody was given. */
  readonly verifies: boolean
  /** Over how many windows it counts; with `limit` 2 the third request is then refused. */
  readonly windows: 0 | 1 | 2
  /** What every request is answered with while nothing is spent. @default 200 */
  readonly status?: number
}

export interface Variant extends Promised {
  readonly name: string
  /** Whether every connection carries the keys of all callers, as a proxy's does: else each is one caller's own. */
  readonly isMixed?: boolean
  /** About so many times as long as the others: it is asked less often. */
  readonly takes?: number
  /** @param limit of every window; high where it is timed, so that nothing is refused */
  make(limit: number): Promise<App>
}

export const HELLO = { hello: 'world' }
const CALLERS = 100
export const READS = ['contacts:read'] as const

/** As many credentials of nobody, as long as a key is. */
export function strangers(): readonly string[] {
  return Array.from({ length: CALLERS }, (_, n) => `Bearer ${`agk_live_${String(n).padStart(3, '0')}`.padEnd(59, 'x')}`)
}

export function onExpress(...before: RequestHandler[]): RequestListener {
  const app = express()
  app.get('/', ...before, (_req, res) => void res.json(HELLO))
  return app
}

export async function onFastify(
  prepare: (app: FastifyInstance) => unknown,
  hooks: object = {},
): Promise<RequestListener> {
  let listener: RequestListener = () => {}
  const { createServer } = await import('node:http')
  const app = Fastify({
    serverFactory(handler) {
      listener = handler as RequestListener
      return createServer(listener)
    },
  })
  await prepare(app)
  app.get('/', hooks, async () => HELLO)
  await app.ready()
  return listener
}

export function onKoa(...before: Koa.Middleware[]): RequestListener {
  const app = new Koa()
  for (const middleware of before) app.use(middleware)
  app.use((ctx) => {
    ctx.body = HELLO
  })
  return app.callback()
}

interface Kept {
  readonly keys: ApiKeys
  readonly sent: readonly string[]
}

async function kept(limit: number, rateHeaders: 'standard' | false): Promise<Kept> {
  const limits = { default: { minute: limit, hour: limit * 2 } }
  const keys = createApiKeys({ prefix: 'agk_live_', store: memoryStore(), limits, rateHeaders, trustedProxies: [] })
  const sent: string[] = []
  for (let n = 0; n < CALLERS; n++) {
    const { key } = await keys.create({ owner: `acct_${n}`, scopes: [...READS, 'contacts:update'] })
    sent.push(`Bearer ${key}`)
  }
  return { keys, sent }
}

type Listen = (keys: ApiKeys) => RequestListener | Promise<RequestListener>

/** Keyward on a framework: a scope and two windows, with and without the fields that tell of them, and a refusal. */
function ours(listen: Listen): readonly Variant[] {
  const make = (rateHeaders: 'standard' | false) => async (limit: number) => {
    const { keys, sent } = await kept(limit, rateHeaders)
    return { listener: await listen(keys), sent }
  }
  const unknown = async () => {
    const { keys } = await kept(1, 'standard')
    const elsewhere = await kept(1, 'standard')
    return { listener: await listen(keys), sent: elsewhere.sent }
  }
  return [
    { name: 'Keyward, RateLimit headers', verifies: true, windows: 2, make: make('standard') },
    { name: 'Keyward, no headers', verifies: true, windows: 2, make: make(false) },
    { name: 'Keyward, no headers, behind a proxy', isMixed: true, verifies: true, windows: 2, make: make(false) },
    { name: 'Keyward, 401 for an unknown key', verifies: true, windows: 0, status: 401, make: unknown },
  ]
}

function free(name: string, listen: () => RequestListener | Promise<RequestListener>): Variant {
  return { name, verifies: false, windows: 0, make: async () => ({ listener: await listen(), sent: strangers() }) }
}

/** The name of what every ratio is a multiple of. */
export const BARE = 'bare'
const EMPTY = 'empty middleware'
const demand = { scopes: READS }

export const EXPRESS: readonly Variant[] = [
  free(BARE, () => onExpress()),
  free(EMPTY, () => onExpress((_req, _res, next) => next())),
  ...ours((keys) => onExpress(expressGuard(keys, demand))),
]

export const FASTIFY: readonly Variant[] = [
  free(BARE, () => onFastify(() => {})),
  free(EMPTY, () => onFastify(() => {}, { onRequest: (_q: unknown, _r: unknown, done: () => void) => done() })),
  ...ours((keys) => onFastify(() => {}, { onRequest: fastifyGuard(keys, demand) })),
]

export const KOA: readonly Variant[] = [
  free(BARE, () => onKoa()),
  free(EMPTY, () => onKoa((_ctx, next) => next())),
  ...ours((keys) => onKoa(koaGuard(keys, demand) as Koa.Middleware)),
]
