import type { Context, MiddlewareHandler } from 'hono'
import type { ApiKeys, ScopeKnownTo } from '../src/api-keys.ts'
import { type FetchDemand, splitDemand } from '../src/http/fetch/address.ts'
import { fetchFacts, isRequest } from '../src/http/fetch/facts.ts'
import { hideInRequest } from '../src/http/fetch/hide.ts'
import { onceRead } from '../src/http/fetch/once-read.ts'
import { fieldsOf } from '../src/http/fetch/response.ts'
import { unlessGone } from '../src/http/fetch/unless-gone.ts'
import { createGuard } from '../src/http/guard.ts'
import { checkHandler } from '../src/http/handler.ts'
import { replaceResponse, setFields } from '../src/http/hono-context.ts'
import { isAccess } from '../src/http/identity.ts'
import { turnAway } from '../src/http/misplaced.ts'
import { answerBelow, type HandlerBelow } from '../src/http/mount/fetch.ts'
import { mountPoint } from '../src/http/mount/mount-point.ts'
import type { Access } from '../src/model/verdict.ts'

export type { FetchDemand } from '../src/http/fetch/address.ts'
export type { HandlerBelow } from '../src/http/mount/fetch.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Whose key the guard admitted. Behind a guard whose demand is `optional` it may be absent. */
    apiKey: Access
  }
}

/**
 * Middleware for Hono 4, on a route or with `app.use`: lets a request go on when it carries a key that meets the
 * demand, and answers it otherwise. The identity is `c.get('apiKey')`, and `keys.of(c)` with this instance's scopes.
 * Where a request came from is told by `demand.address`, such as `(c) => getConnInfo(c).remote.address`.
 * What a function of the demand throws goes to `app.onError`.
 * @throws KeywardError `CONFIG` for a wrong demand, or instances whose prefixes clash
 */
export function guard<const K extends ApiKeys | readonly ApiKeys[]>(
  keys: K,
  demand?: FetchDemand<ScopeKnownTo<K>, Context, [Context]>,
): MiddlewareHandler {
  const [known, addressOf] = splitDemand<[Context]>(demand)
  const ask = createGuard(keys, known)

  return async function apiKeyGuard(c, next, ...more: unknown[]) {
    if (!isRequest(c.req?.raw)) return turnAway(c, next, more[0])
    const asked = ask(fetchFacts(c.req.raw, c.env, addressOf(c), c))
    const decision = asked instanceof Promise ? await unlessGone(asked, c.req.raw.signal) : asked
    if (decision.answer !== undefined) {
      setFields(c, Object.fromEntries(fieldsOf(decision.answer)))
      return new Response(decision.answer.body, { status: decision.answer.status, headers: c.res.headers })
    }
    const { headers, release, hidden } = decision
    const { access } = decision.verdict
    if (hidden !== undefined) c.req.raw = hideInRequest(c.req.raw, hidden)
    if (access !== undefined || !isAccess(c.get('apiKey'))) c.set('apiKey', access as Access)
    try {
      await next()
      // Now, not before: what a handler returned as it is would be without them.
      setFields(c, headers)
      if (release !== undefined) replaceResponse(c, onceRead(c.res, c.req.raw, release))
    } catch (error) {
      release?.()
      throw error
    }
  }
}

/**
 * Mounts a fetch-style handler, such as that of `keyward/management`: `app.use(mount('/keys', handler))`. It sees the
 * path below the mount point, a body that a parser has read already, and what the runtime gives (`c.env`).
 * @throws KeywardError `CONFIG` for what is no path, and a handler that is no function
 */
export function mount(path: string, handler: HandlerBelow<[platform?: unknown]>): MiddlewareHandler {
  const base = mountPoint(path)
  checkHandler(handler, "app.use(mount('/keys', handler))")
  return async (c, next) => {
    const answer = await answerBelow(
      c.req.raw,
      base,
      (below) => handler(below, c.env),
      () => c.req.arrayBuffer(),
    )
    return answer ?? next()
  }
}
