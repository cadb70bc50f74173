import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { lastAnswered, watchRequests } from './last-response.ts'
import { onceEnded } from './response.ts'

/** What is to be called when the response to a request has been sent. */
const waiting = new WeakMap<object, () => void>()
let listens = false

/**
 * Calls `then` once a request has been answered, where all that is at hand is the request; once its socket has closed
 * where it is an upgrade. While its handler runs, the end of a client is none: where Node has not told which response
 * belongs to the request, what the handler ends after its client has gone is not seen. `then` may be called twice.
 */
export function onceFinished(request: IncomingMessage | Http2ServerRequest, then: () => void): void {
  watchRequests()
  if ('stream' in request) onceStreamed(request, then)
  else if (isUpgrade(request)) onceClosed(request.socket, then)
  else onceAnswered(request, then)
}

function onceAnswered(request: IncomingMessage, then: () => void): void {
  const response = lastAnswered(request.socket)
  if (response?.req === request) onceEnded(response, then)
  else onceSent(request, then)
}

/** Node tells of every response of the process that was sent: it is listened to from the first call on. */
function onceSent(request: IncomingMessage, then: () => void): void {
  if (!listens) subscribe('http.server.response.finish', (message) => tell((message as { request: object }).request))
  listens = true
  const earlier = waiting.get(request)
  waiting.set(request, () => {
    earlier?.()
    then()
  })
}

function tell(request: object): void {
  const then = waiting.get(request)
  waiting.delete(request)
  then?.()
}

/** Bun tells nothing of requests and responses: there a socket that closes is all that is seen. */
const TELLS = !('Bun' in globalThis)

/** Node says of every request whether its socket is handed over; who does not say it has another way to upgrade. */
function isUpgrade(request: IncomingMessage): boolean {
  return !TELLS || (request as { readonly upgrade?: unknown }).upgrade !== false
}

/** A stream that the client resets says nothing of the handler, unless the stream itself is what was handed over. */
function onceStreamed({ stream, method }: Http2ServerRequest, then: () => void): void {
  onceClosed(stream, () => {
    if (method === 'CONNECT' || !stream.aborted) then()
  })
}

function onceClosed(
  to: { readonly destroyed: boolean; once(event: 'close', then: () => void): unknown },
  then: () => void,
) {
  if (to.destroyed) then()
  else to.once('close', then)
}
