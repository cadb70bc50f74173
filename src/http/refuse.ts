import type { ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Answer } from '../model/answer.ts'
import { KeywardError } from '../model/errors.ts'
import type { Denied } from '../model/verdict.ts'
import { checkHeaders, hasAnswered, writeAnswer } from './node.ts'

/** What is to be said to the refusals that guards have handed out. */
const answers = new WeakMap<Denied, Answer>()

/** A refusal for the host's hands, with which `refuse` finds its answer again. */
export function handedOut(verdict: Denied, answer: Answer): Denied {
  const own = { ...verdict }
  answers.set(own, answer)
  return own
}

/**
 * Writes the answer to a refusal: as a response, or on the socket of an upgrade, which is closed then. Where somebody
 * has answered already, or nobody is there to read it, nothing is written.
 * @throws KeywardError `CONFIG` for a verdict that no guard of `keyward/node` gave
 */
export function refuse(to: object, verdict: Denied): void {
  const answer = answers.get(verdict)
  if (answer === undefined) {
    throw new KeywardError(
      'CONFIG',
      'refuse: its second argument must be a refusal of a guard of keyward/node; await it',
    )
  }
  if (!('setHeader' in to)) writeToSocket(to as Duplex, answer)
  else if (!hasAnswered(to as ServerResponse)) writeAnswer(to as ServerResponse, answer)
}

/** On the socket of an upgrade there is no response to write: the bytes of one, after which the connection ends. */
function writeToSocket(socket: Duplex, { status, headers, body }: Answer): void {
  checkHeaders(headers)
  if (!socket.writable) return void socket.destroy()
  const fields = {
    ...headers,
    Date: new Date().toUTCString(),
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  // A client that has gone meanwhile must not end the process.
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`, () =>
    socket.destroy(),
  )
}
