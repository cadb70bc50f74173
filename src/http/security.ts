import { DOOR, type Door, type WithDoor } from './door.ts'

type Source = Door['instance']['sources'][number]

/** How OpenAPI names what a request has to carry: alternatives, each with everything that it takes. */
export type Security = readonly Readonly<Record<string, readonly string[]>>[]

export interface Scheme {
  readonly type: 'http' | 'apiKey'
  readonly scheme?: Source['scheme']
  readonly in?: 'header'
  readonly name?: string
}

/** What requests to a guard of these instances carry, as `security` of an OpenAPI operation and the schemes it names. */
export function securityOf(
  keys: WithDoor | readonly WithDoor[],
  optional: boolean,
): { readonly security: Security; readonly schemes: Readonly<Record<string, Scheme>> } {
  const listed = [keys].flat().flatMap((each) => each[DOOR].instance.sources.map(schemesOf))
  const distinct = [...new Map(listed.map((schemes) => [Object.keys(schemes).join(), schemes])).values()]
  const alternatives = distinct.map((schemes) => Object.fromEntries(Object.keys(schemes).map((name) => [name, []])))
  return {
    security: optional ? [...alternatives, {}] : alternatives,
    schemes: Object.assign({}, ...distinct),
  }
}

/** By the names of components, which are letters and digits: `x-api-key` is `xApiKey`. */
function schemesOf({ headers, scheme }: Source): Readonly<Record<string, Scheme>> {
  if (scheme !== undefined) return { [scheme]: { type: 'http', scheme } }
  const named = (header: string) => header.replace(/[^a-z0-9]+(.?)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(headers.map((name) => [named(name), { type: 'apiKey', in: 'header', name }]))
}
