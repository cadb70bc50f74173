import { type Issue, issuesInWords, toldIssues } from '../../model/errors.ts'
import { NOT_FOUND, type Problem, type ProblemDetails, problemReply } from '../problem-reply.ts'
import type { Reply } from './reply.ts'

/** Every way in which a management route refuses. */
export const PROBLEMS = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    detail: 'The request is not as this route needs it.',
    type: 'invalid_request_error',
  },
  unauthenticated: {
    status: 401,
    title: 'Not signed in',
    detail: 'API keys are managed by whoever is signed in.',
    type: 'authentication_error',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    detail: 'You may not do this to API keys.',
    type: 'permission_error',
  },
  cross_site_request: {
    status: 403,
    title: 'Cross-site request',
    detail: 'API keys cannot be changed from pages of another site.',
    type: 'permission_error',
  },
  not_found: NOT_FOUND,
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This route does not know the method.',
    type: 'invalid_request_error',
  },
  conflict: {
    status: 409,
    title: 'Conflict',
    detail: 'Something else is in the way.',
    type: 'invalid_request_error',
  },
  invalid_state: {
    status: 409,
    title: 'Not in this state',
    detail: 'The state of the API key forbids this.',
    type: 'invalid_request_error',
  },
  precondition_failed: {
    status: 412,
    title: 'Changed meanwhile',
    detail: 'The API key is not as If-Match expects it. Read it again.',
    type: 'invalid_request_error',
  },
  content_too_large: {
    status: 413,
    title: 'Content too large',
    detail: 'The body may have at most 65536 bytes.',
    type: 'invalid_request_error',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'The body must be JSON, sent as application/json in UTF-8 without a content coding.',
    type: 'invalid_request_error',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    detail: 'The Idempotency-Key was used before, with another body.',
    type: 'invalid_request_error',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong here.',
    type: 'api_error',
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    detail: 'API keys cannot be managed at the moment. Try again shortly.',
    type: 'api_error',
  },
} as const satisfies Readonly<Record<string, Problem>>

export type ProblemCode = keyof typeof PROBLEMS

export function refusal(code: ProblemCode, details?: ProblemDetails): Reply {
  return problemReply(code, PROBLEMS[code], details)
}

/** What a 401 has to say of how to sign in (RFC 9110 section 15.5.2). */
export function challengeIn(realm: string): { readonly 'WWW-Authenticate': string } {
  return { 'WWW-Authenticate': `Bearer realm="${realm}"` }
}

/** The refusal of fields that are wrong. */
export function invalid(found: readonly Issue[]): Reply {
  const issues = toldIssues(found)
  return refusal('invalid_request', { detail: issuesInWords(issues, 'The body'), issues })
}
