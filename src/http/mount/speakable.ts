import type { Awaitable } from '../../model/awaitable.ts'

/** Methods that a fetch `Request` cannot have. */
const UNSPEAKABLE = /^(CONNECT|TRAC[EK])$/i
/** Those that it can have: said where a handler does not say which ones it knows. */
const SPEAKABLE = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

/**
 * Asks a handler by a method that a `Request` can have. It cannot be asked by `TRACE`: that is refused as it refuses `OPTIONS`,
 * which changes nothing either, or by 405 with the methods that it names there.
 */
export async function askSpeakable(method: string, ask: (method: string) => Awaitable<Response>): Promise<Response> {
  if (!UNSPEAKABLE.test(method)) return ask(method)
  const answer = await ask('OPTIONS')
  if (answer.status >= 400) return answer
  await answer.body?.cancel()
  return new Response(null, { status: 405, headers: { Allow: answer.headers.get('allow') ?? SPEAKABLE } })
}
