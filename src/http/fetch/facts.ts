import type { RequestFacts } from '../../model/request.ts'
import { cameBy, type Origin } from '../mount/came-by.ts'

/** A fetch `Request`, as far as it has to be looked at. */
interface FetchRequest {
  readonly headers: { get(name: string): string | null }
  readonly url?: string
}

/** Whether it is one at all: a guard may have been put into another framework. */
export function isRequest(came: unknown): boolean {
  return typeof (came as FetchRequest | undefined)?.headers?.get === 'function'
}

/**
 * What a fetch request tells.
 * @param platform what the runtime gives beside it: on Node, `@hono/node-server` says there what really came
 * @param request the framework's own object
 */
export function fetchFacts(
  came: FetchRequest,
  platform: unknown,
  peer: string | undefined,
  request: unknown,
): RequestFacts {
  const incoming = (platform as { incoming?: Origin } | null | undefined)?.incoming ?? cameBy(came)
  const lines: unknown = incoming?.rawHeaders
  const isNode = Array.isArray(lines)
  return {
    // Node's raw lines where there are so many that Node may have dropped some: of that `Headers` tell nothing.
    rawHeaders: isNode && lines.length >= 2000 ? lines : undefined,
    headers: came.headers,
    peer,
    address: undefined,
    // Not its URL where there is a socket: a client may write any scheme into that.
    secure: isNode ? incoming : came,
    connection: undefined,
    request,
  }
}
