import { bearer, createApiKeys, header } from 'keyward'
import { describeGuards, managementDocument } from 'keyward/management'
import { describe, expect, it } from 'vitest'
import { failure } from '../../support/outcome.ts'

const keys = createApiKeys({ prefix: 'og_', scopes: { contacts: ['read', 'delete'] } })
const pairs = createApiKeys({ prefix: 'op_', pair: true })

const host = () => ({
  openapi: '3.1.0',
  info: { title: 'Contacts', version: '1.0.0' },
  paths: {
    '/v1/contacts': { get: { responses: { 200: { description: 'All.' } } }, post: { responses: {} } },
    '/v1/contacts/{id}': { delete: { responses: { 403: { description: 'The host’s own.' } } } },
    '/health': { get: { responses: { 200: { description: 'Up.' } } } },
  },
  components: {
    schemas: { Contact: { type: 'object' } },
    securitySchemes: { session: { type: 'http', scheme: 'basic' } },
  },
})

describe('describeGuards()', () => {
  it('adds the schemes, and to each guarded operation what it needs and how it refuses', () => {
    const given = host()
    const told = describeGuards(given, keys, {
      'GET /v1/contacts': { scopes: ['contacts:read'] },
      'DELETE /v1/contacts/{id}': { scopes: ['contacts:read', 'contacts:delete'] },
      'POST /v1/contacts': {},
    })
    expect(told.components.securitySchemes).toEqual({
      session: { type: 'http', scheme: 'basic' },
      bearer: { type: 'http', scheme: 'bearer' },
      xApiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
    })
    expect(told.components.schemas).toEqual(given.components.schemas)
    expect(told.paths['/v1/contacts'].get).toMatchObject({
      security: [{ bearer: ['contacts:read'] }, { xApiKey: ['contacts:read'] }],
      responses: { 200: { description: 'All.' }, 401: {}, 403: {}, 429: {} },
    })
    expect(told.paths['/v1/contacts'].post).toMatchObject({ security: [{ bearer: [] }, { xApiKey: [] }] })
    expect(told.paths['/v1/contacts/{id}'].delete).toMatchObject({
      security: [{ bearer: ['contacts:read', 'contacts:delete'] }, { xApiKey: ['contacts:read', 'contacts:delete'] }],
      responses: { 403: { description: 'The host’s own.' } },
    })
    expect(told.paths['/health']).toEqual(given.paths['/health'])
    expect(given).toEqual(host())
  })

  it('tells how each source reads its header, by names that components may have', () => {
    const read = ([value]: readonly (string | undefined)[]) => value
    const sources = [
      bearer(),
      header('authorization'),
      { headers: ['Authorization'], scheme: 'basic' as const, read },
      header('x!api_key'),
      header('-x--key-'),
    ]
    const told = describeGuards(host(), createApiKeys({ prefix: 'og_', sources }), { 'POST /v1/contacts': {} })
    const inHeader = (name: string) => ({ type: 'apiKey', in: 'header', name })
    expect(told.components.securitySchemes).toEqual({
      session: { type: 'http', scheme: 'basic' },
      bearer: { type: 'http', scheme: 'bearer' },
      authorization: inHeader('authorization'),
      basic: { type: 'http', scheme: 'basic' },
      xApiKey: inHeader('x!api_key'),
      XKey: inHeader('-x--key-'),
    })
    const names = ['bearer', 'authorization', 'basic', 'xApiKey', 'XKey']
    expect(told.paths['/v1/contacts'].post).toMatchObject({ security: names.map((name) => ({ [name]: [] })) })
  })

  it('tells alternatives: one of several scopes, no key at all, pairs', () => {
    const told = describeGuards(host(), keys, {
      'GET /v1/contacts': { scopes: { any: ['contacts:read', 'contacts:delete'] } },
      'POST /v1/contacts': { optional: true },
    })
    expect(told.paths['/v1/contacts'].get).toMatchObject({
      security: [
        { bearer: ['contacts:read'] },
        { xApiKey: ['contacts:read'] },
        { bearer: ['contacts:delete'] },
        { xApiKey: ['contacts:delete'] },
      ],
    })
    expect(told.paths['/v1/contacts'].post).toMatchObject({ security: [{ bearer: [] }, { xApiKey: [] }, {}] })
    const both = describeGuards(host(), [keys, pairs], { 'GET /health': {} })
    expect(both.paths['/health'].get).toMatchObject({
      security: [{ bearer: [] }, { xApiKey: [] }, { xApiKey: [], xApiSecret: [] }],
    })
  })

  it('tells every status that a refusal can have, and nothing that the demand or the instance rules out', () => {
    const told = describeGuards(host(), keys, { 'POST /v1/contacts': {}, 'GET /health': { optional: true } })
    const said = (responses: object) =>
      Object.entries(responses).map(([status, { description }]) => `${status} ${description}`)
    const rest = [
      '402 Insufficient balance',
      '403 Address not allowed, or Wrong resource, or Account suspended',
      '429 Rate limit exceeded, or Too many failures',
      '503 Temporarily unavailable',
    ]
    const unlisted = 'Invalid API key, or API key revoked, or API key disabled, or API key expired'
    expect(said(told.paths['/v1/contacts'].post.responses)).toEqual([
      '400 Ambiguous credentials',
      `401 API key required, or ${unlisted}`,
      ...rest,
    ])
    expect(said(told.paths['/health'].get.responses)).toEqual([
      '200 Up.',
      '400 Ambiguous credentials',
      `401 ${unlisted}`,
      ...rest,
    ])
  })

  it('tells what only a demand or an option gives a reason for', () => {
    const strict = createApiKeys({
      prefix: { live: 'oq_', test: 'or_' },
      pair: true,
      requireTls: true,
      scopes: { a: ['b'] },
    })
    const demand = { scopes: ['a:b'] as const, environment: 'live', owner: 'acct_1', resource: '*' }
    const { responses } = describeGuards(host(), strict, { 'GET /health': demand }).paths['/health'].get
    expect(responses).toMatchObject({
      401: { description: expect.stringContaining('API key and secret are required') },
      403: {
        description:
          'TLS required, or Wrong environment, or Address not allowed, or Wrong owner, or Permission denied, or Account suspended',
      },
    })
  })

  it('tells statuses and titles as the host changed them, the demand before the instance, and what it hides not at all', () => {
    const answers = { revoked: { title: 'Gone' }, resource_mismatch: { status: 404, title: 'None such' } }
    const own = createApiKeys({ prefix: 'os_', answers })
    const demand = { answers: { resource_mismatch: { title: 'Not found' }, unavailable: { status: 500 } } }
    const { responses } = describeGuards(host(), own, { 'GET /health': demand }).paths['/health'].get
    expect(responses).toMatchObject({
      401: { description: expect.stringContaining('or Gone, or') },
      404: { description: 'Not found' },
      500: { description: 'Temporarily unavailable' },
    })
    expect(Object.keys(responses)).not.toContain('503')
    const silent = createApiKeys({ prefix: 'ot_', reveal: 'nobody' })
    const hidden = describeGuards(host(), silent, { 'GET /health': {} }).paths['/health'].get.responses
    expect(hidden).toMatchObject({ 401: { description: 'API key required, or Invalid API key' } })
  })

  it('leaves the security of an operation that the host described', () => {
    const given = { ...host(), paths: { '/a': { get: { security: [{ session: [] }], responses: {} } } } }
    const told = describeGuards(given, keys, { 'GET /a': { scopes: ['contacts:read'] } })
    expect(told.paths['/a'].get.security).toEqual([{ session: [] }])
  })

  it.each([
    'GET /v1/contact',
    'GET /v1/contacts/{id}',
    'FETCH /v1/contacts',
    '/v1/contacts',
    'GET /__proto__',
    'GET  /health',
  ])('refuses %s, which the document has not', async (name) => {
    const error = await failure(() => describeGuards(host(), keys, { [name]: {} }))
    expect([error.code, error.issues?.[0]?.path]).toEqual(['CONFIG', name])
  })

  it('refuses a demand that no guard would take, and what is no instance', async () => {
    const wrong = { 'GET /health': { scopes: ['contacts:raed'] } }
    expect((await failure(() => describeGuards(host(), keys, wrong as never))).message).toContain('contacts:raed')
    expect((await failure(() => describeGuards(host(), {} as never, {}))).code).toBe('CONFIG')
  })
})

it('the document of the routes tells the refusals of /self as the host words them', () => {
  const answers = { revoked: { status: 410, title: 'Gone' }, expired: { title: 'Over' } }
  const { paths } = managementDocument({ keys: createApiKeys({ prefix: 'ov_', answers }) })
  const { responses = {} } = (paths['/self']?.get ?? {}) as { responses?: Record<string, { description: string }> }
  expect(responses['410']).toMatchObject({ description: 'Gone' })
  expect(responses['401']?.description).toContain('Over')
  expect(responses['401']?.description).not.toContain('revoked')
})
