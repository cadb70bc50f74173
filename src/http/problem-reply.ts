import type { Issue } from '../model/errors.ts'
import type { Reply } from './management/reply.ts'
import { newRequestId, type ProblemMembers, problemDocument, requestIdFields } from './problem-document.ts'

export type Problem = Omit<ProblemMembers, 'code'>

/** Said by the management routes, and by `mount` to a request to anywhere else. */
export const NOT_FOUND = {
  status: 404,
  title: 'Not found',
  detail: 'There is nothing here.',
  type: 'not_found_error',
} as const satisfies Problem

export interface ProblemDetails {
  readonly detail?: string
  /** The fields that are wrong. */
  readonly issues?: readonly Issue[]
  /** The change may or may not have happened. */
  readonly outcome?: 'unknown'
  readonly headers?: Readonly<Record<string, string>>
}

/** A problem document with the members that Keyward's refusals of requests have, and `issues` by field. */
export function problemReply(code: string, usual: Problem, { headers, ...details }: ProblemDetails = {}): Reply {
  const { detail = usual.detail, issues, outcome } = details
  const requestId = newRequestId()
  const param = issues?.[0]?.path || undefined
  return {
    status: usual.status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...requestIdFields(requestId),
      ...(usual.status === 503 ? { 'Retry-After': '1' } : { 'X-Should-Retry': 'false' }),
      ...headers,
    },
    body: problemDocument({ ...usual, code, detail, param }, requestId, { issues, outcome }),
  }
}
