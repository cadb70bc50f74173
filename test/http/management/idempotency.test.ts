import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { failure, listener } from '../../support/outcome.ts'
import { clientOf } from './client.ts'

const HEADERS = { 'idempotency-key': 'order-66-6d9a' }

describe.each(BOTH_STORES)('Idempotency-Key on the %s store', (_, open) => {
  const start = () => {
    const { store, rows } = open()
    const { events, onEvent } = listener()
    const keys = createApiKeys({ prefix: 'mi_', store, onEvent })
    return { store, rows, keys, events, ask: clientOf(keys) }
  }

  it('X-09: makes one key, and gives its text to the first alone', async () => {
    const { ask, events } = start()
    const json = { name: 'Sync', scopes: ['a:read'], metadata: { a: 1 } }
    const first = await ask('POST', '/', { json, headers: HEADERS })
    const again = await ask('POST', '/', { json, headers: HEADERS })
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.body).toEqual({ record: first.body.record })
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    expect(events.map(({ type }) => type)).toEqual(['created'])
  })

  it('X-09: refuses another body under the same key, and makes nothing', async () => {
    const { ask, events } = start()
    await ask('POST', '/', { json: { name: 'a' }, headers: HEADERS })
    const other = await ask('POST', '/', { json: { name: 'b' }, headers: HEADERS })
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused'])
    expect(events).toHaveLength(1)
  })

  it('X-09: makes one key of many requests at once, in several processes', async () => {
    const { store, keys } = start()
    const asks = [keys, createApiKeys({ prefix: 'mi_', store })].map((each) => clientOf(each))
    const told = await Promise.all(
      Array.from({ length: 40 }, (_, i) => asks[i % 2]?.('POST', '/', { json: { name: 'x' }, headers: HEADERS })),
    )
    expect(told.map((each) => each?.status).sort()).toEqual([...Array(39).fill(200), 201])
    expect(new Set(told.map((each) => each?.body.record.id)).size).toBe(1)
    expect((await keys.list()).items).toHaveLength(1)
  })

  it('X-09: is the owner’s own: others make their own keys with it', async () => {
    const { ask } = start()
    const mine = await ask('POST', '/', { json: {}, headers: HEADERS })
    const theirs = await ask('POST', '/', { json: {}, headers: { ...HEADERS, 'x-owner': 'acct_2' } })
    expect([mine.status, theirs.status]).toEqual([201, 201])
    expect(theirs.body.record.id).not.toBe(mine.body.record.id)
  })

  it('X-13: finds the key whose answer was lost, and a rotation gives it a text again', async () => {
    const { ask, keys } = start()
    await ask('POST', '/', { json: {}, headers: HEADERS }) // the answer never came
    const { id } = (await ask('POST', '/', { json: {}, headers: HEADERS })).body.record
    const { key } = (await ask('POST', `/${id}/rotate`, { json: { overlap: 0 } })).body
    expect(await keys.verify(key)).toMatchObject({ ok: true })
  })

  it('X-09: tells what became of the key since', async () => {
    const { ask } = start()
    const { id } = (await ask('POST', '/', { json: { name: 'x' }, headers: HEADERS })).body.record
    await ask('PATCH', `/${id}`, { json: { name: 'y' } })
    await ask('POST', `/${id}/revoke`)
    const again = await ask('POST', '/', { json: { name: 'x' }, headers: HEADERS })
    expect(again.body.record).toMatchObject({ id, name: 'y', status: 'revoked' })
  })

  it('X-09: keeps neither the text of the key nor the idempotency key', async () => {
    const { ask, rows } = start()
    const { key, record } = (await ask('POST', '/', { json: {}, headers: HEADERS })).body
    const kept = await rows([record.id])
    expect(kept).toContain(record.id)
    expect(kept).not.toContain(key.slice('mi_'.length + 12, -6))
    expect(kept).not.toContain(HEADERS['idempotency-key'])
  })

  it.each(['', 'a b', 'é', 'x'.repeat(256)])('refuses the key %j without showing it', async (value) => {
    const { ask, events } = start()
    const told = await ask('POST', '/', { json: {}, headers: { 'idempotency-key': value } })
    expect([told.status, told.body.issues]).toEqual([
      400,
      [{ path: 'idempotencyKey', message: 'must be 1 to 255 visible ASCII characters' }],
    ])
    expect(events).toEqual([])
  })

  it('is known to create(), which throws what was made', async () => {
    const { keys } = start()
    const once = { idempotencyKey: 'job-1' }
    const { record } = await keys.create({ owner: 'acct_1' }, once)
    expect(await failure(() => keys.create({ owner: 'acct_1' }, once))).toMatchObject({
      code: 'CONFLICT',
      id: record.id,
    })
    const other = await failure(() => keys.create({ owner: 'acct_1', name: 'x' }, once))
    expect(other).toMatchObject({ code: 'CONFLICT', issues: [{ path: 'idempotencyKey' }] })
    expect(other).not.toHaveProperty('id')
    await keys.remove(record.id)
    expect((await keys.create({ owner: 'acct_1' }, once)).record.id).toBe(record.id)
  })
})
