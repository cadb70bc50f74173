import * as z from 'zod/mini'
import type { ManagementVerb } from './management-authority.ts'
import { META } from './management-fields.ts'
import { PROBLEMS, type ProblemCode } from './management-problems.ts'
import type { Route } from './management-routes.ts'
import { listQuery } from './management-schemas.ts'

interface Told {
  readonly summary: string
  readonly body?: { readonly schema: string; readonly required: boolean }
  readonly answers: Readonly<Record<number, keyof typeof SAID | undefined>>
  readonly refusals: readonly ProblemCode[]
}

const ANY: readonly ProblemCode[] = ['unauthenticated', 'forbidden', 'internal_error', 'unavailable']
const CHANGING: readonly ProblemCode[] = [...ANY, 'cross_site_request']
const BODY: readonly ProblemCode[] = [...CHANGING, 'invalid_request', 'content_too_large', 'unsupported_media_type']
const CHANGE: readonly ProblemCode[] = [...BODY, 'not_found', 'conflict', 'precondition_failed']

/** What the document says of each route; a new verb fails the build until it is told here. */
const TOLD: Readonly<Record<ManagementVerb, Told>> = {
  create: {
    summary: 'Make a key. Its text is told this once.',
    body: { schema: 'CreateKey', required: true },
    answers: { 201: 'NewKey', 200: 'Key' },
    refusals: [...BODY, 'conflict', 'idempotency_key_reused'],
  },
  list: {
    summary: 'List keys, the newest first.',
    answers: { 200: 'KeyPage' },
    refusals: [...ANY, 'invalid_request'],
  },
  read: { summary: 'Read a key.', answers: { 200: 'Key' }, refusals: [...ANY, 'not_found'] },
  update: {
    summary: 'Change a key, from its next request on.',
    body: { schema: 'UpdateKey', required: true },
    answers: { 200: 'Key' },
    refusals: CHANGE,
  },
  remove: {
    summary: 'Forget a key and free its name.',
    answers: { 204: undefined },
    refusals: [...CHANGING, 'not_found', 'precondition_failed'],
  },
  rotate: {
    summary: 'Give a key a new secret under the same id.',
    body: { schema: 'RotateKey', required: true },
    answers: { 200: 'NewKey' },
    refusals: CHANGE,
  },
  disable: { summary: 'Stop a key until it is enabled.', answers: { 200: 'Key' }, refusals: CHANGE },
  enable: { summary: 'Let a stopped key go on.', answers: { 200: 'Key' }, refusals: CHANGE },
  revoke: {
    summary: 'End a key for good, and keep its record.',
    body: { schema: 'RevokeKey', required: false },
    answers: { 200: 'Key' },
    refusals: CHANGE,
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

/** A route as an operation of the document. */
export function operationOf({ verb, path, method }: Route): Record<string, unknown> {
  const { summary, body, answers, refusals } = TOLD[verb]
  const changes = method !== 'GET' && path !== '/'
  const parameters = [
    ...(path === '/' ? [] : [ID]),
    ...(changes ? [IF_MATCH] : []),
    ...(verb === 'list' ? queryParameters() : []),
    ...(verb === 'create' ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ]
  return {
    operationId: verb === 'list' ? 'listKeys' : `${verb}Key`,
    summary,
    tags: ['API keys'],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: body.required, content: json(body.schema) } }),
    responses: Object.assign(
      Object.fromEntries(Object.entries(answers).map(([status, schema]) => [status, answerOf(schema)])),
      refusalsOf(refusals),
    ),
  }
}

const SAID = { Key: 'The key.', NewKey: 'The key, with its text.', KeyPage: 'Some of the keys.' }

function answerOf(schema: Told['answers'][number]): Record<string, unknown> {
  if (schema === undefined) return { description: 'Done.' }
  const etag = { ETag: { description: 'For If-Match.', schema: { type: 'string' } } }
  return { description: SAID[schema], ...(schema === 'KeyPage' ? {} : { headers: etag }), content: json(schema) }
}

/** Refusals by status: one answer may stand for several of them. */
export function refusalsOf(codes: readonly ProblemCode[]): Record<string, unknown> {
  const statuses = new Set(codes.map((code) => PROBLEMS[code].status))
  return Object.fromEntries(
    [...statuses].sort().map((status) => {
      const titles = codes.filter((code) => PROBLEMS[code].status === status).map((code) => PROBLEMS[code].title)
      const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
      return [String(status), { description: titles.join(', or '), content }]
    }),
  )
}

function json(schema: string): Record<string, unknown> {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}

function queryParameters(): readonly Record<string, unknown>[] {
  const { properties = {} } = z.toJSONSchema(listQuery, { metadata: META as never, io: 'input' })
  return Object.entries(properties).map(([name, described]) => {
    const { description, ...schema } = described as { description?: string }
    return { name, in: 'query', required: false, description, schema }
  })
}
