import type { Awaitable } from '../../model/awaitable.ts'
import { checkHandler } from '../handler.ts'
import { cameBy, withCame } from './came-by.ts'
import { mountPoint } from './mount-point.ts'
import { nothingHere } from './nothing-here.ts'
import { askSpeakable } from './speakable.ts'

/**
 * What a handler below a mount point answers, which sees the path below it.
 * @param read the body, where a parser has read it already
 * @returns `undefined` for a request to anywhere else
 */
export async function answerBelow(
  request: Request,
  base: string,
  handler: (request: Request) => Awaitable<Response>,
  read?: () => Promise<ArrayBuffer>,
): Promise<Response | undefined> {
  const url = new URL(request.url)
  const { pathname } = url
  if (pathname !== base && !pathname.startsWith(`${base}/`)) return undefined
  url.pathname = pathname.slice(base.length) || '/'
  return askSpeakable(request.method, async (method) => {
    const init = request.bodyUsed && read !== undefined ? withBody(request, await read()) : asItIs(request)
    return handler(withCame(new Request(url, { ...init, method }), cameBy(request) ?? { url: pathname }))
  })
}

/**
 * What the request is made of, field by field: the stand-in of `@hono/node-server` cannot be copied whole where a
 * request has no `duplex` (Deno, Bun). `cf` is what Cloudflare tells of a request.
 */
function asItIs(request: Request & { readonly cf?: unknown }): RequestInit {
  const { headers, body, signal, redirect, cf } = request
  return { headers, body, signal, redirect, ...(cf !== undefined && { cf }), duplex: 'half' } as RequestInit
}

/** What a parser wrote again may be of another length. */
function withBody({ headers, signal }: Request, body: ArrayBuffer): RequestInit {
  const fields = new Headers(headers)
  fields.delete('content-length')
  return { headers: fields, signal, body }
}

/** A handler in the manner of `fetch`, with what the runtime gives beside the request. */
export type HandlerBelow<Rest extends readonly unknown[]> = (request: Request, ...rest: Rest) => Awaitable<Response>

/**
 * Mounts a fetch-style handler, such as that of `keyward/management`: `mount('/keys', handler)`. It sees the path below
 * the mount point, and what the runtime gives beside the request. A request to anywhere else is answered with 404.
 * @throws KeywardError `CONFIG` for what is no path, and a handler that is no function
 */
export function mount<Rest extends readonly unknown[]>(
  path: string,
  handler: HandlerBelow<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const base = mountPoint(path)
  checkHandler(handler, "mount('/keys', handler)")
  return async (request, ...rest) => {
    const answer = await answerBelow(request, base, (below) => handler(below, ...rest))
    return answer ?? nothingHere(request.method)
  }
}
