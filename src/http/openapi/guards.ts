import type { ApiKeys, ScopeKnownTo } from '../../api-keys.ts'
import type { AnyDemand, Demand } from '../../model/demand.ts'
import { flawed, type Issue } from '../../model/errors.ts'
import { isObject } from '../../model/is-object.ts'
import { DENIALS, type DenialCode } from '../../model/verdict.ts'
import type { Requirement } from '../../policy/demand.ts'
import { type Door, doorsOf, type WithDoor } from '../door.ts'
import { type Security, securityOf } from '../security.ts'
import { WORDING } from '../wording.ts'
import { byStatus, type ToldRefusal, toldAs } from './refusals.ts'

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
  const requirement = doors[0].compile(demand, doors)
  const { needs, any, optional } = requirement
  const { security } = securityOf(keys, optional)
  operation.security ??= any
    ? needs.flatMap((scope) => requiring(security, [scope], false))
    : requiring(security, needs, true)
  if (any && optional) operation.security = [...(operation.security as Security), {}]
  const refusals = byStatus(refusalsOf(requirement, doors), { type: 'object' })
  operation.responses = { ...refusals, ...(operation.responses as object | undefined) }
}

/** Role names beside a scheme that is not OAuth 2: since OpenAPI 3.1. */
function requiring(security: Security, scopes: readonly string[], anonymous: boolean): Security {
  const named = anonymous ? security : security.filter((schemes) => Object.keys(schemes).length > 0)
  return named.map((schemes) => Object.fromEntries(Object.keys(schemes).map((name) => [name, scopes])))
}

/** What requests to these instances may be refused for, with the status and the title that the host gives it. */
function refusalsOf(requirement: Requirement, doors: readonly Door[]): readonly ToldRefusal[] {
  return doors.flatMap((door) =>
    codesOf(requirement, door).map((code) => toldAs(code, [requirement.answers, door.settings.answers])),
  )
}

/** All but those that neither the instance nor the demand gives a reason for. */
function codesOf(requirement: Requirement, { instance, settings }: Door): readonly DenialCode[] {
  const { optional, environment, owner, resource, needs } = requirement
  const never: { readonly [code in DenialCode]?: boolean } = {
    tls_required: instance.isSecure === undefined,
    missing_credentials: optional,
    incomplete_credentials: !instance.pair,
    environment_mismatch: environment === undefined,
    owner_mismatch: owner === undefined,
    resource_mismatch: resource === '*',
    insufficient_scope: needs.length === 0,
  }
  const isTold = (code: DenialCode) => settings.reveal === 'holder' || WORDING[code].hidden === undefined
  return (Object.keys(DENIALS) as DenialCode[]).filter((code) => never[code] !== true && isTold(code))
}
