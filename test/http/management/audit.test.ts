import { createApiKeys, type KeyStore } from 'keyward'
import { type AuditEntry, auditLog, type ManagementOptions, management } from 'keyward/management'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { asking, clientOf, type Told } from './client.ts'

function start(open: (typeof BOTH_STORES)[number][1], change: (store: KeyStore) => KeyStore = (store) => store) {
  const store = change(open().store)
  const audit = auditLog(store, { onError: () => {} })
  onTestFinished(audit.close)
  const keys = createApiKeys({ prefix: 'ma_', store, onEvent: audit.onEvent, trustedProxies: [] })
  const address: ManagementOptions['address'] = ({ headers }) => headers.get('x-from') ?? undefined
  return { store, audit, keys, ask: clientOf(keys, { audit, address, onError: () => {} }) }
}

const entriesIn = ({ body }: Told) => body.items as unknown as readonly AuditEntry[]

describe.each(BOTH_STORES)('GET /audit on the %s store', (_, open) => {
  it('the option takes no store, whose list has the hashes of keys', () => {
    const { keys, store } = start(open)
    expect(() => clientOf(keys, { audit: store as never })).toThrow('audit must be an auditLog()')
  })

  it('tells who did what to which key over these routes, and from where', async () => {
    const { ask } = start(open)
    const headers = { 'x-actor': 'user_7', 'x-from': '203.0.113.9' }
    const { id } = (await ask('POST', '/', { headers, json: { name: 'Sync' } })).body.record
    await ask('PATCH', `/${id}`, { headers, json: { name: 'Nightly' } })
    await ask('POST', `/${id}/rotate`, { headers, json: { overlap: 0 } })
    for (const verb of ['disable', 'enable', 'revoke']) await ask('POST', `/${id}/${verb}`, { headers })
    await ask('DELETE', `/${id}`, { headers })
    const told = await ask('GET', `/audit?key=${id}`)
    expect([told.status, told.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const types = ['removed', 'revoked', 'enabled', 'disabled', 'rotated', 'updated', 'created']
    const by = { owner: 'acct_1', key: id, actor: 'user_7', address: '203.0.113.9' }
    expect(entriesIn(told)).toMatchObject(types.map((type) => ({ type, ...by })))
    expect(entriesIn(told)[5]).toMatchObject({ before: { name: 'Sync' }, after: { name: 'Nightly' } })
  })

  it('does not believe in the body who did it', async () => {
    const { ask } = start(open)
    for (const field of ['actor', 'address']) {
      expect((await ask('POST', '/', { json: { [field]: 'somebody' } })).status).toBe(400)
    }
    await ask('POST', '/', { json: {}, headers: { 'x-from': 'no address' } })
    const [entry] = entriesIn(await ask('GET', '/audit'))
    expect(entry).not.toHaveProperty('actor')
    expect(entry).not.toHaveProperty('address')
  })

  it('lists page by page, by key and by actor', async () => {
    const { ask } = start(open)
    const ids: string[] = []
    for (const actor of ['a', 'b', 'a']) {
      ids.push((await ask('POST', '/', { json: {}, headers: { 'x-actor': actor } })).body.record.id)
    }
    const keysOf = (told: Told) => entriesIn(told).map(({ key }) => ids.indexOf(key ?? ''))
    const first = await ask('GET', '/audit?limit=2')
    const second = await ask('GET', `/audit?limit=2&cursor=${first.body.cursor}`)
    expect([keysOf(first), keysOf(second), second.body.cursor]).toEqual([[2, 1], [0], undefined])
    expect(keysOf(await ask('GET', '/audit?actor=a'))).toEqual([2, 0])
    expect(keysOf(await ask('GET', `/audit?key=${ids[1]}&actor=b`))).toEqual([1])
  })

  it('R: shows nothing of others: owners, resources, kinds of keys', async () => {
    const { ask, store, audit } = start(open)
    const other = createApiKeys({ prefix: 'mb_', store, onEvent: audit.onEvent })
    await other.create({ owner: 'acct_1', name: 'of another kind' })
    await ask('POST', '/', { json: { resource: 'agent:1', name: 'mine' } })
    await ask('POST', '/', { json: { resource: 'agent:2', name: 'hers' } })
    await ask('POST', '/', { json: { name: 'theirs' }, headers: { 'x-owner': 'acct_2' } })
    const namesFor = async (headers: Readonly<Record<string, string>>, query = '') =>
      entriesIn(await ask('GET', `/audit${query}`, { headers })).map(({ after }) => after?.name)
    expect(await namesFor({})).toEqual(['hers', 'mine'])
    expect(await namesFor({ 'x-resource': 'agent:1' })).toEqual(['mine'])
    expect(await namesFor({ 'x-owner': 'acct_2' })).toEqual(['theirs'])
    expect(await namesFor({ 'x-owner': 'acct_3' })).toEqual([])
    const hers = (await ask('GET', '/?name=hers')).body.items[0]?.id
    expect(await namesFor({ 'x-resource': 'agent:1' }, `?key=${hers}`)).toEqual([])
  })

  it.each([
    '?limit=0',
    '?limit=101',
    '?limit=1e9',
    '?owner=acct_2',
    '?resource=x',
    '?key=',
    '?key=a&key=b',
    "?cursor='%20OR%201=1--",
    '?type[]=created',
    '?__proto__=x',
  ])('M-11: the query %s is refused', async (query) => {
    const told = await start(open).ask('GET', `/audit${query}`)
    expect([told.status, told.body.code]).toEqual([400, 'invalid_request'])
  })

  it('X-13: shows what came of a request whose answer was lost', async () => {
    const { ask, keys } = start(open)
    await ask('POST', '/', { json: { name: 'lost' }, headers: { 'x-actor': 'user_7' } }) // the answer never came
    const [entry] = entriesIn(await ask('GET', '/audit?actor=user_7'))
    expect((await ask('POST', `/${entry?.key}/revoke`)).status).toBe(200)
    expect((await keys.list({ name: 'lost' })).items).toMatchObject([{ status: 'revoked' }])
  })

  it('G-01: shows no key, whatever was done and written', async () => {
    const { ask } = start(open)
    const { key, record } = (await ask('POST', '/', { json: {} })).body
    const { key: next } = (await ask('POST', `/${record.id}/rotate`, { json: { overlap: '1h' } })).body
    await ask('PATCH', `/${record.id}`, { json: { name: key, description: `${next}\n`, metadata: { [key]: next } } })
    await ask('POST', `/${record.id}/revoke`, { json: { reason: `leaked ${key}` } })
    const { text } = await ask('GET', '/audit')
    expect(text).toContain('leaked ma_[redacted]')
    for (const secret of [key, next].map((each) => each.slice('ma_'.length + 12, -6)))
      expect(text).not.toContain(secret)
  })
})

describe('GET /audit', () => {
  const memory = BOTH_STORES[0]?.[1] as (typeof BOTH_STORES)[number][1]

  it('is not there without a log, and in the document only with one', async () => {
    const { keys, ask } = start(memory)
    const without = clientOf(keys)
    expect((await without('GET', '/audit')).status).toBe(404)
    expect((await without('GET', '/openapi.json')).text).not.toContain('"/audit"')
    expect((await ask('GET', '/openapi.json')).text).toContain('"/audit"')
    expect((await ask('POST', '/audit')).headers.get('allow')).toBe('GET, HEAD')
  })

  it('asks for a leave of its own', async () => {
    const { keys, audit } = start(memory)
    const may = vi.fn((verb: string) => verb !== 'audit')
    const ask = asking(management(keys, { authorize: () => ({ owner: 'acct_1', may }), audit }))
    expect((await ask('GET', '/audit')).status).toBe(403)
    expect(may).toHaveBeenCalledWith('audit')
    expect((await asking(management(keys, { authorize: () => undefined, audit }))('GET', '/audit')).status).toBe(401)
  })

  it('delays and fails no other route where the store keeps no notes any more', async () => {
    const note = () => Promise.reject(new Error('disk full'))
    const { ask } = start(memory, (store) => ({ ...store, note, notes: note }))
    expect((await ask('POST', '/', { json: {} })).status).toBe(201)
    const told = await ask('GET', '/audit')
    expect([told.status, told.body.code]).toEqual([503, 'unavailable'])
    expect(told.text).not.toContain('disk')
  })
})
