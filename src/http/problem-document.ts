import { randomUUID } from 'node:crypto'
import type { Wording } from './wording.ts'

export interface ProblemMembers {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly type: Wording['type'] | 'not_found_error'
  /** The field that is wrong. */
  readonly param?: string | undefined
}

/**
 * A problem document (RFC 9457). `error` is an extension member: there the SDKs of OpenAI and Anthropic look for the
 * class, the message and the code of what they raise.
 * @param more extension members of this one
 */
export function problemDocument(
  { code, status, title, detail, type, param }: ProblemMembers,
  requestId: string,
  more: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    type: `urn:keyward:problem:${code}`,
    title,
    status,
    detail,
    code,
    message: detail,
    request_id: requestId,
    ...more,
    error: { type, message: detail, code, param: param ?? null, details: { error_code: code } },
  }
}

/** The id of a request under both names by which the SDKs look for it. */
export function requestIdFields(requestId: string): { readonly 'X-Request-Id': string; readonly 'Request-Id': string } {
  return { 'X-Request-Id': requestId, 'Request-Id': requestId }
}

export function newRequestId(): string {
  return `req_${randomUUID().replaceAll('-', '')}`
}
