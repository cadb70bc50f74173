import { bearer, createApiKeys, header } from 'keyward'
import { describeGuards } from 'keyward/management'
import { describe, expect, it } from 'vitest'
import { failure } from '../support/outcome.ts'

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
