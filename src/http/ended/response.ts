import { type Server, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import { lastAnswered, watchRequests } from './last-response.ts'

/**
 * Calls `then` when the handler has ended its response; not when its client goes, or resets a stream, while the handler
 * still runs. Of the end of a response whose client has gone Node tells nothing: then what remains to be seen is the call
 * of `end` itself. A response that is destroyed has ended, too: it is what becomes of a stream that fails, and Node does it
 * for no client whose turn has come. `then` may be called twice.
 */
export function onceEnded(response: ServerResponse, then: () => void): void {
  watchRequests()
  // HTTP/2 says `finish` of every stream that closes.
  const over = () => {
    if (response.writableEnded || wasCutHere(response)) then()
  }
  response.once('finish', over).once('close', over)
  // At once, not at the close: `response.end(await work())` takes the member before it waits.
  const { end, destroy } = response
  response.end = function ended(...args: unknown[]) {
    if (isGone(response)) then()
    // Of requests that a client sent at once, the later wait for their turn: when it goes before, Node tells nothing at all.
    else if (response.socket === null) response.req.socket?.once('close', then)
    return Reflect.apply(end, response, args)
  } as typeof end
  // A response of HTTP/2 has none.
  if (!destroy) return
  response.destroy = function destroyed(...args: unknown[]) {
    // Whoever is told of the failure may still settle: a callback of `pipeline` runs before this.
    if (!isTurnedAway(response)) setImmediate(then)
    return Reflect.apply(destroy, response, args)
  } as typeof destroy
}

/** Newer versions of Node destroy a response themselves whose client goes before it is its turn. */
function isTurnedAway(response: ServerResponse): boolean {
  return response.socket === null && isGone(response)
}

/** Whether nobody is there to be answered: of a response that waits for its turn Node does not say so. */
function isGone(response: ServerResponse): boolean {
  if (response.destroyed) return true
  const way = response instanceof ServerResponse ? response.req.socket : (response as Http2ServerResponse).stream
  return way?.destroyed === true
}

/**
 * Whether it was this process that ended the connection, as Express does with a handler that fails in the middle of its
 * answer. A client that goes leaves an error or an end; where a time-out of the host may have ended the connection, or
 * what it does with a client that sends nonsense, the handler may still be running. So it may where another request has
 * come behind this one: then it may be that one's handler that failed.
 */
function wasCutHere({ req }: ServerResponse): boolean {
  const socket = (req?.socket ?? {}) as Partial<Socket> & { server?: Server }
  const { errored, readableEnded, timeout, server } = socket
  if (errored !== null || readableEnded || timeout || (lastAnswered(socket)?.req ?? req) !== req) return false
  return server?.listenerCount('clientError') === 0
}
