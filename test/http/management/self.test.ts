import express from 'express'
import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { mount } from 'keyward/express'
import { type ManagementOptions, management } from 'keyward/management'
import { describe, expect, it, vi } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { listener } from '../../support/outcome.ts'
import { serve } from '../../support/serve.ts'
import { asking } from './client.ts'

function start(
  open: (typeof BOTH_STORES)[number][1],
  options: Partial<ApiKeysOptions> = {},
  more: Partial<ManagementOptions> = {},
) {
  const { store, rows } = open()
  const heard = listener()
  const keys = createApiKeys({ prefix: 'se_', store, onEvent: heard.onEvent, trustedProxies: [], ...options })
  const authorize = vi.fn(() => undefined)
  const handler = management(keys, { authorize, ...more })
  return { keys, rows, heard, authorize, handler, ask: asking(handler) }
}

const bearing = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

describe.each(BOTH_STORES)('/self on the %s store', (_, open) => {
  it('tells a key what it is and what it has left, without asking the host', async () => {
    const { keys, ask, authorize } = start(open, { limits: { default: { minute: 5 } } })
    const { key, record } = await keys.create({ owner: 'acct_1', name: 'Sync', credits: { remaining: 7 } })
    const told = await ask('GET', '/self', bearing(key))
    expect(told.status).toBe(200)
    expect(told.body).toMatchObject({
      record: { id: record.id, name: 'Sync', owner: 'acct_1' },
      usage: { readings: [{ name: 'minute', remaining: 5 }], balance: 7 },
    })
    expect(told.headers.get('etag')).toMatch(/^"[\w-]{22}"$/)
    expect(told.headers.get('ratelimit')).toContain('r=5')
    expect(told.headers.get('cache-control')).toBe('no-store')
    expect(authorize).not.toHaveBeenCalled()
    for (let i = 0; i < 9; i++) expect((await ask('GET', '/self', bearing(key))).status).toBe(200)
    expect((await ask('HEAD', '/self', bearing(key))).text).toBe('')
  })

  it('lets a key end itself: for good, at once, and its record is kept', async () => {
    const { keys, ask, heard } = start(open)
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const ended = await ask('DELETE', '/self', bearing(key))
    expect([ended.status, ended.text]).toEqual([204, ''])
    expect(await keys.verify(key)).toMatchObject({ code: 'revoked' })
    expect(await keys.get(record.id)).toMatchObject({ status: 'revoked', revokedReason: 'ended by the key itself' })
    expect(heard.of('revoked')).toMatchObject([{ id: record.id, owner: 'acct_1', actor: `key:${record.id}` }])
    const again = await ask('DELETE', '/self', bearing(key))
    expect([again.status, again.body.code]).toEqual([401, 'revoked'])
  })

  it('ends the key that the request saw, and no other (If-Match)', async () => {
    const { keys, ask } = start(open)
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const { headers } = await ask('GET', '/self', bearing(key))
    await keys.update(record.id, { name: 'changed' })
    const match = { authorization: `Bearer ${key}`, 'if-match': headers.get('etag') ?? '' }
    expect((await ask('DELETE', '/self', { headers: match })).status).toBe(412)
    expect(await keys.get(record.id)).toMatchObject({ status: 'active' })
  })

  it('refuses as any guard does: nothing, a wrong key, one that is over, one from elsewhere', async () => {
    const { keys, ask } = start(open)
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
    const off = await keys.create({ owner: 'acct_1' })
    await keys.disable(off.record.id)
    const wrong = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
    const cases = [
      [{}, 401, 'missing_credentials'],
      [bearing(wrong), 401, 'invalid_key'],
      [bearing('foreign'), 401, 'invalid_key'],
      [bearing(off.key), 401, 'disabled'],
      [bearing(key), 403, 'ip_not_allowed'],
      [{ headers: { 'x-api-key': `${key}, ${off.key}` } }, 400, 'ambiguous_credentials'],
    ] as const
    for (const [sent, status, code] of cases) {
      for (const method of ['GET', 'DELETE']) {
        const told = await ask(method, '/self', sent)
        expect([told.status, told.body.code]).toEqual([status, code])
      }
    }
    expect((await keys.list()).items.map(({ status }) => status).sort()).toEqual(['active', 'disabled'])
  })

  it('serves keys that are bound to a resource, and pairs', async () => {
    const { keys, ask } = start(open, { pair: true })
    const { key, secret = '', record } = await keys.create({ owner: 'acct_1', resource: 'agent:1' })
    const headers = { 'x-api-key': key, 'x-api-secret': secret }
    expect((await ask('GET', '/self', { headers })).body.record.id).toBe(record.id)
    expect((await ask('GET', '/self', { headers: { 'x-api-key': key } })).body.code).toBe('incomplete_credentials')
    expect((await ask('DELETE', '/self', { headers })).status).toBe(204)
  })

  it('R-14: is all that a key may do here, and it widens nothing', async () => {
    const { keys, ask, rows } = start(open)
    const { key, record } = await keys.create({ owner: 'acct_1', scopes: ['*'] })
    await keys.verify(key)
    await keys.flush()
    const before = await rows([record.id])
    const calls = [
      ['PATCH', '/self', { scopes: ['*'], limits: null }],
      ['POST', '/self', { scopes: ['*'] }],
      ['PUT', '/self', {}],
      ['PATCH', `/${record.id}`, { allowedIps: null }],
      ['POST', `/${record.id}/rotate`, { overlap: 0 }],
      ['GET', `/${record.id}/usage`, undefined],
      ['POST', '/', {}],
      ['GET', '/', undefined],
      ['GET', '/openapi.json', undefined],
    ] as const
    for (const [method, path, json] of calls) {
      expect((await ask(method, path, { ...bearing(key), ...(json && { json }) })).status).toBe(401)
    }
    expect(await rows([record.id])).toBe(before)
  })
})

