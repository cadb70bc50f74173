import express from 'express'
import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { mount } from 'keyward/express'
import { type ManagementOptions, management, managementDocument } from 'keyward/management'
import { describe, expect, it, vi } from 'vitest'
import { failure } from '../../support/outcome.ts'
import { serve } from '../../support/serve.ts'
import type { Schema } from '../openapi/schema.ts'
import { clientOf } from './client.ts'

const authorize = () => ({ owner: 'acct_1', resource: 'agent:7' })
const EVERYTHING = {
  name: 'Sync',
  description: 'nightly',
  scopes: ['contacts:read'],
  limits: { minute: 10 },
  allowedIps: ['10.0.0.0/8'],
  expiresAt: '2040-01-01T00:00:00.000Z',
  credits: { remaining: 1_000_000 },
  metadata: { plan: 'gold' },
}

describe('fields: what people may set of a key', () => {
  const keys = createApiKeys({ prefix: 'mf_', trustedProxies: [] })
  const ask = clientOf(keys, { authorize, fields: ['name', 'expiresAt'] })

  it.each(Object.keys(EVERYTHING))('%s is taken where it is among them, and else named as wrong', async (field) => {
    const { record } = await keys.create({ owner: 'acct_1', resource: 'agent:7', name: 'There' })
    const json = { [field]: EVERYTHING[field as keyof typeof EVERYTHING] }
    const isTheirs = field === 'name' || field === 'expiresAt'
    const made = await ask('POST', '/', { json })
    const changed = await ask('PATCH', `/${record.id}`, { json })
    expect([made.status, changed.status]).toEqual(isTheirs ? [201, 200] : [400, 400])
    if (isTheirs) return expect(changed.body.record).toMatchObject(json)
    const issue = { path: field, message: 'is not a field that can be given here' }
    expect([made.body.issues, changed.body.issues]).toEqual([[issue], [issue]])
    expect(await keys.get(record.id)).toEqual(record)
  })

  it('the resource of new keys is what authorize says, without being a field', async () => {
    expect((await ask('POST', '/', { json: { name: 'Here' } })).body.record.resource).toBe('agent:7')
    expect((await ask('POST', '/', { json: { name: 'There', resource: 'agent:7' } })).status).toBe(400)
  })

  it('without them all are, and of an empty list none is', async () => {
    const all = clientOf(keys, { authorize })
    expect((await all('POST', '/', { json: EVERYTHING })).body.record).toMatchObject(EVERYTHING)
    const none = clientOf(keys, { authorize, fields: [] })
    expect((await none('POST', '/', { json: {} })).status).toBe(201)
    expect((await none('POST', '/', { json: { name: 'Sync' } })).status).toBe(400)
  })

  it('the document says so', async () => {
    const told = await ask('GET', '/openapi.json')
    const schemas = Object(told.body).components.schemas as Record<string, Schema>
    expect(Object.keys(schemas.CreateKey?.properties ?? {})).toEqual(['name', 'expiresAt'])
    expect(Object.keys(schemas.UpdateKey?.properties ?? {})).toEqual(['name', 'expiresAt'])
    expect(schemas.CreateKey?.additionalProperties).toBe(false)
    const written = managementDocument({ fields: ['name', 'expiresAt'], keys })
    expect(written.components.schemas).toEqual(schemas)
  })

  it('the list is kept as it was given', async () => {
    const fields: NonNullable<ManagementOptions['fields']>[number][] = ['name']
    const kept = clientOf(keys, { authorize, fields })
    fields.push('credits')
    expect((await kept('POST', '/', { json: { credits: { remaining: 5 } } })).status).toBe(400)
  })

  it.each([[['name', 'owner']], ['name'], [[undefined]], [{}], [null]])('W-09 %j is CONFIG', async (fields) => {
    const error = await failure(() => management(keys, { authorize, fields: fields as never }))
    expect([error.code, error.issues?.[0]?.path]).toEqual(['CONFIG', 'fields'])
  })
})

describe('credits, where the store keeps no balances', () => {
  const { take: _, move: __, ...plain } = memoryStore()
  const keys = createApiKeys({ prefix: 'mf_', trustedProxies: [], store: plain })

  it.each([
    ['no fields', undefined],
    ['fields that name them', ['name', 'credits'] as const],
  ])('are a field that nobody may set, with %s', async (_said, fields) => {
    const onError = vi.fn()
    const ask = clientOf(keys, { authorize, onError, ...(fields && { fields }) })
    const { record } = await keys.create({ owner: 'acct_1', resource: 'agent:7' })
    for (const credits of [{ remaining: 5 }, null]) {
      const made = await ask('POST', '/', { json: { credits } })
      const changed = await ask('PATCH', `/${record.id}`, { json: { credits } })
      const issues = [{ path: 'credits', message: 'is not a field that can be given here' }]
      expect(made).toMatchObject({ status: 400, body: { issues } })
      expect(changed).toMatchObject({ status: 400, body: { issues } })
    }
    expect((await ask('POST', '/', { json: { name: 'Sync' } })).status).toBe(201)
    expect(onError).not.toHaveBeenCalled()
    const told = Object((await ask('GET', '/openapi.json')).body).components.schemas as Record<string, Schema>
    for (const name of ['CreateKey', 'UpdateKey']) {
      expect(told[name]?.properties).toHaveProperty('name')
      expect(told[name]?.properties).not.toHaveProperty('credits')
    }
    expect(managementDocument({ keys, ...(fields && { fields }) }).components.schemas).toEqual(told)
  })

  it.each(['take', 'move'] as const)('are none without %s alone', async (verb) => {
    const store: KeyStore = { ...memoryStore() }
    delete store[verb]
    const ask = clientOf(createApiKeys({ prefix: 'mf_', trustedProxies: [], store }), { authorize })
    expect((await ask('POST', '/', { json: { credits: { remaining: 5 } } })).status).toBe(400)
  })
})

it('authorize sees the parameters of the path that Express has mounted the routes at', async () => {
  const keys = createApiKeys({ prefix: 'mf_', trustedProxies: [] })
  const routes = management(keys, {
    authorize: (_request, { incoming }) => ({ owner: 'acct_1', resource: `agent:${incoming?.params?.agentId}` }),
  })
  const { url } = await serve(express().use('/agents/:agentId/keys', mount(routes)))
  const made = await fetch(`${url}/agents/%34%32/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(await made.json()).toMatchObject({ record: { resource: 'agent:42' } })
  expect(await (await fetch(`${url}/agents/43/keys`)).json()).toEqual({ items: [] })
})

it('authorize sees nothing beside a request that came by no socket', async () => {
  const seen: unknown[] = []
  const keys = createApiKeys({ prefix: 'mf_' })
  const routes = management(keys, { authorize: (_request, beside) => void seen.push(beside.incoming) })
  expect((await routes(new Request('http://service.test/'))).status).toBe(401)
  expect(seen).toEqual([undefined])
})
