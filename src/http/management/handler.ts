import type { ApiKeys } from '../../api-keys.ts'
import { DOOR } from '../door.ts'
import { atOnce } from '../fetch/address.ts'
import { fetchFacts } from '../fetch/facts.ts'
import { documentOf } from '../openapi.ts'
import type { Visit } from './actions.ts'
import { identify, isAllowed } from './authority.ts'
import { type Precondition, preconditionOf } from './etag.ts'
import { replyTo, replyToFault } from './faults.ts'
import type { ManagementSettings } from './options.ts'
import { isCrossSite } from './origin.ts'
import { challengeIn, refusal } from './problems.ts'
import { type Reply, responseTo } from './reply.ts'
import { DOCUMENT_PATH, methodsOf, type NamedRoute, placeOf, type Route, routesFor } from './routes.ts'
import { bodiesOf, settable } from './schemas.ts'
import { selfService } from './self.ts'

/** What `management` gives, of options that were read: the page, which has the routes below it, has read them, too. */
export function managementHandler(
  keys: ApiKeys,
  settings: ManagementSettings,
): (request: Request, platform?: unknown) => Promise<Response> {
  const { origins, authorize, patience, path, audit } = settings
  const routes = routesFor({ self: settings.self, audit: audit !== undefined })
  const bodies = bodiesOf(settable(settings.fields, keys))
  const document = documentOf(settings, routes, keys)
  const { addressOf, settings: told } = keys[DOOR]
  const serveSelf = selfService(keys)

  return async function manageApiKeys(request, platform) {
    const reply = await answer(request, platform)
    return reply instanceof Response ? reply : responseTo(reply, request.method === 'HEAD')
  }

  async function answer(request: Request, platform: unknown): Promise<Reply | Response> {
    try {
      return await serve(request, platform)
    } catch (error) {
      settings.onError(error, request)
      return replyToFault(error)
    }
  }

  async function serve(request: Request, platform: unknown): Promise<Reply | Response> {
    if (isCrossSite(request, origins)) return refusal('cross_site_request')
    const place = placeOf(routes, new URL(request.url).pathname)
    const found = place === undefined ? 'nothing' : routeFor(routes, request, place.path)
    const facts = fetchFacts(request, platform, atOnce(settings.address(request, platform)), request)
    const precondition = preconditionOf(request.headers)
    if (typeof found === 'object' && found.verb === 'self') {
      const call = { method: request.method, facts, address: addressOf(facts), precondition }
      return act(precondition, () => serveSelf(call))
    }
    const authority = await identify(authorize, { request, platform }, patience)
    if (authority === undefined) {
      return refusal('unauthenticated', { headers: challengeIn(told.realm) })
    }
    if (place === undefined || found === 'nothing') return refusal('not_found')
    if (found === undefined) {
      return refusal('method_not_allowed', { headers: { Allow: methodsOf(routes, place.path).join(', ') } })
    }
    if (found === 'document') return { status: 200, body: document }
    if (!(await isAllowed(authority, found.verb, patience))) return refusal('forbidden')
    const visit: Visit = {
      keys,
      request,
      authority,
      id: place.id,
      precondition,
      address: addressOf(facts),
      path,
      audit,
      bodies,
    }
    return act(precondition, () => found.action(visit))
  }
}

type Found = Route | Extract<NamedRoute, { readonly verb: 'self' }> | 'document' | undefined

/** A request that means another method than it says is refused: what stands before us may have judged it by that. */
function routeFor(routes: readonly NamedRoute[], { method, headers }: Request, path: string): Found {
  if (headers.has('x-http-method-override') || headers.has('x-method-override')) return undefined
  const asked = method === 'HEAD' ? 'GET' : method
  if (path === DOCUMENT_PATH) return asked === 'GET' ? 'document' : undefined
  return routes.find((route) => route.path === path && route.method === asked)
}

async function act<T>(precondition: Precondition | undefined, work: () => Promise<T>): Promise<T | Reply> {
  try {
    return await work()
  } catch (error) {
    if (precondition?.failed() === true) return refusal('precondition_failed')
    const reply = replyTo(error)
    if (reply === undefined) throw error
    return reply
  }
}
