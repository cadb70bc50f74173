import type { DenialCode } from '../model/verdict.ts'

/** How a refusal is told to people, and to the SDKs that people use. */
export interface Wording {
  readonly title: string
  readonly detail: string
  /** The class of error in the vocabulary that the OpenAI and Anthropic SDKs share. */
  readonly type:
    | 'authentication_error'
    | 'billing_error'
    | 'permission_error'
    | 'rate_limit_error'
    | 'api_error'
    | 'invalid_request_error'
  /** The error of the challenge (RFC 6750 section 3.1), where there is one. */
  readonly challenge?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  /** A code as which it is told where the instance reveals nothing. */
  readonly hidden?: 'invalid_key'
}

export const WORDING: Readonly<Record<DenialCode, Wording>> = {
  tls_required: {
    title: 'TLS required',
    detail: 'API keys are taken over HTTPS only. One that was sent without it may have been read: replace it.',
    type: 'permission_error',
  },
  missing_credentials: {
    title: 'API key required',
    detail: 'No API key was sent.',
    type: 'authentication_error',
  },
  incomplete_credentials: {
    title: 'API key and secret are required',
    detail: 'API key and secret are required: only one of them was sent.',
    type: 'authentication_error',
  },
  ambiguous_credentials: {
    title: 'Ambiguous credentials',
    detail: 'The request carries more than one API key, or a header that may hold one more than once.',
    type: 'invalid_request_error',
    challenge: 'invalid_request',
  },
  invalid_key: {
    title: 'Invalid API key',
    detail: 'The API key is not valid.',
    type: 'authentication_error',
    challenge: 'invalid_token',
  },
  revoked: {
    title: 'API key revoked',
    detail: 'This API key was revoked.',
    type: 'authentication_error',
    challenge: 'invalid_token',
    hidden: 'invalid_key',
  },
  disabled: {
    title: 'API key disabled',
    detail: 'This API key is disabled.',
    type: 'authentication_error',
    challenge: 'invalid_token',
    hidden: 'invalid_key',
  },
  expired: {
    title: 'API key expired',
    detail: 'This API key has expired.',
    type: 'authentication_error',
    challenge: 'invalid_token',
    hidden: 'invalid_key',
  },
  environment_mismatch: {
    title: 'Wrong environment',
    detail: 'This API key belongs to another environment.',
    type: 'permission_error',
  },
  ip_not_allowed: {
    title: 'Address not allowed',
    detail: 'This API key may not be used from this address.',
    type: 'permission_error',
  },
  owner_mismatch: {
    title: 'Wrong owner',
    detail: 'This API key may not act for this owner.',
    type: 'permission_error',
  },
  resource_mismatch: {
    title: 'Wrong resource',
    detail: 'This API key may not act on this resource.',
    type: 'permission_error',
  },
  insufficient_scope: {
    title: 'Permission denied',
    detail: 'This API key lacks a scope that the request needs.',
    type: 'permission_error',
    challenge: 'insufficient_scope',
  },
  account_suspended: {
    title: 'Account suspended',
    detail: 'The account of this API key is suspended.',
    type: 'permission_error',
  },
  insufficient_balance: {
    title: 'Insufficient balance',
    detail: 'The balance of this API key does not cover the request.',
    type: 'billing_error',
  },
  rate_limited: {
    title: 'Rate limit exceeded',
    detail: 'This API key has used up its rate limit.',
    type: 'rate_limit_error',
  },
  too_many_failures: {
    title: 'Too many failures',
    detail: 'Too many invalid API keys came from this network.',
    type: 'rate_limit_error',
  },
  unavailable: {
    title: 'Temporarily unavailable',
    detail: 'API keys cannot be checked at the moment. Try again shortly.',
    type: 'api_error',
  },
}
