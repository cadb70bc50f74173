import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { listener } from '../../support/outcome.ts'
import { clientOf, unnumbered } from './client.ts'

const UNKNOWN = '0'.repeat(12)

const CALLS: readonly (readonly [method: string, path: string, json?: object])[] = [
  ['GET', ''],
  ['PATCH', '', { name: 'theirs' }],
  ['DELETE', ''],
  ['POST', '/rotate', { overlap: 0 }],
  ['POST', '/disable'],
  ['POST', '/enable'],
  ['POST', '/revoke', { reason: 'mine now' }],
]

describe.each(BOTH_STORES)('management() on the %s store', (_, open) => {
  const start = (more: { readonly pair?: boolean } = {}) => {
    const heard = listener()
    const { store } = open()
    const keys = createApiKeys({
      prefix: 'mg_',
      store,
      onEvent: heard.onEvent,
      cache: false,
      trustedProxies: [],
      ...more,
    })
    return { store, keys, heard, ask: clientOf(keys) }
  }

  it('leads a key through its whole life, and every answer holds the record', async () => {
    const { keys, ask } = start()
    const made = await ask('POST', '/', { json: { name: 'Sync', scopes: ['a:read'], limits: { minute: 5 } } })
    expect(made.status).toBe(201)
    expect(Object.keys(made.body)).toEqual(['key', 'record'])
    expect(await keys.verify(made.body.key)).toMatchObject({ ok: true })
    const { record } = made.body
    expect(record).toMatchObject({ owner: 'acct_1', name: 'Sync', scopes: ['a:read'], limits: { minute: 5 } })
    const at = `/${record.id}`

    const patched = await ask('PATCH', at, { json: { name: 'Nightly', description: 'x', limits: { hour: 9 } } })
    expect(patched.body.record).toMatchObject({ name: 'Nightly', description: 'x', limits: { minute: 5, hour: 9 } })
    expect((await ask('PATCH', at, { json: { description: null } })).body.record).not.toHaveProperty('description')

    const rotated = await ask('POST', `${at}/rotate`, { json: { overlap: '1h' } })
    expect(rotated.status).toBe(200)
    expect(rotated.body.key).not.toBe(made.body.key)
    expect(rotated.body.record).toMatchObject({ id: record.id, previousSecretUntil: expect.any(String) })
    expect(await keys.verify(made.body.key)).toMatchObject({ ok: true })
    await ask('PATCH', at, { json: { previousSecretUntil: null } })
    expect(await keys.verify(made.body.key)).toMatchObject({ code: 'invalid_key' })

    expect((await ask('POST', `${at}/disable`)).body.record.status).toBe('disabled')
    expect(await keys.verify(rotated.body.key)).toMatchObject({ code: 'disabled' })
    expect((await ask('POST', `${at}/enable`, { json: {} })).body.record.status).toBe('active')
    const revoked = await ask('POST', `${at}/revoke`, { json: { reason: 'leaked' } })
    expect(revoked.body.record).toMatchObject({ status: 'revoked', revokedReason: 'leaked' })
    expect(await keys.verify(rotated.body.key)).toMatchObject({ code: 'revoked' })
    expect((await ask('GET', at)).body).toEqual(revoked.body)

    const removed = await ask('DELETE', at)
    expect([removed.status, removed.text]).toEqual([204, ''])
    expect((await ask('GET', at)).status).toBe(404)
    expect((await ask('DELETE', at)).status).toBe(404)
  })

  it('tells uses and when the last one was', async () => {
    const { keys, ask } = start()
    const { body } = await ask('POST', '/', { json: {} })
    await keys.verify(body.key)
    await keys.flush()
    const { record } = (await ask('GET', `/${body.record.id}`)).body
    expect(record).toMatchObject({ uses: 1, lastUsedAt: expect.stringMatching(/Z$/) })
  })

  it('makes and rotates pairs', async () => {
    const { keys, ask } = start({ pair: true })
    const { body } = await ask('POST', '/', { json: {} })
    expect(await keys.verify({ key: body.key, secret: body.secret })).toMatchObject({ ok: true })
    const again = (await ask('POST', `/${body.record.id}/rotate`, { json: { overlap: 0 } })).body
    expect(await keys.verify({ key: again.key, secret: again.secret })).toMatchObject({ ok: true })
    expect(await keys.verify({ key: body.key, secret: body.secret })).toMatchObject({ ok: false })
  })

  it('lists page by page, by status, resource and name', async () => {
    const { ask } = start()
    for (const name of ['a', 'b', 'c']) await ask('POST', '/', { json: { name, resource: `agent:${name}` } })
    await ask('POST', '/', { headers: { 'x-owner': 'acct_2' }, json: { name: 'theirs' } })
    const first = (await ask('GET', '/?limit=2')).body
    const second = (await ask('GET', `/?limit=2&cursor=${encodeURIComponent(first.cursor)}`)).body
    const names = [...first.items, ...second.items].map(({ name }) => name)
    expect(names.sort()).toEqual(['a', 'b', 'c'])
    expect(second).not.toHaveProperty('cursor')

    const id = first.items[0]?.id
    await ask('POST', `/${id}/revoke`)
    expect((await ask('GET', '/?status=revoked')).body.items).toMatchObject([{ id }])
    expect((await ask('GET', '/?status=active')).body.items).toHaveLength(2)
    expect((await ask('GET', '/?name=b')).body.items).toMatchObject([{ name: 'b' }])
    expect((await ask('GET', '/?resource=agent:c')).body.items).toMatchObject([{ name: 'c' }])
    expect((await ask('GET', '/?name=theirs')).body).toEqual({ items: [] })
  })

  it('M-09: tells a key of another owner or resource exactly as one that was never made, and leaves it alone', async () => {
    const { store, ask, heard } = start()
    const { id } = (await ask('POST', '/', { json: { resource: 'agent:1', name: 'mine' } })).body.record
    const before = await store.find(id)
    heard.events.length = 0
    const strangers = [{ 'x-owner': 'acct_2' }, { 'x-resource': 'agent:2' }, { 'x-owner': 'ACCT_1' }]
    for (const headers of strangers) {
      for (const [method, path, json] of CALLS) {
        for (const match of [{}, { 'if-match': '"x"' }, { 'if-match': '*' }]) {
          const sent = { headers: { ...headers, ...match }, ...(json && { json }) }
          const foreign = await ask(method, `/${id}${path}`, sent)
          expect(foreign.status).toBe(404)
          expect(unnumbered(foreign)).toEqual(unnumbered(await ask(method, `/${UNKNOWN}${path}`, sent)))
        }
      }
    }
    expect(await store.find(id)).toEqual(before)
    expect(heard.events).toEqual([])
  })

  it('R: a resource is a condition on every route and the default of new keys', async () => {
    const { ask } = start()
    const headers = { 'x-resource': 'agent:1' }
    const mine = (await ask('POST', '/', { headers, json: {} })).body.record
    expect(mine.resource).toBe('agent:1')
    await ask('POST', '/', { json: {} })
    await ask('POST', '/', { json: { resource: 'agent:2' } })
    expect((await ask('GET', '/', { headers })).body.items).toMatchObject([{ id: mine.id }])
    expect((await ask('GET', '/?resource=agent:2', { headers })).body).toEqual({ items: [] })
    const wider = await ask('POST', '/', { headers, json: { resource: 'agent:2' } })
    expect([wider.status, wider.body.issues[0]?.path]).toEqual([400, 'resource'])
    expect((await ask('GET', '/')).body.items).toHaveLength(3)
  })

  it('tells events who did it', async () => {
    const { ask, heard } = start()
    const headers = { 'x-actor': 'user_7' }
    const { id } = (await ask('POST', '/', { headers, json: {} })).body.record
    await ask('PATCH', `/${id}`, { headers, json: { name: 'x' } })
    await ask('POST', `/${id}/rotate`, { headers, json: { overlap: 0 } })
    for (const verb of ['disable', 'enable', 'revoke']) await ask('POST', `/${id}/${verb}`, { headers })
    await ask('DELETE', `/${id}`, { headers })
    const types = ['created', 'updated', 'rotated', 'disabled', 'enabled', 'revoked', 'removed']
    expect(heard.events).toMatchObject(types.map((type) => ({ type, id, owner: 'acct_1', actor: 'user_7' })))
  })
})

