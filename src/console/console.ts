import type { ApiKeys } from '../api-keys.ts'
import { DOOR } from '../http/door.ts'
import { type Arrival, type Authority, identify } from '../http/management/authority.ts'
import { replyToFault } from '../http/management/faults.ts'
import { managementHandler } from '../http/management/handler.ts'
import { readOptions } from '../http/management/options.ts'
import { challengeIn, refusal } from '../http/management/problems.ts'
import { responseTo } from '../http/management/reply.ts'
import { askedAt } from '../http/mount/came-by.ts'
import { type Asset, assetsOf, takesGzip, zip } from './assets.ts'
import { firstAnswers } from './first.ts'
import { languageOf } from './language.ts'
import { type ConsoleOptions, readConsoleOptions } from './options.ts'
import { documentOf, PAGE_HEADERS } from './page.ts'
import { type ConsoleSettings, SETTINGS } from './settings.ts'
import { describeInstance, tellSettings } from './told.ts'
import { wordingOf } from './wording.ts'

export type { Authority, Authorize, Beside, KeyField, ManagementVerb } from '../http/management.ts'
export type { ConsoleOptions } from './options.ts'
export type { BaseUrls, Endpoints, HostSnippet } from './settings.ts'
export type { ConsoleTexts, HostTexts } from './wording.ts'

/**
 * The API Keys page and the management routes below it, as one fetch-style handler: mount it where the page shall be. A
 * `GET` of the mount point is the page, unless it accepts JSON and no HTML: then it is the list, as `management` has it.
 * @throws KeywardError `CONFIG` without `authorize` or `baseUrl`, and for each wrong option
 */
export function consolePage(
  keys: ApiKeys,
  options: ConsoleOptions,
): (request: Request, platform?: unknown) => Promise<Response> {
  const [plan, routes] = readConsoleOptions(options)
  const read = readOptions(keys, routes)
  const { authorize, patience, onError, path, fields } = read
  const manage = managementHandler(keys, read)
  const fixed = describeInstance(keys, plan, fields)
  const wording = wordingOf(plan.texts)
  const assets = assetsOf(wording)
  const challenge = challengeIn(keys[DOOR].settings.realm)

  return async function apiKeysPage(request, platform) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return manage(request, platform)
    const { pathname } = new URL(request.url)
    const asset = assets.get(pathname)
    if (asset !== undefined) return serveAsset(request, asset)
    if (pathname === '/' && wantsPage(request)) return guarded({ request, platform }, servePage)
    if (pathname === `/${SETTINGS}`) return guarded({ request, platform }, serveSettings)
    return manage(request, platform)
  }

  async function servePage(arrival: Arrival): Promise<Response> {
    const { request } = arrival
    const authority = await identify(authorize, arrival, patience)
    const language = languageOf(request.headers.get('accept-language'))
    const { title, stylesheet } = plan
    const parts = { language, title, stylesheet, base: baseOf(request, path) }
    if (authority === undefined) return sendDocument(request, 401, documentOf(parts), challenge)
    const settings = () => settingsFor(authority)
    const answers = await firstAnswers({ keys, authority, language, texts: wording[language], settings })
    return sendDocument(request, 200, documentOf({ ...parts, answers }))
  }

  async function serveSettings(arrival: Arrival): Promise<Response> {
    const { request } = arrival
    const authority = await identify(authorize, arrival, patience)
    const isSilent = request.method === 'HEAD'
    if (authority === undefined) return responseTo(refusal('unauthenticated', { headers: challenge }), isSilent)
    return responseTo({ status: 200, body: await settingsFor(authority) }, isSilent)
  }

  function settingsFor(authority: Authority): Promise<ConsoleSettings> {
    return tellSettings(fixed, authority, patience, keys[DOOR].making.coverage)
  }

  async function guarded(arrival: Arrival, serve: (arrival: Arrival) => Promise<Response>): Promise<Response> {
    const { request } = arrival
    try {
      return await serve(arrival)
    } catch (error) {
      onError(error, request)
      return responseTo(replyToFault(error), request.method === 'HEAD')
    }
  }
}

/** A browser that opens an address asks for HTML; the page's own script and other clients ask for JSON. */
function wantsPage({ headers }: Request): boolean {
  const accept = headers.get('accept') ?? ''
  return /\btext\/html\b/i.test(accept) || !/\bapplication\/json\b/i.test(accept)
}

/**
 * What links of the page begin with. Relative to what the browser asked for, they also hold behind a proxy that takes a
 * part of the path away.
 */
function baseOf(request: Request, path: string | undefined): string {
  if (path !== undefined) return `${path}/`
  const asked = askedAt(request) ?? '/'
  const last = asked.slice(asked.lastIndexOf('/') + 1)
  return SEGMENT.test(last) ? `./${last}/` : './'
}

/** Of what RFC 3986 lets a segment be made (`pchar`): no space, quote or bracket, and `'` and `&` are escaped in markup. */
const SEGMENT = /^[\w.~%!$&'()*+,;=:@-]+$/

/** Nothing in it is secret: its size tells nobody anything. */
async function sendDocument(request: Request, status: number, html: string, more?: object): Promise<Response> {
  const headers = { ...PAGE_HEADERS, ...more }
  if (!takesGzip(request)) return new Response(bodyFor(request, html), { status, headers })
  const zipped = { ...headers, 'Content-Encoding': 'gzip' }
  return new Response(bodyFor(request, new Uint8Array(await zip(html))), asEncoded({ status, headers: zipped }))
}

async function serveAsset(request: Request, asset: () => Promise<Asset>): Promise<Response> {
  const { type, plain, zipped, tag } = await asset()
  const headers = {
    'Content-Type': type,
    'Cache-Control': 'no-cache', // asked for again each time, and answered with 304
    ETag: tag,
    Vary: 'Accept-Encoding',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-site',
  }
  if (request.headers.get('if-none-match')?.includes(tag)) return new Response(null, { status: 304, headers })
  const isZipped = takesGzip(request)
  const body = isZipped ? zipped : plain
  const coding = isZipped ? { 'Content-Encoding': 'gzip' } : undefined
  const length = { 'Content-Length': String(body.byteLength) }
  return new Response(bodyFor(request, body), asEncoded({ headers: { ...headers, ...coding, ...length } }))
}

/** As it stands: Workers would compress once more what says that it is compressed. */
function asEncoded(init: ResponseInit): ResponseInit & { readonly encodeBody: 'manual' } {
  return { ...init, encodeBody: 'manual' }
}

function bodyFor<T>({ method }: Request, body: T): T | null {
  return method === 'HEAD' ? null : body
}
