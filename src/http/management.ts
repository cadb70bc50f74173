import type { ApiKeys } from '../api-keys.ts'
import { DOOR } from './door.ts'
import type { Visit } from './management-actions.ts'
import { identify, isAllowed } from './management-authority.ts'
import { preconditionOf } from './management-etag.ts'
import { replyTo, replyToFault } from './management-faults.ts'
import { type ManagementOptions, readOptions } from './management-options.ts'
import { isCrossSite } from './management-origin.ts'
import { refusal } from './management-problems.ts'
import { type Reply, responseTo } from './management-reply.ts'
import { DOCUMENT_PATH, methodsOf, placeOf, ROUTES, type Route } from './management-routes.ts'
import { documentOf, type OpenApiDocument } from './openapi.ts'

export type { Authority, Authorize, ManagementVerb } from './management-authority.ts'
export type { DocumentOptions, ManagementOptions } from './management-options.ts'
export type { OpenApiDocument } from './openapi.ts'
export { describeGuards } from './openapi-guards.ts'

/**
 * The routes by which people manage their keys, as one fetch-style handler: mount it where they shall be. Each request
 * is for whom `authorize` says, and whatever it does is done under that owner and resource.
 * @throws KeywardError `CONFIG` without `authorize`, and for each wrong option
 */
export function management(keys: ApiKeys, options: ManagementOptions): (request: Request) => Promise<Response> {
  const settings = readOptions(keys, options)
  const document = documentOf(settings)
  const { realm } = keys[DOOR].settings

  return async function manageApiKeys(request) {
    const reply = await answer(request)
    return responseTo(reply, request.method === 'HEAD')
  }

  async function answer(request: Request): Promise<Reply> {
    try {
      return await serve(request)
    } catch (error) {
      settings.onError(error, request)
      return replyToFault(error)
    }
  }

  async function serve(request: Request): Promise<Reply> {
    if (isCrossSite(request, settings.origins)) return refusal('cross_site_request')
    const authority = await identify(settings.authorize, request, settings.patience)
    if (authority === undefined) {
      return refusal('unauthenticated', { headers: { 'WWW-Authenticate': `Bearer realm="${realm}"` } })
    }
    const place = placeOf(new URL(request.url).pathname)
    if (place === undefined) return refusal('not_found')
    const route = routeFor(request, place.path)
    if (route === undefined) {
      return refusal('method_not_allowed', { headers: { Allow: methodsOf(place.path).join(', ') } })
    }
    if (route === 'document') return { status: 200, body: document }
    if (!(await isAllowed(authority, route.verb, settings.patience))) return refusal('forbidden')
    const precondition = preconditionOf(request.headers)
    return act(route, { keys, request, authority, id: place.id, precondition, path: settings.path })
  }
}

/** The document of the routes (OpenAPI 3.1), to be written to a file. It is what `GET /openapi.json` answers. */
export function managementDocument({
  path,
  document = {},
}: Pick<ManagementOptions, 'path' | 'document'> = {}): OpenApiDocument {
  return documentOf({ path, document })
}

/** A request that means another method than it says is refused: what stands before us may have judged it by that. */
function routeFor({ method, headers }: Request, path: string): Route | 'document' | undefined {
  if (headers.has('x-http-method-override') || headers.has('x-method-override')) return undefined
  const asked = method === 'HEAD' ? 'GET' : method
  if (path === DOCUMENT_PATH) return asked === 'GET' ? 'document' : undefined
  return ROUTES.find((route) => route.path === path && route.method === asked)
}

async function act(route: Route, visit: Visit): Promise<Reply> {
  try {
    return await route.action(visit)
  } catch (error) {
    if (visit.precondition?.failed() === true) return refusal('precondition_failed')
    const reply = replyTo(error)
    if (reply === undefined) throw error
    return reply
  }
}
