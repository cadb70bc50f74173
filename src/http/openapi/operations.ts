import * as z from 'zod/mini'
import type { AnswerOverrides } from '../../model/answer.ts'
import type { DenialCode } from '../../model/verdict.ts'
import { META } from '../management/fields.ts'
import { PROBLEMS, type ProblemCode } from '../management/problems.ts'
import type { NamedRoute, RouteName } from '../management/routes.ts'
import { auditQuery, listQuery } from '../management/schemas.ts'
import type { Security } from '../security.ts'
import { byStatus, toldAs } from './refusals.ts'

interface Told {
  readonly summary: string
  readonly body?: { readonly schema: string; readonly required: boolean }
  readonly answers: Readonly<Record<number, keyof typeof SAID | undefined>>
  readonly refusals: readonly ProblemCode[]
  /** Refusals of the key that the request carries. */
  readonly denials?: readonly DenialCode[]
}

const ANY: readonly ProblemCode[] = ['unauthenticated', 'forbidden', 'internal_error', 'unavailable']
/** What a key may be told that asks about itself, as on any route that it may use. */
const OF_KEYS: readonly DenialCode[] = [
  'tls_required',
  'missing_credentials',
  'incomplete_credentials',
  'ambiguous_credentials',
  'invalid_key',
  'revoked',
  'disabled',
  'expired',
  'ip_not_allowed',
  'account_suspended',
  'insufficient_balance',
  'too_many_failures',
]
const CHANGING: readonly ProblemCode[] = [...ANY, 'cross_site_request']
const BODY: readonly ProblemCode[] = [...CHANGING, 'invalid_request', 'content_too_large', 'unsupported_media_type']
const CHANGE: readonly ProblemCode[] = [...BODY, 'not_found', 'conflict', 'precondition_failed']

/** What the document says of each route; a new one fails the build until it is told here. */
const TOLD: Readonly<Record<RouteName, Told>> = {
  createKey: {
    summary: 'Make a key. Its text is told this once.',
    body: { schema: 'CreateKey', required: true },
    answers: { 201: 'NewKey', 200: 'Key' },
    refusals: [...BODY, 'conflict', 'idempotency_key_reused'],
  },
  listKeys: {
    summary: 'List keys, the newest first.',
    answers: { 200: 'KeyPage' },
    refusals: [...ANY, 'invalid_request'],
  },
  readKey: { summary: 'Read a key.', answers: { 200: 'Key' }, refusals: [...ANY, 'not_found'] },
  readUsage: {
    summary: 'Read how much a key was used, and what it has left. That spends nothing.',
    answers: { 200: 'KeyUsage' },
    refusals: [...ANY, 'not_found', 'conflict'],
  },
  updateKey: {
    summary: 'Change a key, from its next request on.',
    body: { schema: 'UpdateKey', required: true },
    answers: { 200: 'Key' },
    refusals: CHANGE,
  },
  removeKey: {
    summary: 'Forget a key and free its name.',
    answers: { 204: undefined },
    refusals: [...CHANGING, 'not_found', 'conflict', 'precondition_failed'],
  },
  rotateKey: {
    summary: 'Give a key a new secret under the same id.',
    body: { schema: 'RotateKey', required: true },
    answers: { 200: 'NewKey' },
    refusals: CHANGE,
  },
  disableKey: { summary: 'Stop a key until it is enabled.', answers: { 200: 'Key' }, refusals: CHANGE },
  enableKey: { summary: 'Let a stopped key go on.', answers: { 200: 'Key' }, refusals: CHANGE },
  revokeKey: {
    summary: 'End a key for good, and keep its record.',
    body: { schema: 'RevokeKey', required: false },
    answers: { 200: 'Key' },
    refusals: CHANGE,
  },
  listAudit: {
    summary: 'List what was done to keys, also to those that are gone, the newest first.',
    answers: { 200: 'AuditPage' },
    refusals: [...ANY, 'invalid_request'],
  },
  readSelf: {
    summary: 'Read the key that the request carries, and what it has left.',
    answers: { 200: 'Self' },
    denials: OF_KEYS,
    refusals: ['not_found', 'conflict', 'internal_error', 'unavailable'],
  },
  endSelf: {
    summary: 'Revoke the key that the request carries.',
    answers: { 204: undefined },
    denials: OF_KEYS,
    refusals: ['cross_site_request', 'not_found', 'conflict', 'precondition_failed', 'internal_error', 'unavailable'],
  },
}