describe('/self', () => {
  const memory = BOTH_STORES[0]?.[1] as (typeof BOTH_STORES)[number][1]

  it('can be left out', async () => {
    const { keys, ask } = start(memory, {}, { self: false, authorize: () => ({ owner: 'acct_1' }) })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect((await ask('GET', '/self', bearing(key))).status).toBe(404)
    const document = (await ask('GET', '/openapi.json')).text
    expect(document).not.toContain('/self')
  })

  it('knows from where a request came: through mount, through trusted proxies, and as the host says', async () => {
    const { keys, handler, heard } = start(memory, { trustedProxies: ['127.0.0.1'] })
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['203.0.113.0/24'] })
    const { url } = await serve(express().use('/keys', mount(handler)))
    const from = (address: string) => ({ headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': address } })
    expect((await fetch(`${url}/keys/self`, from('203.0.113.9'))).status).toBe(200)
    expect((await fetch(`${url}/keys/self`, from('198.51.100.1'))).status).toBe(403)
    expect((await fetch(`${url}/keys/self`, { method: 'DELETE', ...from('203.0.113.9') })).status).toBe(204)
    expect(heard.of('revoked')).toMatchObject([{ address: '203.0.113.9' }])

    const told = start(memory, {}, { address: (request) => request.headers.get('cf-ip') ?? undefined })
    const made = await told.keys.create({ owner: 'acct_1', allowedIps: ['203.0.113.0/24'] })
    const headers = { authorization: `Bearer ${made.key}`, 'cf-ip': '203.0.113.7' }
    expect((await told.ask('GET', '/self', { headers })).status).toBe(200)
  })

  it('is a fault of the host where its own function throws, and nothing is admitted', async () => {
    const onError = vi.fn()
    const address = () => {
      throw new Error('no address')
    }
    const { keys, ask } = start(memory, {}, { address, onError })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect((await ask('DELETE', '/self', bearing(key))).status).toBe(500)
    expect(onError).toHaveBeenCalledTimes(1)
    expect(await keys.verify(key)).toMatchObject({ ok: true })
  })

  it('W-03: cannot be asked to end a key by a page of another site', async () => {
    const { keys, ask } = start(memory)
    const { key } = await keys.create({ owner: 'acct_1' })
    const headers = { authorization: `Bearer ${key}`, 'sec-fetch-site': 'cross-site' }
    expect((await ask('DELETE', '/self', { headers })).body.code).toBe('cross_site_request')
    expect(await keys.verify(key)).toMatchObject({ ok: true })
  })
})
