import * as actions from './management-actions.ts'
import type { ManagementVerb } from './management-authority.ts'

export interface Route {
  readonly method: string
  readonly path: string
  /** What has to be allowed. */
  readonly verb: ManagementVerb
  readonly action: actions.Action
}

/** Where the document of the routes is. */
export const DOCUMENT_PATH = '/openapi.json'

/** Every route, below where the handler is mounted. */
export const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/', verb: 'create', action: actions.create },
  { method: 'GET', path: '/', verb: 'list', action: actions.list },
  { method: 'GET', path: '/{id}', verb: 'read', action: actions.get },
  { method: 'PATCH', path: '/{id}', verb: 'update', action: actions.update },
  { method: 'DELETE', path: '/{id}', verb: 'remove', action: actions.remove },
  { method: 'POST', path: '/{id}/rotate', verb: 'rotate', action: actions.rotate },
  { method: 'POST', path: '/{id}/disable', verb: 'disable', action: actions.disable },
  { method: 'POST', path: '/{id}/enable', verb: 'enable', action: actions.enable },
  { method: 'POST', path: '/{id}/revoke', verb: 'revoke', action: actions.revoke },
]

const PATH = /^\/(?:([0-9A-Za-z]{12})(\/[a-z]+)?)?$/

/** The template and the id of a path; text that is no id of a key is no path of ours. */
export function placeOf(pathname: string): { readonly path: string; readonly id: string } | undefined {
  const [, id, more = ''] = PATH.exec(pathname) ?? []
  const path = id === undefined ? pathname : `/{id}${more}`
  const isKnown = path === DOCUMENT_PATH || ROUTES.some((route) => route.path === path)
  return isKnown ? { path, id: id ?? '' } : undefined
}

/** The methods of a path, for `Allow`. */
export function methodsOf(path: string): readonly string[] {
  const methods =
    path === DOCUMENT_PATH ? ['GET'] : ROUTES.filter((route) => route.path === path).map(({ method }) => method)
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
}
