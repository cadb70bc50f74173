import { type CreateInput, createApiKeys, memoryStore, type RotateOptions } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, failure, judged, listener } from '../support/outcome.ts'
import { kept } from '../support/stores.ts'

const FULL: CreateInput = {
  owner: 'acct_1',
  name: 'Sync',
  description: 'what for',
  resource: 'agent:42',
  scopes: ['a:read', 'b:*'],
  limits: { minute: 60 },
  allowedIps: ['10.0.0.0/8'],
  expiresAt: '2030-01-01T00:00:00.000Z',
  metadata: { plan: 'pro' },
}

async function instance(input: CreateInput = { owner: 'acct_1' }, store = memoryStore()) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'ro_', store, clock })
  return { clock, store, keys, ...(await keys.create(input)) }
}

it('rotate and credit say what they want instead of nothing', async () => {
  const keys = createApiKeys({ prefix: 'ro_' })
  const { record } = await keys.create({ owner: 'acct_1' })
  const told = async (act: () => unknown) => (await failure(act)).message
  expect(await told(() => keys.rotate(record.id, undefined as never))).toBe(
    "input must be { overlap: 0 } or { overlap: '24h' }, not undefined",
  )
  expect(await told(() => keys.credit('acct_1' as never, 5))).toBe('input must be { id } or { owner }, not "acct_1"')
})

