import { createApiKeys, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener, refusalIn } from '../support/outcome.ts'
import { distantStore, kept, spiedStore } from '../support/stores.ts'

function instance(store = memoryStore()) {
  const clock = fakeClock()
  const heard = listener()
  return { clock, store, heard, keys: createApiKeys({ prefix: 'st_', store, clock, onEvent: heard.onEvent }) }
}

describe('disable and enable', () => {
  it('stop a key, and let it go on, at the next request', async () => {
    const { keys, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance(1000)
    expect(await keys.disable(record.id)).toEqual({
      ...record,
      status: 'disabled',
      updatedAt: '2026-01-01T00:00:01.000Z',
    })
    expect(refusalIn(await keys.verify(key))).toMatchObject({ code: 'disabled', status: 401 })
    clock.advance(1000)
    expect(await keys.enable(record.id)).toEqual({ ...record, updatedAt: '2026-01-01T00:00:02.000Z' })
    expect(await judged(keys, key)).toBe('admitted')
  })

  it.each([
    ['disable', 'disabled'],
    ['enable', 'active'],
  ] as const)('%s a second time changes nothing and tells nobody', async (verb, status) => {
    const { keys, heard, store } = instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    await keys[verb](record.id)
    const before = await kept(store, record.id)
    heard.events.length = 0
    expect((await keys[verb](record.id)).status).toBe(status)
    expect(await kept(store, record.id)).toEqual(before)
    expect(heard.events).toEqual([])
  })

  it('an expired key that is enabled is still expired', async () => {
    const { keys, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + 1) })
    await keys.disable(record.id)
    clock.advance(1)
    expect((await keys.enable(record.id)).status).toBe('expired')
    expect(await judged(keys, key)).toBe('expired')
  })
})

describe('revoke', () => {
  it('ends a key for good, keeps its record and says why', async () => {
    const { keys, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance(1000)
    const revoked = await keys.revoke(record.id, { reason: 'found in a public repository' })
    expect(revoked).toEqual({
      ...record,
      status: 'revoked',
      updatedAt: '2026-01-01T00:00:01.000Z',
      revokedAt: '2026-01-01T00:00:01.000Z',
      revokedReason: 'found in a public repository',
    })
    expect(refusalIn(await keys.verify(key))).toMatchObject({ code: 'revoked', record: revoked })
    expect(await keys.get(record.id)).toEqual(revoked)
  })

  it('needs no reason', async () => {
    const { keys } = instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.revoke(record.id)).toMatchObject({ status: 'revoked', revokedReason: undefined })
  })

  it('a second time changes nothing: not the time, not the reason, not the version, and tells nobody', async () => {
    const { keys, clock, heard, store } = instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    const first = await keys.revoke(record.id, { reason: 'leaked' })
    const before = await kept(store, record.id)
    clock.advance('1h')
    heard.events.length = 0
    expect(await keys.revoke(record.id, { reason: 'another reason' })).toEqual(first)
    expect(await kept(store, record.id)).toEqual(before)
    expect(heard.events).toEqual([])
  })

  it('is terminal: nothing but remove changes the key any more', async () => {
    const { keys, store } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.revoke(record.id)
    const before = await kept(store, record.id)
    const attempts = [
      () => keys.enable(record.id),
      () => keys.disable(record.id),
      () => keys.update(record.id, { name: 'x' }),
      () => keys.update(record.id, { expiresAt: null }),
      () => keys.rotate(record.id, { overlap: 0 }),
    ]
    for (const attempt of attempts) expect((await failure(attempt)).code).toBe('STATE')
    expect(await kept(store, record.id)).toEqual(before)
    expect(await judged(keys, key)).toBe('revoked')
  })

  it.each(['disabled', 'expired'])('comes before %s', async (state) => {
    const { keys, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + 1) })
    if (state === 'disabled') await keys.disable(record.id)
    else clock.advance(1)
    expect(await judged(keys, key)).toBe(state)
    expect((await keys.revoke(record.id)).status).toBe('revoked')
    expect(await judged(keys, key)).toBe('revoked')
  })

  it.each([7, '', 'r'.repeat(501), 'bell\u0007', null, ['x']])(
    'refuses %j as a reason, and revokes nothing',
    async (reason) => {
      const { keys } = instance()
      const { key, record } = await keys.create({ owner: 'acct_1' })
      const error = await failure(() => keys.revoke(record.id, { reason: reason as string }))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'reason' }] })
      expect(await judged(keys, key)).toBe('admitted')
    },
  )

  it('R-19 touches no other key, whatever happens to one', async () => {
    const { keys, store } = instance()
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, n) => keys.create({ owner: `acct_${n % 2}`, name: 'Sync' })),
    )
    const [target, ...others] = made.map(({ record }) => record.id)
    const rows = async () => JSON.stringify(await Promise.all(others.map((id) => kept(store, id))))
    const before = await rows()
    const id = target ?? ''
    const verbs = [
      () => keys.update(id, { name: 'changed', scopes: null }),
      () => keys.disable(id),
      () => keys.enable(id),
      () => keys.rotate(id, { overlap: '1h' }),
      () => keys.revoke(id),
      () => keys.remove(id),
    ]
    for (const verb of verbs) {
      await verb()
      expect(await rows()).toBe(before)
    }
  })
})

