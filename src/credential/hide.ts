import type { IncomingMessage } from 'node:http'
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
