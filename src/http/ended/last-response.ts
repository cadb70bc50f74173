import { subscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'

interface Started {
  readonly socket: object
  readonly response: ServerResponse
}

/** The last response that was begun on a connection. */
const last = new WeakMap<object, ServerResponse>()
let listens = false

/** Node tells of every request of the process: it is listened to from the first call on. */
export function watchRequests(): void {
  if (listens) return
  listens = true
  subscribe('http.server.request.start', (message) => {
    const { socket, response } = message as Started
    last.set(socket, response)
  })
}

/** The response to the last request that came on a connection; `undefined` where it came before anybody listened. */
export function lastAnswered(socket: object): ServerResponse | undefined {
  return last.get(socket)
}
