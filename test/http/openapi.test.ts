import { createApiKeys } from 'keyward'
import { managementDocument, type OpenApiDocument } from 'keyward/management'
import { describe, expect, it } from 'vitest'
import { clientOf, type Sent, type Told } from './management/client.ts'
import { flawsOf, type Schema } from './openapi/schema.ts'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly { readonly $ref?: string; readonly in?: string; readonly name?: string }[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> }
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, { readonly schema: Schema }> }
  >
}

const document = managementDocument()
const paths = document.paths as Record<string, Record<string, Operation>>
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
)

const operationOf = (name: string): Operation => {
  const found = operations.find((operation) => operation.name === name)
  if (found === undefined) throw new Error(`the document has no ${name}`)
  return found.operation
}

/** What the document says wrongly of an answer. */
function untrue(name: string, { status, body, headers }: Told): readonly string[] {
  const described = operationOf(name).responses[status]
  if (described === undefined) return [`${status} is not described`]
  const [type, content] = Object.entries(described.content ?? {})[0] ?? []
  if (type !== (headers.get('content-type') ?? undefined)) return [`${type} is not its type`]
  return content === undefined ? [] : flawsOf(document, content.schema, body)
}

function refsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = '$ref' in value ? [String(value.$ref)] : []
  return [...own, ...Object.values(value).flatMap(refsIn)]
}

describe('the OpenAPI document of the management routes', () => {
  it('is what GET /openapi.json answers, to whoever is signed in', async () => {
    const ask = clientOf(createApiKeys({ prefix: 'oa_' }))
    const told = await ask('GET', '/openapi.json')
    expect([told.status, told.body]).toEqual([200, JSON.parse(JSON.stringify(document))])
  })

  it('lists every route of the contract', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual([
      'DELETE /self',
      'DELETE /{id}',
      'GET /',
      'GET /openapi.json',
      'GET /self',
      'GET /{id}',
      'GET /{id}/usage',
      'PATCH /{id}',
      'POST /',
      'POST /{id}/disable',
      'POST /{id}/enable',
      'POST /{id}/revoke',
      'POST /{id}/rotate',
    ])
  })

  it('refers to nothing that is not there', () => {
    const refs = refsIn(document)
    expect(refs.length).toBeGreaterThan(20)
    for (const ref of refs) {
      const found = ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, name) => Object(at)[name], document)
      expect(found, ref).toBeDefined()
    }
    expect(JSON.stringify(document)).not.toMatch(/"\$(schema|id)"|"id":"(KeyRecord|Limits)"/)
  })

  it('gives every operation a name of its own, a summary, its path parameters and an answer of each kind', () => {
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
    for (const { path, operation } of operations) {
      expect(operation.summary).toMatch(/\.$/)
      const named = (operation.parameters ?? []).some(({ $ref }) => $ref === '#/components/parameters/KeyId')
      expect(named).toBe(path.includes('{id}'))
      const statuses = Object.keys(operation.responses)
      expect(statuses.some((status) => status.startsWith('2'))).toBe(true)
      expect(statuses).toEqual(expect.arrayContaining(['401', '500', '503']))
    }
  })

  it('describes what the routes answer, whatever that is', async () => {
    const keys = createApiKeys({ prefix: 'oa_', names: 'unique', limits: { default: { minute: 5 } } })
    const ask = clientOf(keys)
    const full = {
      name: 'Sync',
      description: 'x',
      scopes: ['a:read'],
      resource: 'agent:1',
      limits: [{ name: 'burst', limit: 3, window: '10s' }],
      allowedIps: ['10.0.0.0/8'],
      expiresAt: '2999-01-01T00:00:00Z',
      metadata: { a: [1, null] },
      credits: { remaining: 9, refill: { amount: 9, every: 'day' } },
    }
    const once = { 'idempotency-key': 'a' }
    const { id } = (await ask('POST', '/', { json: full, headers: once })).body.record
    const calls: readonly (readonly [number, string, string, Sent?])[] = [
      [201, 'POST', '/', { json: { name: 'Other' } }],
      [200, 'POST', '/', { json: full, headers: once }],
      [422, 'POST', '/', { json: { name: 'z' }, headers: once }],
      [409, 'POST', '/', { json: { name: 'Sync' } }],
      [400, 'POST', '/', { json: { isAdmin: true } }],
      [415, 'POST', '/', { raw: 'x', headers: { 'content-type': 'text/plain' } }],
      [413, 'POST', '/', { raw: ' '.repeat(70_000), headers: { 'content-type': 'application/json' } }],
      [403, 'POST', '/', { json: {}, headers: { 'sec-fetch-site': 'cross-site' } }],
      [200, 'GET', '/?limit=1'],
      [400, 'GET', '/?limit=x'],
      [200, 'GET', '/{id}'],
      [200, 'PATCH', '/{id}', { json: { name: 'New', credits: null } }],
      [412, 'PATCH', '/{id}', { json: {}, headers: { 'if-match': '"x"' } }],
      [200, 'POST', '/{id}/rotate', { json: { overlap: '1h' } }],
      [200, 'POST', '/{id}/disable'],
      [409, 'POST', '/{id}/rotate', { json: { overlap: 0 } }],
      [200, 'POST', '/{id}/enable'],
      [200, 'POST', '/{id}/revoke', { json: { reason: 'x' } }],
      [204, 'DELETE', '/{id}'],
      [404, 'DELETE', '/{id}'],
      [404, 'GET', '/{id}'],
      [200, 'GET', '/openapi.json'],
    ]
    for (const [status, method, path, sent] of calls) {
      const told = await ask(method, path.replace('{id}', id), sent)
      const name = `${method} ${path.split('?')[0]}`
      expect([name, told.status, untrue(name, told)]).toEqual([name, status, []])
    }
  })

  it('accepts of a body what the routes accept, and refuses fields that are none', () => {
    const schemaOf = (name: string) => operationOf(name).requestBody?.content['application/json']?.schema ?? {}
    const flaws = (name: string, body: unknown) => flawsOf(document, schemaOf(name), body)
    expect(flaws('POST /', { name: 'x', limits: { minute: 5, hour: null } })).toEqual([])
    expect(flaws('PATCH /{id}', { name: null, limits: null, previousSecretUntil: null })).toEqual([])
    expect(flaws('POST /{id}/rotate', { overlap: '24h' })).toEqual([])
    for (const wrong of [{ owner: 'x' }, { name: '' }, { scopes: 'x' }, { limits: { minut: 1 } }, { name: null }]) {
      expect(flaws('POST /', wrong)).not.toEqual([])
    }
    expect(flaws('POST /{id}/rotate', {})).not.toEqual([])
  })

  it('says where the routes are, and how people sign in, as the host told it', () => {
    expect((document as OpenApiDocument & { servers: unknown }).servers).toEqual([{ url: '.' }])
    const securitySchemes = { session: { type: 'apiKey', in: 'cookie', name: 'sid' } }
    const told = managementDocument({
      path: '/settings/keys',
      document: { title: 'Acme keys', version: '2.1.0', securitySchemes, security: [{ session: [] }] },
    })
    expect(told).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Acme keys', version: '2.1.0' },
      servers: [{ url: '/settings/keys' }],
      security: [{ session: [] }],
      components: { securitySchemes },
    })
  })
})
