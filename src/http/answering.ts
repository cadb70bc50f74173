import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

interface Started {
  readonly socket: object
  readonly response: ServerResponse
}

interface Finished {
  readonly request: IncomingMessage
}

/** The last response that was begun on a connection. */
const last = new WeakMap<object, ServerResponse>()
const sent = new WeakMap<object, () => void>()
let listens = false

/** Node tells of every request of the process and of its response: it is listened to from the first call on. */
export function watchRequests(): void {
  if (listens) return
  listens = true
  subscribe('http.server.request.start', (message) => {
    const { socket, response } = message as Started
    last.set(socket, response)
  })
  subscribe('http.server.response.finish', (message) => {
    const { request } = message as Finished
    const then = sent.get(request)
    sent.delete(request)
    then?.()
  })
}

/** The response to the last request that came on a connection; `undefined` where it came before anybody listened. */
export function lastAnswered(socket: object): ServerResponse | undefined {
  watchRequests()
  return last.get(socket)
}

/** Calls `then` once the response to a request has been sent. */
export function onceSent(request: object, then: () => void): void {
  watchRequests()
  const earlier = sent.get(request)
  sent.set(request, () => {
    earlier?.()
    then()
  })
}
