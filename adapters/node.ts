import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { ApiKeys, ScopeKnownTo } from '../src/api-keys.ts'
import { onceFinished } from '../src/http/ended/request.ts'
import { onceEnded } from '../src/http/ended/response.ts'
import { createGuard } from '../src/http/guard.ts'
import { checkHandler } from '../src/http/handler.ts'
import { turnAway } from '../src/http/misplaced.ts'
import { type FetchHandler, passOn } from '../src/http/mount/node.ts'
import { addHeaders, hasAnswered, nodeFacts } from '../src/http/node.ts'
import { handedOut } from '../src/http/refuse.ts'
import type { Demand } from '../src/model/demand.ts'
import type { Access, Admitted, Denied } from '../src/model/verdict.ts'

export { type Connection, closeWhenRevoked } from '../src/http/close-when-revoked.ts'
export type { FetchHandler, Platform } from '../src/http/mount/node.ts'
export { refuse } from '../src/http/refuse.ts'

export type NodeRequest = IncomingMessage | Http2ServerRequest
export type NodeResponse = ServerResponse | Http2ServerResponse

/** What became of a request. The identity is absent only where the demand is optional. */
export type NodeVerdict<Scope extends string, Optional> =
  | (Admitted<Scope> & { readonly access: Access<Scope> | (Optional extends false ? never : undefined) })
  | Denied

/**
 * Asks about a request of `node:http`, of HTTP/2, or to upgrade. Given the response too, it adds what an admission tells
 * (limits, `Vary`). What is held is given back when the response has ended, or the socket of an upgrade has closed.
 * What a function of the demand throws rejects.
 */
export type NodeGuard<Scope extends string, Optional> = (
  req: NodeRequest,
  res?: NodeResponse,
) => Promise<NodeVerdict<Scope, Optional>>

/**
 * A guard for plain servers: `const verdict = await check(req, res)`, and `refuse(res, verdict)` where it is not `ok`.
 * The identity is `verdict.access`, and `keys.of(req)`.
 * @throws KeywardError `CONFIG` for a wrong demand, or instances whose prefixes clash
 */
export function guard<const K extends ApiKeys | readonly ApiKeys[], const Optional extends boolean = false>(
  keys: K,
  demand?: Demand<ScopeKnownTo<K>, NodeRequest> & { readonly optional?: Optional },
): NodeGuard<ScopeKnownTo<K>, Optional> {
  const ask = createGuard(keys, demand)

  return async function apiKeyGuard(req, response, ...more: unknown[]) {
    const res = response as ServerResponse | undefined
    // Fastify would take what this gives for a word to go on, and Express waits for another.
    if (typeof more[0] === 'function' || (res !== undefined && typeof res.setHeader !== 'function'))
      return turnAway(req, res, more[0])
    const facts = nodeFacts(req as IncomingMessage)
    // Nobody else listens to the socket of an upgrade yet, and a client that goes must not end the process.
    if (res === undefined) req.socket.on('error', ignore)
    try {
      const decision = await ask(facts)
      if (decision.answer !== undefined) return handedOut(decision.verdict, decision.answer)
      if (res !== undefined && !hasAnswered(res)) addHeaders(res, decision.headers)
      if (decision.release !== undefined) atTheEnd(req, res, decision.release)
      return decision.verdict as NodeVerdict<ScopeKnownTo<K>, Optional>
    } finally {
      if (res === undefined) req.socket.off('error', ignore)
    }
  }
}

function atTheEnd(req: NodeRequest, res: ServerResponse | undefined, release: () => void): void {
  if (res === undefined) onceFinished(req, release)
  else if (res.writableEnded) release()
  else onceEnded(res, release)
}

function ignore(): void {}

/**
 * Serves a fetch-style handler: `createServer(mount(handler))`. Where it throws, the answer is a bare 500.
 * @throws KeywardError `CONFIG` for a handler that is no function
 */
export function mount(handler: FetchHandler): (req: IncomingMessage, res: ServerResponse) => void {
  checkHandler(handler, 'createServer(mount(handler))')
  return (req, res) => {
    passOn(handler, req, res, { url: req.url ?? '/' }).catch(() => {
      if (hasAnswered(res)) return
      res.statusCode = 500
      res.end()
    })
  }
}
