import type { ApiKeys, ScopeKnownTo } from '../api-keys.ts'
import type { AnyDemand, Demand } from '../model/demand.ts'
import { flawed, type Issue } from '../model/errors.ts'
import { isObject } from '../model/is-object.ts'
import { type Door, doorsOf, type WithDoor } from './door.ts'
import { type Security, securityOf } from './security.ts'

type Operation = Record<string, unknown>

interface Described {
  readonly paths?: Readonly<Record<string, unknown>> | undefined
  readonly components?: Readonly<Record<string, unknown>> | undefined
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/**
 * The host's own OpenAPI 3.1 document with what its guarded routes require: the security schemes of these instances,
 * and for each named operation its `security` with the scopes that the demand needs, and the answers of a refusal. What
 * the document says already stays as it is, and the document that was given too.
 * @param routes the demands by operation: `{ 'GET /v1/contacts': { scopes: ['contacts:read'] } }`
 * @throws KeywardError `CONFIG` for an operation that the document has not, and for a wrong demand
 */
export function describeGuards<const K extends ApiKeys | readonly ApiKeys[], T extends object>(
  document: T,
  keys: K,
  routes: Readonly<Record<string, Demand<ScopeKnownTo<K>, never>>>,
): T {
  const copy = structuredClone(document) as T & Described
  const doors = doorsOf(keys, 'describeGuards: its second argument')
  const issues: Issue[] = []
  for (const [name, demand] of Object.entries(routes)) {
    const operation = operationAt(copy, name)
    if (operation === undefined) issues.push({ path: name, message: 'is no operation of the document' })
    else describe(operation, demand, keys, doors)
  }
  if (issues.length > 0) {
    throw flawed('CONFIG', issues, { where: 'describeGuards: ' })
  }
  const { schemes } = securityOf(keys, false)
  const { components = {} } = copy
  const described = Object(components.securitySchemes) as object
  return { ...copy, components: { ...components, securitySchemes: { ...schemes, ...described } } }
}

/** `GET /v1/contacts/{id}` of a document. */
function operationAt({ paths = {} }: Described, name: string): Operation | undefined {
  const [method = '', path = '', ...more] = name.split(' ')
  if (more.length > 0 || !METHODS.includes(method.toLowerCase()) || !Object.hasOwn(paths, path)) return undefined
  const operation = (paths[path] as Record<string, unknown> | undefined)?.[method.toLowerCase()]
  return isObject(operation) ? (operation as Operation) : undefined
}

function describe(
  operation: Operation,
  demand: AnyDemand,
  keys: WithDoor | readonly WithDoor[],
  doors: readonly [Door, ...Door[]],
) {
  const { needs, any, optional } = doors[0].compile(demand, doors)
  const { security } = securityOf(keys, optional)
  operation.security ??= any
    ? needs.flatMap((scope) => requiring(security, [scope], false))
    : requiring(security, needs, true)
  if (any && optional) operation.security = [...(operation.security as Security), {}]
  operation.responses = { ...refusals(needs.length > 0), ...(operation.responses as object | undefined) }
}

/** Role names beside a scheme that is not OAuth 2: since OpenAPI 3.1. */
function requiring(security: Security, scopes: readonly string[], anonymous: boolean): Security {
  const named = anonymous ? security : security.filter((schemes) => Object.keys(schemes).length > 0)
  return named.map((schemes) => Object.fromEntries(Object.keys(schemes).map((name) => [name, scopes])))
}

function refusals(needsScopes: boolean): Record<string, unknown> {
  const refusal = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: { type: 'object' } } },
  })
  return {
    401: refusal('The API key is missing, or is not valid.'),
    403: refusal(
      needsScopes
        ? 'The API key lacks a scope that is needed, or may not be used here.'
        : 'The API key may not be used here.',
    ),
    429: refusal('The API key has used up its rate limit.'),
  }
}
