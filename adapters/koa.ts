import type { ServerResponse } from 'node:http'
import type { Middleware, ParameterizedContext } from 'koa'
import type { ApiKeys, ScopeKnownTo } from '../src/api-keys.ts'
import { onceEnded } from '../src/http/ended/response.ts'
import { createGuard, type Decision } from '../src/http/guard.ts'
import { checkHandler } from '../src/http/handler.ts'
import { identify } from '../src/http/identity.ts'
import { originForm } from '../src/http/mount/came-by.ts'
import { mountPoint } from '../src/http/mount/mount-point.ts'
import { type FetchHandler, passOn } from '../src/http/mount/node.ts'
import { rewritten } from '../src/http/mount/rewritten.ts'
import { addHeaders, hasAnswered, nodeFacts, writeAnswer } from '../src/http/node.ts'
import type { Demand } from '../src/model/demand.ts'
import type { Access } from '../src/model/verdict.ts'

export type { FetchHandler, Platform } from '../src/http/mount/node.ts'

declare module 'koa' {
  interface DefaultState {
    /** Whose key the guard admitted. Behind a guard whose demand is `optional` it may be absent. */
    apiKey: Access
  }
}

/** A context of Koa, with the parameters of the route where a router matched one before the guard. */
type Context = ParameterizedContext & { readonly params: Readonly<Record<string, string>> }
/**
 * Middleware for Koa 3, on a route or with `app.use`: lets a request go on when it carries a key that meets the demand,
 * and answers it otherwise. The identity is `ctx.state.apiKey`, and `keys.of(ctx)` with this instance's scopes.
 * What a function of the demand throws goes to Koa's error handling.
 * @throws KeywardError `CONFIG` for a wrong demand, or instances whose prefixes clash
 */
export function guard<const K extends ApiKeys | readonly ApiKeys[]>(
  keys: K,
  demand?: Demand<ScopeKnownTo<K>, Context>,
): Middleware<{ apiKey: Access }, object> {
  const ask = createGuard(keys, demand)

  // No async function: where nothing waits, its promise would be one too many.
  return function apiKeyGuard(context, next) {
    const ctx = context as Context
    const asked = ask(nodeFacts(ctx.req, ctx))
    return asked instanceof Promise ? asked.then((late) => settle(ctx, late, next)) : settle(ctx, asked, next)
  }
}

function settle(ctx: Context, decision: Decision, next: () => Promise<unknown>): unknown {
  // A time-out of the host may have answered while the store was asked: then nothing is left to do.
  if (hasAnswered(ctx.res)) return decision.release?.()
  if (decision.answer !== undefined) {
    // Somebody has told Koa to write nothing: then nobody else would.
    if (ctx.respond === false) return writeAnswer(ctx.res as ServerResponse, decision.answer)
    const { status, headers, body } = decision.answer
    addHeaders(ctx.res as ServerResponse, headers)
    ctx.status = status
    ctx.body = body
    return
  }
  addHeaders(ctx.res as ServerResponse, decision.headers)
  identify(ctx.state, decision.verdict.access)
  const { release } = decision
  if (release === undefined) return next()
  onceEnded(ctx.res as ServerResponse, release)
  // Where its client has gone, Koa ends no response of a handler that throws.
  return next().catch((error) => {
    release()
    throw error
  })
}

/**
 * Mounts a fetch-style handler: `app.use(mount('/keys', handler))`. It sees the path below the mount point, and a body
 * that a parser has read already.
 * @throws KeywardError `CONFIG` for what is no path, and a handler that is no function
 */
export function mount(path: string, handler: FetchHandler): Middleware {
  const base = mountPoint(path)
  checkHandler(handler, "app.use(mount('/keys', handler))")
  return async (ctx, next) => {
    if (!`${ctx.path}/`.startsWith(`${base}/`)) return next()
    ctx.respond = false // the answer is written as it comes, past Koa
    const url = originForm(ctx.url).slice(base.length) || '/'
    const body = rewritten(ctx.req, (ctx.request as { body?: unknown }).body)
    await passOn(handler, ctx.req, ctx.res, { url, body }).catch((error) => {
      ctx.respond = true // what the host makes of it
      throw error
    })
  }
}
