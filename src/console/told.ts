import { DOOR, type WithDoor } from '../http/door.ts'
import { type Authority, isAllowed, type ManagementVerb } from '../http/management/authority.ts'
import { credentialHeaders, readsBare } from './credential.ts'
import type { ConsolePlan } from './options.ts'
import type { ConsoleSettings, ScopeGroup, WindowLimits } from './settings.ts'

type Fixed = Omit<ConsoleSettings, 'may' | 'resource'>
type Coverage = (scope: string) => boolean

/** The verbs that the page has a control for. */
const VERBS: readonly ManagementVerb[] = [
  'create',
  'list',
  'read',
  'update',
  'rotate',
  'disable',
  'enable',
  'revoke',
  'remove',
]

/** What the page is told of the instance, the same for everybody. */
export function describeInstance(keys: WithDoor, plan: ConsolePlan, fields: readonly string[] | undefined): Fixed {
  const { baseUrls, models, title, browserKey, rememberKeys, snippets, windows } = plan
  const { instance, context, making } = keys[DOOR]
  const scopes = context.vocabulary === undefined ? undefined : groupsOf(context.vocabulary)
  return {
    ...said({ title, fields, windows, snippets }),
    ...(rememberKeys ? { rememberKeys } : {}),
    baseUrls,
    models,
    credential: credentialHeaders(instance.sources),
    readsXApiKey: readsBare(instance.sources, 'x-api-key'),
    pair: instance.pair,
    environments: context.environments,
    names: making.names,
    ...said({ scopes }),
    limits: { defaults: numbersOf(making.plan.defaults), max: numbersOf(making.plan.max) },
    browserKey,
  }
}

/** That, and what whoever looks may do and grant. */
export async function tellSettings(
  fixed: Fixed,
  authority: Authority,
  patience: number,
  coverage: (grants: readonly string[]) => Coverage,
): Promise<ConsoleSettings> {
  const answers = await Promise.all(VERBS.map((verb) => isAllowed(authority, verb, patience)))
  const may = VERBS.filter((_, i) => answers[i])
  const { resource, grants } = authority
  const scopes = grants === undefined ? fixed.scopes : grantable(fixed.scopes, coverage(grants))
  return { ...fixed, may, ...said({ resource, scopes }) }
}

/** The rows and boxes that are left. */
function grantable(groups: readonly ScopeGroup[] | undefined, covers: Coverage): readonly ScopeGroup[] | undefined {
  return groups?.flatMap(({ resource, actions }): ScopeGroup[] => {
    const left = actions.filter((action) => covers(`${resource}:${action}`))
    if (left.length === 0) return []
    return [{ resource, actions: left, ...(covers(`${resource}:*`) ? {} : { whole: false }) }]
  })
}

type Said<T> = { readonly [name in keyof T]?: Exclude<T[name], undefined> }

/** Without what is undefined. */
function said<T extends object>(members: T): Said<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Said<T>
}

/** `contacts:read` and `contacts:delete` → `contacts` with both: a row of the grid. */
function groupsOf(vocabulary: Iterable<string>): readonly ScopeGroup[] {
  const groups = new Map<string, string[]>()
  for (const scope of vocabulary) {
    const colon = scope.indexOf(':')
    const resource = scope.slice(0, colon)
    groups.set(resource, [...(groups.get(resource) ?? []), scope.slice(colon + 1)])
  }
  return [...groups].map(([resource, actions]) => ({ resource, actions }))
}

function numbersOf(windows: Readonly<Record<string, { readonly limit: number } | null>>): WindowLimits {
  return Object.fromEntries(
    Object.entries(windows).flatMap(([name, window]) => (window === null ? [] : [[name, window.limit]])),
  )
}
