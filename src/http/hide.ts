import type { IncomingMessage } from 'node:http'
import { carry } from '../model/attached.ts'
import type { RequestFacts } from '../model/request.ts'

/** Takes the headers from Node's request, where there is one. @returns those that a fetch request is to lose, too */
export function hideInNode({ secure }: RequestFacts, names: readonly string[]): readonly string[] | undefined {
  if (names.length === 0) return undefined
  if (typeof secure === 'object' && 'rawHeaders' in secure) hideInMessage(secure as IncomingMessage, names)
  return names
}

/** Takes these header lines, named in lower case, from Node's request, wherever it shows them. */
function hideInMessage(message: IncomingMessage, names: readonly string[]): void {
  const { headers, rawHeaders } = message // in this order: of the raw lines Bun makes the others when it is asked
  for (const name of names) delete headers[name]
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    if (names.includes(String(rawHeaders[i]).toLowerCase())) rawHeaders.splice(i, 2)
  }
  // Node would make them of as many raw lines as there were.
  if (!('headersDistinct' in message)) return
  Object.defineProperty(message, 'headersDistinct', { get: () => distinct(rawHeaders), configurable: true })
}

function distinct(rawHeaders: readonly string[]): NodeJS.Dict<string[]> {
  const values: NodeJS.Dict<string[]> = Object.create(null)
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    values[name] ??= []
    values[name].push(rawHeaders[i + 1] as string)
  }
  return values
}

/** The fetch request without these headers: itself, or where a runtime does not let it be changed, a copy. */
export function hideInRequest<R extends Request>(request: R, names: readonly string[]): R {
  try {
    for (const name of names) request.headers.delete(name)
    return request
  } catch {
    const { url, method, signal } = request
    const headers = new Headers(request.headers)
    for (const name of names) headers.delete(name)
    // What was read already, a framework has kept.
    const copy = request.bodyUsed ? new Request(url, { method, headers, signal }) : new Request(request, { headers })
    carry(request, copy)
    return copy as R
  }
}
