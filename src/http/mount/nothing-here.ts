import { newRequestId, problemDocument, requestIdFields } from '../problem-document.ts'
import { NOT_FOUND } from '../problem-reply.ts'

/** What `mount` answers to a path that it hands to nobody. Not by way of the management routes: every entry has this. */
export function nothingHere(method: string): Response {
  const requestId = newRequestId()
  const body = JSON.stringify(problemDocument({ ...NOT_FOUND, code: 'not_found' }, requestId, {}))
  const headers = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...requestIdFields(requestId),
    'X-Should-Retry': 'false',
    'Content-Length': String(body.length),
  }
  return new Response(method === 'HEAD' ? null : body, { status: 404, headers })
}
