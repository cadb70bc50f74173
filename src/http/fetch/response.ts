import type { Answer } from '../../model/answer.ts'
import { varyWith } from '../vary.ts'

/** For which request a guard has said on a response what is left. */
const guarded = new WeakMap<Response, Request>()

/** Notes that a guard has said it. */
export function said(response: Response, request: Request): Response {
  guarded.set(response, request)
  return response
}

/** A refusal. Its length is stated because a runtime cannot know it of the answer to `HEAD`. */
export function responseOf(answer: Answer, request: Request): Response {
  return said(new Response(answer.body, { status: answer.status, headers: fieldsOf(answer) }), request)
}

/** One by one: what the host wrote in another case takes the place of ours, as it does on Node. */
export function fieldsOf({ headers, body }: Answer): Headers {
  const fields = new Headers()
  for (const name of Object.keys(headers)) fields.set(name, headers[name] as string)
  fields.set('Content-Length', String(new TextEncoder().encode(body).length))
  return fields
}

/** Statuses of answers that have no body. */
const BODYLESS = [204, 205, 304]
/** Bun makes up the type of a text when it sends it, and no more once its body was looked at. */
const MAY_LOOK = !('Bun' in globalThis)

/**
 * Whether a response has no body: it may be the host's constant, which is not to be written on. Where a type is stated there
 * is one, which is not looked at: Deno would not know its length any more.
 */
export function isEmpty(response: Response): boolean {
  if (BODYLESS.includes(response.status)) return true
  return MAY_LOOK && !response.headers.has('content-type') && response.body === null
}

/**
 * The response with these fields added; what a guard within has said, which took later, stays. One that can be neither changed
 * nor copied, such as an upgrade's, stays as it is.
 * @param given what the handler was given, and so a guard within
 * @param request what this guard was given
 */
export function withHeaders(
  response: Response,
  headers: Readonly<Record<string, string>>,
  given: Request,
  request: Request,
): Response {
  const isSaid = guarded.get(response) === given
  const set = (to: Response) => {
    for (const [name, value] of Object.entries(headers)) {
      if (name === 'Vary') to.headers.set(name, varyWith(to.headers.get(name), value))
      else if (!isSaid || !to.headers.has(name)) to.headers.set(name, value)
    }
    return said(to, request)
  }
  try {
    return set(isEmpty(response) && response.status >= 200 ? new Response(null, response) : response)
  } catch {
    // Headers of a redirect, or of what fetch() gave, are immutable.
    return response.status >= 200 ? set(new Response(response.body, response)) : response
  }
}
