import * as actions from './actions.ts'
import type { ManagementVerb } from './authority.ts'

export interface Route {
  readonly method: string
  readonly path: string
  /** What it is called in the document. */
  readonly name: string
  /** What has to be allowed. */
  readonly verb: ManagementVerb
  readonly action: actions.Action
}

/** A route whose authority is the key that the request carries. */
type SelfRoute = Pick<Route, 'method' | 'path' | 'name'> & { readonly verb: 'self' }

/** Where the document of the routes is. */
export const DOCUMENT_PATH = '/openapi.json'
const AUDIT_PATH = '/audit'
const SELF_PATH = '/self'

/** Every route, below where the handler is mounted. */
const ROUTES = [
  { method: 'POST', path: '/', name: 'createKey', verb: 'create', action: actions.create },
  { method: 'GET', path: '/', name: 'listKeys', verb: 'list', action: actions.list },
  { method: 'GET', path: '/{id}', name: 'readKey', verb: 'read', action: actions.get },
  { method: 'PATCH', path: '/{id}', name: 'updateKey', verb: 'update', action: actions.update },
  { method: 'DELETE', path: '/{id}', name: 'removeKey', verb: 'remove', action: actions.remove },
  { method: 'GET', path: '/{id}/usage', name: 'readUsage', verb: 'read', action: actions.usage },
  { method: 'POST', path: '/{id}/rotate', name: 'rotateKey', verb: 'rotate', action: actions.rotate },
  { method: 'POST', path: '/{id}/disable', name: 'disableKey', verb: 'disable', action: actions.disable },
  { method: 'POST', path: '/{id}/enable', name: 'enableKey', verb: 'enable', action: actions.enable },
  { method: 'POST', path: '/{id}/revoke', name: 'revokeKey', verb: 'revoke', action: actions.revoke },
  { method: 'GET', path: AUDIT_PATH, name: 'listAudit', verb: 'audit', action: actions.listAudit },
  { method: 'GET', path: SELF_PATH, name: 'readSelf', verb: 'self' },
  { method: 'DELETE', path: SELF_PATH, name: 'endSelf', verb: 'self' },
] as const satisfies readonly (Route | SelfRoute)[]

export type RouteName = (typeof ROUTES)[number]['name']
export type NamedRoute = (Route | SelfRoute) & { readonly name: RouteName }

/** Which routes there are. */
export function routesFor({ self, audit }: { readonly self: boolean; readonly audit: boolean }): readonly NamedRoute[] {
  return ROUTES.filter(({ path }) => (path !== SELF_PATH || self) && (path !== AUDIT_PATH || audit))
}

const PATH = /^\/(?:([0-9A-Za-z]{12})(\/[a-z]+)?)?$/

/** The template and the id of a path; text that is no id of a key is no path of ours. */
export function placeOf(
  routes: readonly NamedRoute[],
  pathname: string,
): { readonly path: string; readonly id: string } | undefined {
  const [, id, more = ''] = PATH.exec(pathname) ?? []
  const path = id === undefined ? pathname : `/{id}${more}`
  const isKnown = path === DOCUMENT_PATH || routes.some((route) => route.path === path)
  return isKnown ? { path, id: id ?? '' } : undefined
}

/** The methods of a path, for `Allow`. */
export function methodsOf(routes: readonly NamedRoute[], path: string): readonly string[] {
  const methods =
    path === DOCUMENT_PATH ? ['GET'] : routes.filter((route) => route.path === path).map(({ method }) => method)
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
}
