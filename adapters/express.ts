import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request } from 'express'
import type { ApiKeys, ScopeKnownTo } from '../src/api-keys.ts'
import { onceEnded } from '../src/http/ended/response.ts'
import { createGuard, type Decision } from '../src/http/guard.ts'
import { misplaced } from '../src/http/misplaced.ts'
import { addHeaders, hasAnswered, nodeFacts, writeAnswer } from '../src/http/node.ts'
import { showIdentity } from '../src/http/shown-identity.ts'
import type { Awaitable } from '../src/model/awaitable.ts'
import type { Demand } from '../src/model/demand.ts'
import type { Access } from '../src/model/verdict.ts'

export { type FetchHandler, mount, type Platform } from '../src/http/mount/node.ts'

declare global {
  namespace Express {
    interface Request {
      /** Whose key the guard admitted. Behind a guard whose demand is `optional` it may be absent. */
      apiKey: Access
    }
  }
}

type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/**
 * Middleware for Express 5 and 4, on a route or with `app.use`: lets a request go on when it carries a key that meets
 * the demand, and answers it otherwise. The identity is `req.apiKey`, and `keys.of(req)` with this instance's scopes.
 * What a function of the demand throws goes to `next`.
 * @throws KeywardError `CONFIG` for a wrong demand, or instances whose prefixes clash
 */
export function guard<const K extends ApiKeys | readonly ApiKeys[]>(
  keys: K,
  demand?: Demand<ScopeKnownTo<K>, Request>,
): Middleware {
  const ask = createGuard(keys, demand)

  return function apiKeyGuard(req, res, next) {
    if (typeof next !== 'function') throw misplaced(req)
    let decision: Awaitable<Decision>
    try {
      decision = ask(nodeFacts(req))
    } catch (error) {
      return next(error)
    }
    if (decision instanceof Promise) decision.then((late) => settle(req, res, late, next)).catch(next)
    else settle(req, res, decision, next)
  }
}

function settle(req: IncomingMessage, res: ServerResponse, decision: Decision, next: () => void): unknown {
  // A time-out of the host may have answered while the store was asked: then nothing is left to do.
  if (hasAnswered(res)) return decision.release?.()
  if (decision.answer !== undefined) return writeAnswer(res, decision.answer)
  addHeaders(res, decision.headers)
  if (decision.release !== undefined) onceEnded(res, decision.release)
  showIdentity(req, decision.verdict)
  return next()
}