describe('management()', () => {
  const keys = () => createApiKeys({ prefix: 'mg_', trustedProxies: [] })

  it.each([
    ['PUT', '/', 'POST, GET, HEAD'],
    ['DELETE', '/', 'POST, GET, HEAD'],
    ['OPTIONS', '/', 'POST, GET, HEAD'],
    ['POST', `/${UNKNOWN}`, 'GET, HEAD, PATCH, DELETE'],
    ['PUT', `/${UNKNOWN}`, 'GET, HEAD, PATCH, DELETE'],
    ['GET', `/${UNKNOWN}/rotate`, 'POST'],
    ['POST', '/openapi.json', 'GET, HEAD'],
  ])('M-13: answers %s %s with 405 and the methods that there are', async (method, path, allow) => {
    const told = await clientOf(keys())(method, path)
    expect([told.status, told.headers.get('allow')]).toEqual([405, allow])
  })

  it.each(['x-http-method-override', 'x-method-override'])('M-13: %s changes no method', async (name) => {
    const instance = keys()
    const ask = clientOf(instance)
    const { id } = (await ask('POST', '/', { json: {} })).body.record
    expect((await ask('POST', `/${id}/disable`, { headers: { [name]: 'DELETE' } })).status).toBe(405)
    expect(await instance.get(id)).toMatchObject({ status: 'active' })
  })

  it.each([
    '/nope',
    '//',
    '/openapi.json/',
    `/${UNKNOWN}/`,
    `/${UNKNOWN}/steal`,
    `/${UNKNOWN}/rotate/x`,
    '/%00',
    '/a%2Fb',
  ])('has nothing at %s', async (path) => {
    expect((await clientOf(keys())('GET', path)).status).toBe(404)
  })

  it('answers HEAD as GET, without the body', async () => {
    const ask = clientOf(keys())
    const { id } = (await ask('POST', '/', { json: {} })).body.record
    const [get, head] = [await ask('GET', `/${id}`), await ask('HEAD', `/${id}`)]
    expect([head.status, head.text]).toEqual([200, ''])
    expect([...head.headers]).toEqual([...get.headers])
  })

  it('says that a state forbids a change, and that a name is taken', async () => {
    const ask = clientOf(createApiKeys({ prefix: 'mg_', names: 'unique' }))
    const { id } = (await ask('POST', '/', { json: { name: 'Sync' } })).body.record
    const taken = await ask('POST', '/', { json: { name: 'Sync' } })
    expect([taken.status, taken.body.code, taken.body.issues[0]?.path]).toEqual([409, 'conflict', 'name'])
    await ask('POST', `/${id}/revoke`)
    const forbidden = await ask('POST', `/${id}/enable`)
    expect([forbidden.status, forbidden.body.code]).toEqual([409, 'invalid_state'])
    expect((await ask('POST', `/${id}/revoke`, { json: { reason: 'again' } })).body.record).not.toHaveProperty(
      'revokedReason',
    )
  })

  it('M-17: a new key is 201 and no-store, and found at a Location without its secret', async () => {
    const ask = clientOf(keys(), { path: '/settings/keys' })
    const made = await ask('POST', '/', { json: {} })
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`/settings/keys/${made.body.record.id}`)
    expect(made.headers.get('cache-control')).toBe('no-store')
    expect(JSON.stringify([...made.headers])).not.toContain(made.body.key.slice(15, 40))
    expect(JSON.stringify(made.body.record)).not.toContain(made.body.key.slice(15, 40))
  })

  it('W-04: says nothing to pages of other origins', async () => {
    const headers = { origin: 'https://evil.test', 'access-control-request-method': 'POST' }
    const ask = clientOf(keys())
    for (const told of [await ask('GET', '/', { headers }), await ask('OPTIONS', '/', { headers })]) {
      expect([...told.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('sends no answer that may be kept or taken for something else', async () => {
    const ask = clientOf(keys())
    for (const told of [await ask('GET', '/'), await ask('GET', '/openapi.json'), await ask('GET', '/x')]) {
      expect(told.headers.get('cache-control')).toBe('no-store')
      expect(told.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })
})