describe('remove', () => {
  it('forgets a key: nobody knows it any more', async () => {
    const { keys, store } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await keys.remove(record.id)).toBeUndefined()
    expect(await judged(keys, key)).toBe('invalid_key')
    expect(await keys.get(record.id)).toBeUndefined()
    expect((await keys.list()).items).toEqual([])
    expect(await store.find(record.id)).toBeUndefined()
  })

  it('X-11 a second time is NOT_FOUND, and so is every other verb', async () => {
    const { keys } = instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    await keys.remove(record.id)
    const verbs = [
      () => keys.remove(record.id),
      () => keys.update(record.id, {}),
      () => keys.disable(record.id),
      () => keys.enable(record.id),
      () => keys.revoke(record.id),
      () => keys.rotate(record.id, { overlap: 0 }),
      () => keys.explain({ id: record.id }),
    ]
    for (const verb of verbs) expect((await failure(verb)).code).toBe('NOT_FOUND')
  })

  it('X-11 of several at once one removes, the others find nothing', async () => {
    const { keys, heard } = instance(distantStore())
    const { record } = await keys.create({ owner: 'acct_1' })
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => keys.remove(record.id)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) if (result.status === 'rejected') expect(result.reason.code).toBe('NOT_FOUND')
    expect(heard.of('removed')).toHaveLength(1)
  })

  it('works in every state', async () => {
    const { keys, clock } = instance()
    for (const state of ['active', 'disabled', 'revoked', 'expired']) {
      const { record } = await keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + 1) })
      if (state === 'disabled') await keys.disable(record.id)
      if (state === 'revoked') await keys.revoke(record.id)
      if (state === 'expired') clock.advance(1)
      await keys.remove(record.id)
      expect(await keys.get(record.id)).toBeUndefined()
    }
  })

  it('L-13 an id that comes back is a fresh key: new secret, new counters, no marks, no old state', async () => {
    const spied = spiedStore()
    const keys = createApiKeys({
      prefix: 'st_',
      store: spied.store,
      clock: fakeClock(),
      generateId: () => 'A'.repeat(12),
    })
    const first = await keys.create({ owner: 'acct_1', limits: { minute: 1 } })
    expect([await judged(keys, first.key), await judged(keys, first.key)]).toEqual(['admitted', 'rate_limited'])
    await keys.flush()
    const before = await kept(spied.store, first.record.id)
    await keys.remove(first.record.id)
    const second = await keys.create({ owner: 'acct_2', limits: { minute: 1 } })
    expect(second.record).toMatchObject({ id: first.record.id, uses: 0, lastUsedAt: undefined, owner: 'acct_2' })
    expect((await kept(spied.store, second.record.id)).version).not.toBe(before.version)
    expect(await judged(keys, first.key)).toBe('invalid_key')
    expect([await judged(keys, second.key), await judged(keys, second.key)]).toEqual(['admitted', 'rate_limited'])
  })
})
