import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'

/** What is to be called when a request has been answered. */
const waiting = new WeakMap<object, () => void>()
let listens = false

/**
 * Calls `then` once the response to a request has been sent, or nobody is there to read it, where all that is at hand is
 * the request. Node tells of every response that was sent; it is listened to from the first call on. `then` may be called
 * twice.
 */
export function onceFinished(request: IncomingMessage | Http2ServerRequest, then: () => void): void {
  if ('stream' in request) onceClosed(request.stream, then)
  else onceSent(request, then)
}

function onceSent(request: IncomingMessage, then: () => void): void {
  if (!listens) subscribe('http.server.response.finish', (message) => tell((message as { request: object }).request))
  listens = true
  const { socket } = request
  const earlier = waiting.get(request)
  waiting.set(request, () => {
    // A connection that is kept alive would gather them.
    socket.off('close', then)
    earlier?.()
    then()
  })
  onceClosed(socket, then)
}

function onceClosed(
  to: { readonly destroyed: boolean; once(event: 'close', then: () => void): unknown },
  then: () => void,
) {
  if (to.destroyed) then()
  else to.once('close', then)
}

function tell(request: object): void {
  const then = waiting.get(request)
  waiting.delete(request)
  then?.()
}