describe('rotate', () => {
  it('gives the same key another secret, and says until when the old one works', async () => {
    const { keys, key, record, clock } = await instance(FULL)
    clock.advance(1000)
    const rotated = await keys.rotate(record.id, { overlap: '1h' })
    expect(rotated.key).not.toBe(key)
    expect(rotated.key.slice(0, 15)).toBe(key.slice(0, 15))
    expect(rotated.record).toEqual({
      ...record,
      updatedAt: '2026-01-01T00:00:01.000Z',
      previousSecretUntil: '2026-01-01T01:00:01.000Z',
    })
    expect(await keys.get(record.id)).toEqual(rotated.record)
  })

  it('tells by events who still sends the old secret, on a connection that proved it too', async () => {
    const [clock, heard] = [fakeClock(), listener()]
    const keys = createApiKeys({ prefix: 'ro_', clock, onEvent: heard.onEvent })
    const { key: old, record } = await keys.create({ owner: 'acct_1' })
    const { key } = await keys.rotate(record.id, { overlap: '1h' })
    heard.events.length = 0
    const connection = {}
    const ask = (sent: string) => keys.verify({ headers: { 'x-api-key': sent }, connection })
    for (const sent of [old, old, key]) await ask(sent)
    const overlap = { since: clock.now(), until: clock.now() + 3_600_000 }
    const admitted = { type: 'admitted', at: record.createdAt, id: record.id, owner: 'acct_1' }
    expect(heard.events).toEqual([{ ...admitted, overlap }, { ...admitted, overlap }, admitted])
  })

  it('X-06 inherits everything and adds nothing', async () => {
    const { keys, record, store } = await instance(FULL)
    const { hash: _, version: __, updatedAt: ___, ...before } = await kept(store, record.id)
    await keys.rotate(record.id, { overlap: '1h' })
    const { hash, version, updatedAt, previous, rotations, ...after } = await kept(store, record.id)
    expect(after).toEqual(before)
    expect(rotations).toBe(1)
    expect(previous?.hash).not.toBe(hash)
  })

  it('X-01 with overlap 0 the old secret is dead when rotate() resolves', async () => {
    const { keys, key, record, store } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    const rotated = await keys.rotate(record.id, { overlap: 0 })
    expect(await judged(keys, key)).toBe('invalid_key')
    expect(await judged(keys, rotated.key)).toBe('admitted')
    expect(rotated.record.previousSecretUntil).toBeUndefined()
    expect(await kept(store, record.id)).not.toHaveProperty('previous')
  })

  it('X-01 the new secret works at once, the old one until the overlap ends', async () => {
    const { keys, key, record, clock } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    const rotated = await keys.rotate(record.id, { overlap: '10s' })
    expect([await judged(keys, key), await judged(keys, rotated.key)]).toEqual(['admitted', 'admitted'])
    clock.advance(9_999)
    expect([await judged(keys, key), await judged(keys, rotated.key)]).toEqual(['admitted', 'admitted'])
    clock.advance(1)
    expect([await judged(keys, key), await judged(keys, rotated.key)]).toEqual(['invalid_key', 'admitted'])
    expect((await keys.get(record.id))?.previousSecretUntil).toBeUndefined()
  })

  it('tells which secret was used: the overlap is in the verdict of the old one alone', async () => {
    const { keys, key, record, clock } = await instance()
    const rotated = await keys.rotate(record.id, { overlap: '10s' })
    const now = clock.now()
    expect(await keys.verify(key)).toMatchObject({ ok: true, overlap: { since: now, until: now + 10_000 } })
    expect(await keys.verify(rotated.key)).toMatchObject({ ok: true, overlap: undefined })
    expect(accessIn(await keys.verify(key)).id).toBe(record.id)
  })

  it('X-05 never leaves more than two secrets alive', async () => {
    const { keys, key, record } = await instance()
    const texts = [key]
    for (let i = 0; i < 5; i++) texts.push((await keys.rotate(record.id, { overlap: '24h' })).key)
    const codes = await Promise.all(texts.map((text) => judged(keys, text)))
    expect(codes).toEqual([...Array(4).fill('invalid_key'), 'admitted', 'admitted'])
    const { key: last } = await keys.rotate(record.id, { overlap: 0 })
    expect(await Promise.all([...texts, last].map((text) => judged(keys, text)))).toEqual([
      ...Array(6).fill('invalid_key'),
      'admitted',
    ])
  })

  it('ends an overlap early, by null, and moves its end', async () => {
    const { keys, key, record, clock } = await instance()
    await keys.rotate(record.id, { overlap: '10s' })
    const later = new Date(clock.now() + 60_000)
    expect((await keys.update(record.id, { previousSecretUntil: later })).previousSecretUntil).toBe(later.toISOString())
    clock.advance('59s')
    expect(await judged(keys, key)).toBe('admitted')
    expect((await keys.update(record.id, { previousSecretUntil: null })).previousSecretUntil).toBeUndefined()
    expect(await judged(keys, key)).toBe('invalid_key')
    const error = await failure(() => keys.update(record.id, { previousSecretUntil: new Date(clock.now() + 1000) }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'previousSecretUntil' }] })
  })

  it('cannot bring an overlap back that has ended', async () => {
    const { keys, key, record, clock } = await instance()
    await keys.rotate(record.id, { overlap: '10s' })
    clock.advance('10s')
    const again = { previousSecretUntil: new Date(clock.now() + 10_000) }
    expect((await failure(() => keys.update(record.id, again))).code).toBe('INPUT')
    expect(await judged(keys, key)).toBe('invalid_key')
  })

  it.each([undefined, {}, { overlap: undefined }, { overlap: null }, null])(
    'demands an overlap: %j is refused',
    async (options) => {
      const { keys, key, record } = await instance()
      const error = await failure(() => keys.rotate(record.id, options as unknown as RotateOptions))
      expect(error.code).toBe('INPUT')
      expect(await judged(keys, key)).toBe('admitted')
    },
  )

  it.each(['disabled', 'expired', 'revoked'])(
    'is refused while a key is %s, which stays byte for byte',
    async (state) => {
      const { keys, record, store, clock } = await instance({
        owner: 'acct_1',
        expiresAt: new Date(Date.UTC(2026, 0, 2)),
      })
      if (state === 'disabled') await keys.disable(record.id)
      if (state === 'revoked') await keys.revoke(record.id)
      if (state === 'expired') clock.advance('1d')
      const before = await kept(store, record.id)
      const error = await failure(() => keys.rotate(record.id, { overlap: '1h' }))
      expect(error).toMatchObject({ code: 'STATE', message: expect.stringContaining(state) })
      expect(await kept(store, record.id)).toEqual(before)
    },
  )

  it('keeps the prefix that the key was made with', async () => {
    const store = memoryStore()
    const { record } = await createApiKeys({ prefix: 'old_', store }).create({ owner: 'acct_1' })
    const keys = createApiKeys({ prefix: ['new_', 'old_'], store })
    const rotated = await keys.rotate(record.id, { overlap: 0 })
    expect(rotated.key).toMatch(/^old_/)
    expect(rotated.record.prefix).toBe('old_')
    expect(await judged(keys, rotated.key)).toBe('admitted')
  })

  it('gives a pair a new secret, under the same key half', async () => {
    const keys = createApiKeys({ prefix: 'ro_', pair: true })
    const { key, secret = '', record } = await keys.create({ owner: 'acct_1' })
    const rotated = await keys.rotate(record.id, { overlap: '1h' })
    expect(rotated.key).toBe(key)
    expect(rotated.secret).not.toBe(secret)
    expect(await judged(keys, { key, secret })).toBe('admitted')
    expect(await judged(keys, { key, secret: rotated.secret })).toBe('admitted')
  })
})
