import { DOOR, type WithDoor } from './door.ts'

/** How OpenAPI names what a request has to carry: alternatives, each with everything that it takes. */
export type Security = readonly Readonly<Record<string, readonly string[]>>[]

export interface Scheme {
  readonly type: 'http' | 'apiKey'
  readonly scheme?: 'bearer'
  readonly in?: 'header'
  readonly name?: string
}

/** What requests to a guard of these instances carry, as `security` of an OpenAPI operation and the schemes it names. */
export function securityOf(
  keys: WithDoor | readonly WithDoor[],
  optional: boolean,
): { readonly security: Security; readonly schemes: Readonly<Record<string, Scheme>> } {
  const list = Array.isArray(keys) ? (keys as readonly WithDoor[]) : [keys as WithDoor]
  const sources = list.flatMap((each) => each[DOOR].instance.sources.map(({ headers }) => headers))
  const texts = sources.map((headers) => JSON.stringify(headers))
  const distinct = sources.filter((_, i) => texts.indexOf(texts[i] ?? '') === i)
  const alternatives = distinct.map((headers) => Object.fromEntries(headers.map((header) => [nameOf(header), []])))
  return {
    security: optional ? [...alternatives, {}] : alternatives,
    schemes: Object.fromEntries(distinct.flat().map((header) => [nameOf(header), schemeOf(header)])),
  }
}

/** `x-api-key` → `xApiKey`. */
function nameOf(header: string): string {
  if (header === 'authorization') return 'bearer'
  return header.replace(/-+(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function schemeOf(header: string): Scheme {
  return header === 'authorization'
    ? { type: 'http', scheme: 'bearer' }
    : { type: 'apiKey', in: 'header', name: header }
}
