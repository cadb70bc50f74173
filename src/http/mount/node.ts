import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { checkHandler } from '../handler.ts'
import { hasAnswered } from '../node.ts'
import { originForm, withCame } from './came-by.ts'
import { nothingHere } from './nothing-here.ts'
import { rewritten } from './rewritten.ts'
import { askSpeakable } from './speakable.ts'

/** What a handler is given beside the request, as `@hono/node-server` does: there it finds the socket. */
export interface Platform {
  readonly incoming: IncomingMessage
}

/** A handler in the manner of `fetch`: the routes of `keyward/management`, an application of Hono. */
export type FetchHandler = (request: Request, platform: Platform) => Response | Promise<Response>

/** What Node's own request has in common with those that frameworks make of it. */
interface Mounted {
  /** The path and the query below the mount point. */
  readonly url: string
  /** The body, where a parser has read it: written again. */
  readonly body?: Body | undefined
}

type Body = NonNullable<RequestInit['body']>

/**
 * Hands a request of Node to a fetch-style handler, and writes what it answers: whole or as a stream. The handler's
 * request is aborted when the client hangs up.
 * @throws what the handler throws, as a rejection
 */
export async function passOn(
  handler: FetchHandler,
  req: IncomingMessage,
  res: ServerResponse,
  mounted: Mounted,
): Promise<void> {
  const gone = new AbortController()
  const response = await answerOf(handler, req, res, mounted, gone)
  if (hasAnswered(res)) return void response.body?.cancel()
  res.statusCode = response.status
  for (const [name, value] of response.headers) if (name !== 'set-cookie') res.setHeader(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) res.setHeader('set-cookie', cookies)
  if (response.body === null || req.method === 'HEAD') {
    await response.body?.cancel()
    return void res.end()
  }
  try {
    await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), res)
  } catch (error) {
    // Half of an answer is written: a client that hung up needs no other, and for a broken body there is none.
    res.destroy(gone.signal.aborted ? undefined : (error as Error))
  }
}

/**
 * Mounts a fetch-style handler: `app.use('/keys', mount(handler))`. It sees the path below the mount point, and a body
 * that a parser has read already. What it throws goes to `next`.
 * @throws KeywardError `CONFIG` for a handler that is no function
 */
export function mount(
  handler: FetchHandler,
): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void {
  checkHandler(handler, "app.use('/keys', mount(handler))")
  return (req, res, next) => {
    const { body } = req as { body?: unknown }
    passOn(handler, req, res, { url: req.url ?? '/', body: rewritten(req, body) }).catch(next)
  }
}

const ORIGIN = /^https?:\/\/([\w.-]+|\[[\w:.]+\])(:\d+)?$/

/** A Host that is no host must not end in a fault: no decision is made by it. */
function originOf({ headers, socket }: IncomingMessage): string {
  const scheme = 'encrypted' in socket ? 'https' : 'http'
  const origin = `${scheme}://${headers.host ?? headers[':authority'] ?? ''}`
  return ORIGIN.test(origin) && URL.canParse(origin) ? origin : `${scheme}://localhost`
}

/**
 * What the handler answers.
 * @param gone aborted when the client hangs up before the answer has been written
 */
export function answerOf(
  handler: FetchHandler,
  req: IncomingMessage,
  res: ServerResponse,
  mounted: Mounted,
  gone = new AbortController(),
): Promise<Response> {
  return askSpeakable(req.method ?? 'GET', (method) => {
    const request = requestOf(req, { ...mounted, method }, gone.signal)
    res.once('close', () => {
      if (!res.writableEnded) gone.abort()
    })
    // What nobody has read by then is let go by: a client that sends it all before it reads would wait for ever (Deno).
    res.once('finish', () => void request.body?.cancel().catch(() => {}))
    return isAmbiguous(mounted.url) ? nothingHere(method) : handler(request, { incoming: req })
  })
}

/**
 * Whether a URL makes another path of this one than the host's router judged: it resolves `.` and `..`, also where they are
 * encoded, takes a backslash for a slash, and keeps what is behind a `#`. Who wrote such a path means to come by a rule, and
 * there is nothing where the router looked: 404, as for any path that `mount` hands to nobody.
 */
function isAmbiguous(url: string): boolean {
  return /^[^?]*([\\#]|(?<![^/])(\.|%2e){1,2}([/?]|$))/i.test(url)
}

/** The request as `fetch` has it. */
function requestOf(
  req: IncomingMessage,
  { url, body: parsed, method }: Mounted & { readonly method: string },
  signal: AbortSignal,
): Request {
  const headers = headersOf(req)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const body = hasBody ? (parsed ?? streamOf(req)) : null
  if (parsed !== undefined) for (const name of ['content-length', 'content-encoding']) headers.delete(name)
  // A path alone: `//evil/x` and `http://evil/x` name no other host here.
  const target = new URL(originOf(req))
  const [path = '', ...query] = originForm(url).split('?')
  target.pathname = path
  target.search = query.join('?')
  const init = { method, headers, signal, body, duplex: 'half' }
  return withCame(new Request(target, init as RequestInit), req)
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (!name.startsWith(':')) headers.append(name, rawHeaders[i + 1] as string)
  }
  return headers
}

/** Not `Readable.toWeb`, with which a handler that cancels the body ends the process (Node 20). */
function streamOf(req: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = req.iterator({ destroyOnReturn: false })
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const { done, value } = await chunks.next()
    if (done === true) controller.close()
    else controller.enqueue(new Uint8Array(value))
  }
  // What nobody reads is let go by, so that the connection can be used again.
  const cancel = async () => {
    await chunks.return?.()
    req.resume()
  }
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 })
}