const ID = { $ref: '#/components/parameters/KeyId' }
const IF_MATCH = { $ref: '#/components/parameters/IfMatch' }

/** Parameters that several routes share. */
export const PARAMETERS = {
  KeyId: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'The id of the key.',
    schema: { type: 'string', pattern: '^[0-9A-Za-z]{12}$' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'The ETag of the key as it was read: a key that has changed since is left alone.',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Makes one key however often it is sent; what comes after the first answers 200, without the text.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  },
}

const QUERIES: { readonly [name in RouteName]?: z.ZodMiniType } = { listKeys: listQuery, listAudit: auditQuery }

/**
 * A route as an operation of the document.
 * @param security what a request carries that speaks for a key
 * @param overrides how the host words the refusals of that
 */
export function operationOf(
  { verb, name, path, method }: NamedRoute,
  security?: Security,
  overrides?: AnswerOverrides,
): Record<string, unknown> {
  const { summary, body, answers, refusals, denials } = TOLD[name]
  const changes = method !== 'GET' && path !== '/'
  const query = QUERIES[name]
  const parameters = [
    ...(path.includes('{id}') ? [ID] : []),
    ...(changes ? [IF_MATCH] : []),
    ...(query === undefined ? [] : queryParameters(query)),
    ...(verb === 'create' ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ]
  return {
    operationId: name,
    summary,
    tags: ['API keys'],
    ...(verb === 'self' && security !== undefined ? { security } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: body.required, content: json(body.schema) } }),
    responses: Object.assign(
      Object.fromEntries(Object.entries(answers).map(([status, schema]) => [status, answerOf(schema)])),
      refusalsOf(refusals, denials, overrides),
    ),
  }
}

const SAID = {
  Key: 'The key.',
  NewKey: 'The key, with its text.',
  KeyPage: 'Some of the keys.',
  KeyUsage: 'What was used and what is left.',
  AuditPage: 'Some of what was done.',
  Self: 'The key, and what it has left.',
}
/** Answers that tell the state of one key. */
const TAGGED: readonly string[] = ['Key', 'NewKey', 'Self']

function answerOf(schema: Told['answers'][number]): Record<string, unknown> {
  if (schema === undefined) return { description: 'Done.' }
  const etag = { ETag: { description: 'For If-Match.', schema: { type: 'string' } } }
  return { description: SAID[schema], ...(TAGGED.includes(schema) ? { headers: etag } : {}), content: json(schema) }
}

const PROBLEM = { $ref: '#/components/schemas/Problem' }

/** How a route refuses: in its own words, and in those of the key that the request carries. */
export function refusalsOf(
  codes: readonly ProblemCode[],
  denials: readonly DenialCode[] = [],
  answers?: AnswerOverrides,
): Record<string, unknown> {
  const ofKeys = denials.map((code) => toldAs(code, [answers]))
  return byStatus([...ofKeys, ...codes.map((code) => PROBLEMS[code])], PROBLEM)
}

function json(schema: string): Record<string, unknown> {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}

function queryParameters(query: z.ZodMiniType): readonly Record<string, unknown>[] {
  const { properties = {} } = z.toJSONSchema(query, { metadata: META as never, io: 'input' })
  return Object.entries(properties).map(([name, described]) => {
    const { description, ...schema } = described as { description?: string }
    return { name, in: 'query', required: false, description, schema }
  })
}
