import type { ApiKeys, ScopeKnownTo } from '../src/api-keys.ts'
import { type FetchDemand, splitDemand } from '../src/http/fetch/address.ts'
import { fetchFacts, isRequest } from '../src/http/fetch/facts.ts'
import { hideInRequest } from '../src/http/fetch/hide.ts'
import { onceRead } from '../src/http/fetch/once-read.ts'
import { responseOf, withHeaders } from '../src/http/fetch/response.ts'
import { unlessGone } from '../src/http/fetch/unless-gone.ts'
import { createGuard } from '../src/http/guard.ts'
import { checkHandler } from '../src/http/handler.ts'
import { turnAway } from '../src/http/misplaced.ts'
import type { Awaitable } from '../src/model/awaitable.ts'
import type { Access } from '../src/model/verdict.ts'

export type { FetchDemand } from '../src/http/fetch/address.ts'
export { type HandlerBelow, mount } from '../src/http/mount/fetch.ts'

type Instances = ApiKeys | readonly ApiKeys[]

/** What the runtime gives beside the request: the handler may look at more of it than the address does, or at less. */
type Longer<A extends readonly unknown[], B extends readonly unknown[]> = A extends readonly [...B, ...unknown[]]
  ? A
  : B extends readonly [...A, ...unknown[]]
    ? B
    : never

/** The identity: absent only where the demand is optional. */
type Identity<K, Optional> = Access<ScopeKnownTo<K>> | (Optional extends false ? never : undefined)

/**
 * Guards a fetch-style handler: a route handler of Next, what Bun.serve, Deno.serve or a Worker calls. The handler is
 * called with the request, the identity, and whatever else the runtime gave (Next's context, Bun's server). A request
 * that does not meet the demand is answered without it. What a function of the demand throws rejects.
 * @throws KeywardError `CONFIG` for a wrong demand, a handler that is no function, or instances whose prefixes clash
 */
export function guard<
  const K extends Instances,
  R extends Request = Request,
  Rest extends readonly unknown[] = [],
  const Optional extends boolean = false,
  Seen extends readonly unknown[] = [],
  Answer extends Response | undefined = Response,
>(
  keys: K,
  demand: (FetchDemand<ScopeKnownTo<K>, R, [R, ...Seen]> & { readonly optional?: Optional }) | undefined,
  handler: (request: R, access: Identity<K, Optional>, ...rest: Rest) => Awaitable<Answer>,
): (request: R, ...rest: Longer<Rest, Seen>) => Promise<Response | Answer> {
  checkHandler(handler, 'guard(keys, demand, handler)')
  const [known, addressOf] = splitDemand<[R, ...unknown[]]>(demand)
  const ask = createGuard(keys, known)

  return async function apiKeyGuard(request, ...given) {
    if (!isRequest(request)) return turnAway(request, given[0], given[1])
    const rest = given as readonly unknown[] as Rest
    const asked = ask(fetchFacts(request, rest[0], addressOf(request, ...rest), request))
    const decision = asked instanceof Promise ? await unlessGone(asked, request.signal) : asked
    if (decision.answer !== undefined) return responseOf(decision.answer, request)
    const { verdict, headers, release, hidden } = decision
    const shown = hidden === undefined ? request : hideInRequest(request, hidden)
    try {
      const answer = await handler(shown, verdict.access as Identity<K, Optional>, ...rest)
      // Bun has made a WebSocket of the request.
      if (answer === undefined) {
        release?.()
        return answer
      }
      const response = withHeaders(answer, headers, shown, request)
      return release === undefined ? response : onceRead(response, request, release)
    } catch (error) {
      release?.()
      throw error
    }
  }
}
