import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { ApiKeys, ScopeKnownTo } from '../src/api-keys.ts'
import { onceEnded } from '../src/http/ended/response.ts'
import { hasReplied, type Reply, sendAnswer, setHeaders } from '../src/http/fastify/reply.ts'
import { type Application, asPlugin, guardEverything, type Hook } from '../src/http/fastify.ts'
import { createGuard, type Decision } from '../src/http/guard.ts'
import { misplaced } from '../src/http/misplaced.ts'
import { nodeFacts } from '../src/http/node.ts'
import { showIdentity } from '../src/http/shown-identity.ts'
import type { Demand } from '../src/model/demand.ts'
import type { Access } from '../src/model/verdict.ts'

export type { Hook } from '../src/http/fastify.ts'
export { mount } from '../src/http/mount/fastify.ts'
export type { FetchHandler, Platform } from '../src/http/mount/node.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key the guard admitted. Behind a guard whose demand is `optional`, and on opened routes, it may be absent. */
    apiKey: Access
  }
  interface FastifyContextConfig {
    /** `false` opens a route that the plugin of `keyward/fastify` would guard. */
    apiKey?: false
  }
}

/**
 * A hook for Fastify 5, as `onRequest` (or `preHandler`, where a demand reads the body) of a route or a scope: lets a
 * request go on when it carries a key that meets the demand, and answers it otherwise. The identity is
 * `request.apiKey`, and `keys.of(request)` with this instance's scopes. What the demand throws goes to the error handler.
 * @throws KeywardError `CONFIG` for a wrong demand, or instances whose prefixes clash
 */
export function guard<const K extends ApiKeys | readonly ApiKeys[]>(
  keys: K,
  demand?: Demand<ScopeKnownTo<K>, FastifyRequest>,
): Hook {
  const ask = createGuard(keys, demand)

  return function apiKeyGuard(request, reply, done) {
    if (typeof done !== 'function') throw misplaced(request)
    let decision: ReturnType<typeof ask>
    try {
      decision = ask(nodeFacts((request as FastifyRequest).raw, request))
    } catch (error) {
      return done(error as Error)
    }
    if (decision instanceof Promise) decision.then((late) => settle(request, reply as Reply, late, done), done)
    else settle(request, reply as Reply, decision, done)
  }
}

function settle(request: object, reply: Reply, decision: Decision, done: (error?: Error) => void): unknown {
  try {
    // A time-out of the host may have answered while the store was asked: then nothing is left to do.
    if (hasReplied(reply)) return decision.release?.()
    if (decision.answer !== undefined) return sendAnswer(reply, decision.answer)
    setHeaders(reply, decision.headers)
    if (decision.release !== undefined) onceEnded(reply.raw, decision.release)
    showIdentity(request, decision.verdict)
  } catch (error) {
    return done(error as Error)
  }
  return done()
}

type Options = { readonly keys: ApiKeys | readonly ApiKeys[]; readonly demand?: Demand<string, FastifyRequest> }

/** Guards every route of its application or scope, also earlier ones and 404s, but for `config: { apiKey: false }`. */
const plugin: FastifyPluginAsync<Options> = async (app, options) =>
  guardEverything(app as unknown as Application, guard(options.keys, options.demand), options)
export default asPlugin(plugin)
