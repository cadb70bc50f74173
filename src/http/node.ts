import { type IncomingMessage, ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import type { Answer } from '../model/answer.ts'
import type { RequestFacts } from '../model/request.ts'
import { noticeLenience } from './lenient-parser.ts'
import { checkMessage } from './misplaced.ts'
import { varyWith } from './vary.ts'

/**
 * What Node tells of a request. `request` is the framework's own object, where it is another.
 * @throws KeywardError `CONFIG` for what another framework made
 */
export function nodeFacts(message: IncomingMessage, request: unknown = message): RequestFacts {
  if (message?.rawHeaders === undefined) checkMessage(message, request)
  // Of HTTP/2 Node gives a stand-in for the socket, which throws once its session has ended.
  const connection = message.httpVersionMajor === 1 ? (message.socket ?? undefined) : undefined
  noticeLenience(connection)
  return new NodeFacts(message, connection, request)
}

class NodeFacts implements RequestFacts {
  readonly rawHeaders: readonly string[]
  readonly headers: RequestFacts['headers']
  readonly address = undefined
  readonly secure: IncomingMessage
  readonly connection: Socket | undefined
  readonly request: unknown
  #peer: string | undefined

  constructor(message: IncomingMessage, connection: Socket | undefined, request: unknown) {
    const { rawHeaders } = message
    this.rawHeaders = rawHeaders
    // Node makes these when they are first asked for: only where there are no others.
    this.headers = rawHeaders?.length > 0 ? undefined : message.headers
    this.secure = message
    this.connection = connection
    this.request = request
    this.#peer = connection === undefined ? message.socket?.remoteAddress : undefined
  }

  /** Asked of the socket when it is first needed, which for most requests is never. */
  get peer(): string | undefined {
    this.#peer ??= this.connection?.remoteAddress
    return this.#peer
  }
}

/** Adds header fields to a response that goes on; what is in `Vary` already stays there. */
export function addHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name] as string
    response.setHeader(name, name === 'Vary' ? varyWith(response.getHeader(name), value) : value)
  }
}

/**
 * Finds what cannot be sent before any of it is written.
 * @throws TypeError for a name or a value that is no header
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, headers[name] as string)
  }
}

/** Whether somebody has answered already, or nobody is there to read an answer. */
export function hasAnswered(response: ServerResponse): boolean {
  if (response.headersSent || response.destroyed) return true
  // Of HTTP/2, where a response is never destroyed itself. Not looked for on others: what is not there is found slowly.
  return !(response instanceof ServerResponse) && (response as Http2ServerResponse).stream?.destroyed === true
}

/** Writes a refusal. */
export function writeAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  // First what may throw: a header of the host's own making must not leave a half-written refusal behind.
  checkHeaders(headers)
  addHeaders(response, headers)
  response.statusCode = status
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(body)
}
