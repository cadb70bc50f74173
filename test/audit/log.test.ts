import { type ApiKeysOptions, createApiKeys, type KeyEvent, type KeyStore, KeywardError, memoryStore } from 'keyward'
import { type AuditLogOptions, auditLog } from 'keyward/management'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BOTH_STORES } from '../support/both-stores.ts'
import { failure } from '../support/outcome.ts'
import { deferred, never } from '../support/stores.ts'

const memory = BOTH_STORES[0]?.[1] as (typeof BOTH_STORES)[number][1]

function start(
  open: (typeof BOTH_STORES)[number][1],
  options: AuditLogOptions = {},
  more: Partial<ApiKeysOptions> = {},
) {
  const { store } = open()
  const clock = fakeClock()
  const log = auditLog(store, { clock, ...options })
  onTestFinished(log.close)
  const keys = createApiKeys({ prefix: 'au_', store, clock, onEvent: log.onEvent, ...more })
  return { store, clock, log, keys, list: async () => (await log.list({ owner: 'acct_1' })).items }
}

/** The store, whose `note` does something else. */
function noting(note: NonNullable<KeyStore['note']>): { readonly store: KeyStore; readonly inner: KeyStore } {
  const inner = memoryStore()
  return { store: { ...inner, note }, inner }
}

describe.each(BOTH_STORES)('auditLog on the %s store', (_, open) => {
  it('tells who did what to which key, when, from where, with before and after', async () => {
    const { keys, clock, log } = start(open)
    const by = { actor: 'user_7', address: '203.0.113.9' }
    const { record } = await keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['a:read'], resource: 'agent:1' }, by)
    clock.advance(1_000)
    await keys.update(record.id, { name: 'Nightly', limits: { minute: 5 } }, by)
    await keys.rotate(record.id, { overlap: '1h', ...by })
    await keys.revoke(record.id, { reason: 'seen in a repository', actor: 'user_8' })
    await keys.remove(record.id)
    const { items, cursor } = await log.list({ owner: 'acct_1' })
    const [created, later] = [record.createdAt, new Date(clock.now()).toISOString()]
    const whose = { id: expect.any(String), owner: 'acct_1', key: record.id, resource: 'agent:1' }
    expect(cursor).toBeUndefined()
    expect(items).toEqual([
      { ...whose, at: later, type: 'removed', before: expect.objectContaining({ name: 'Nightly', status: 'revoked' }) },
      {
        ...whose,
        at: later,
        type: 'revoked',
        actor: 'user_8',
        before: { status: 'active' },
        after: { status: 'revoked', revokedAt: later, revokedReason: 'seen in a repository' },
      },
      { ...whose, ...by, at: later, type: 'rotated', before: {}, after: { previousSecretUntil: expect.any(String) } },
      {
        ...whose,
        ...by,
        at: later,
        type: 'updated',
        before: { name: 'Sync', limits: {} },
        after: { name: 'Nightly', limits: { minute: 5 } },
      },
      {
        ...whose,
        ...by,
        at: created,
        type: 'created',
        after: expect.objectContaining({ name: 'Sync', status: 'active' }),
      },
    ])
  })

  it('keeps credit that was given, and revocations of many keys, but no request', async () => {
    const { keys, list, log } = start(open, {}, { limits: { default: { minute: 1 } } })
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 5 } })
    await keys.verify(key)
    await keys.verify(key)
    await keys.verify('au_nonsense')
    await keys.credit({ id: record.id }, 20, { actor: 'billing' })
    await keys.create({ owner: 'acct_1' })
    await keys.revokeAll({ owner: 'acct_1', reason: 'closed', actor: 'support', address: '10.0.0.1' })
    await keys.revokeAll({ resource: 'agent:1' })
    const [bulk, , credited, ...rest] = await list()
    expect(bulk).toMatchObject({ type: 'revoked', count: 2, actor: 'support', address: '10.0.0.1' })
    expect(bulk).not.toHaveProperty('key')
    expect(credited).toMatchObject({ type: 'credited', key: record.id, amount: 20, balance: 24, actor: 'billing' })
    expect(rest.map(({ type }) => type)).toEqual(['created'])
    // Nothing was revoked by the second, so there is nothing to tell.
    expect((await log.list({ owner: '' })).items).toEqual([])
  })

  it('lists those of one owner, key, actor or resource, page by page', async () => {
    const { keys, log } = start(open)
    const ids: string[] = []
    for (const [i, resource] of ['r1', 'r2', 'r1'].entries()) {
      ids.push((await keys.create({ owner: 'acct_1', resource }, { actor: `user_${i}` })).record.id)
    }
    await keys.create({ owner: 'acct_2' }, { actor: 'user_0' })
    const listed = async (query: object) =>
      (await log.list({ owner: 'acct_1', ...query })).items.map(({ key }) => ids.indexOf(key ?? ''))
    expect(await listed({})).toEqual([2, 1, 0])
    expect(await listed({ key: ids[1] })).toEqual([1])
    expect(await listed({ actor: 'user_2' })).toEqual([2])
    expect(await listed({ resource: 'r1' })).toEqual([2, 0])
    expect(await listed({ actor: `' OR 1=1 --` })).toEqual([])
    expect(await listed({ prefixes: ['other_'] })).toEqual([])
    const { cursor = '' } = await log.list({ owner: 'acct_1', limit: 2 })
    expect(await listed({ limit: 2, cursor })).toEqual([0])
  })

  it('keeps the newest of each owner, and nothing that is too old', async () => {
    const { keys, clock, log, list } = start(open, { perOwner: 3, maxAge: '1h' })
    const { record } = await keys.create({ owner: 'acct_1' })
    for (const name of ['a', 'b', 'c', 'd']) await keys.update(record.id, { name })
    expect((await list()).map(({ after }) => after?.name)).toEqual(['d', 'c', 'b'])
    clock.advance(3_600_001)
    expect(await list()).toEqual([])
    await keys.update(record.id, { name: 'e' })
    expect(await list()).toHaveLength(1)
    expect((await log.list({ owner: 'acct_1', limit: 100 })).items).toHaveLength(1)
  })

  it('G-01: keeps no secret, also none that somebody wrote into a key', async () => {
    const { keys, store, list } = start(open)
    const { key } = await keys.create({ owner: 'acct_1' })
    const secret = key.slice('au_'.length + 12, -6)
    const named = await keys.create({ owner: 'acct_1', name: `was ${key}`, metadata: { [key]: [{ old: key }] } })
    const { key: next } = await keys.rotate(named.record.id, { overlap: 0 })
    await keys.revoke(named.record.id, { reason: `leaked: ${next}` })
    await list()
    const page = await store.notes?.({ owner: 'acct_1', since: 0, limit: 50 })
    const text = JSON.stringify([page, await list()])
    expect(text).toContain('[redacted]')
    const hashes = await Promise.all(
      (await keys.list()).items.map(async ({ id }) => (await store.find(id))?.hash ?? ''),
    )
    for (const never of [secret, next.slice(-38), named.key.slice(-38), ...hashes]) expect(text).not.toContain(never)
  })

  it('gives back as data whatever people write', async () => {
    const { keys, list } = start(open)
    const names = ['<script>alert(1)</script>', `'; DROP TABLE keyward_notes; --`, '{{x}}', '%0d%0a', '🔑', '\\u0000"']
    for (const name of names) await keys.create({ owner: 'acct_1', name }, { actor: name })
    const told = (await list()).map(({ actor, after }) => [actor, after?.name])
    expect(told.reverse()).toEqual(names.map((name) => [name, name]))
  })

  it('leaves out what is too large, and says so', async () => {
    const { keys, list } = start(open)
    const metadata = { a: 'x '.repeat(7_500) }
    const allowedIps = Array.from({ length: 1_000 }, (_, i) => `2001:db8:${i.toString(16)}::/48`)
    const scopes = Array.from({ length: 200 }, (_, i) => `s${i}:${'ab.'.repeat(38)}`)
    await keys.create({ owner: 'acct_1', name: 'large', metadata, allowedIps, scopes })
    const [entry] = await list()
    expect(entry).toMatchObject({ omitted: ['metadata', 'allowedIps'], after: { name: 'large' } })
    expect(JSON.stringify(entry).length).toBeLessThan(33_000)
  })

  it('X-13: shows the key whose answer was lost, by which it can be ended', async () => {
    const { keys, log } = start(open)
    await keys.create({ owner: 'acct_1', name: 'lost' }, { actor: 'user_7' }) // the answer never came
    const { items } = await log.list({ owner: 'acct_1', actor: 'user_7' })
    await keys.revoke(items[0]?.key ?? '', { owner: 'acct_1' })
    expect((await keys.list({ name: 'lost' })).items).toMatchObject([{ status: 'revoked' }])
  })
})

describe('auditLog', () => {
  const created = (owner: string): KeyEvent => ({ type: 'created', at: '2026-01-01T00:00:00.000Z', id: 'k', owner })

  it('delays nothing and fails nothing while its store does not answer', async () => {
    const onError = vi.fn()
    const { store } = noting(never)
    const log = auditLog(store, { timeout: 20, onError })
    const keys = createApiKeys({ prefix: 'au_', store, onEvent: log.onEvent })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.get(record.id)).toBeDefined()
    expect((await failure(log.flush)).code).toBe('STORE')
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'STORE' }))
    await log.close()
    expect(onError.mock.lastCall?.[0].message).toBe(
      '1 entries of the audit log are lost: the store could not be reached before it was closed',
    )
  })

  it('hears out an onError that fails, at once or later', async () => {
    const rejections: unknown[] = []
    const hear = (reason: unknown) => rejections.push(reason)
    process.on('unhandledRejection', hear)
    const { store } = noting(() => Promise.reject(new Error('gone')))
    const failing = [
      () => Promise.reject(new Error('its own')),
      () => {
        throw new Error('its own')
      },
    ]
    for (const onError of failing) {
      const log = auditLog(store, { onError })
      log.onEvent(created('acct_1'))
      await failure(log.flush)
      await log.close()
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off('unhandledRejection', hear)
    expect(rejections).toEqual([])
  })

  it('writes what waited when the store is back, once, in order', async () => {
    let down = true
    const { store, inner } = noting(async (notes, keep) => {
      // The last that is written before it breaks is written, and not acknowledged.
      await inner.note?.(notes, keep)
      if (down) throw new Error('connection lost')
    })
    const log = auditLog(store, { onError: () => {} })
    log.onEvent(created('acct_1'))
    await failure(log.flush)
    log.onEvent({ ...created('acct_1'), type: 'updated' } as KeyEvent)
    await failure(log.flush)
    down = false
    await log.flush()
    const { items } = await log.list({ owner: 'acct_1' })
    expect(items.map(({ type }) => type)).toEqual(['updated', 'created'])
    await log.close()
  })

  it('writes what comes while it writes', async () => {
    const { promise, resolve } = deferred()
    const sizes: number[] = []
    const { store, inner } = noting(async (notes, keep) => {
      sizes.push(notes.length)
      await promise
      await inner.note?.(notes, keep)
    })
    const log = auditLog(store)
    log.onEvent(created('a'))
    await vi.waitFor(() => expect(sizes).toEqual([1]))
    for (let i = 0; i < 450; i++) log.onEvent(created('a'))
    resolve()
    await log.flush()
    expect(sizes).toEqual([1, 200, 200, 50])
    expect((await inner.notes?.({ owner: 'a', since: 0, limit: 1_000 }))?.items).toHaveLength(451)
  })

  it('lets nothing that the store refuses stand in the way of the rest', async () => {
    const onError = vi.fn()
    const { store, inner } = noting((notes, keep) => {
      if (notes.some(({ owner }) => owner === 'too long')) throw new KeywardError('INPUT', 'owner is too long')
      return inner.note?.(notes, keep)
    })
    const log = auditLog(store, { onError })
    for (const owner of ['a', 'too long', 'b']) log.onEvent(created(owner))
    await log.flush()
    expect((await log.list({ owner: 'b' })).items).toHaveLength(1)
    expect(onError).toHaveBeenCalledTimes(1)
  })

  it('keeps a bounded number while the store is down, and tells what was lost', async () => {
    const onError = vi.fn()
    const { store } = noting(never)
    const log = auditLog(store, { onError, timeout: 20 })
    for (let i = 0; i < 10_002; i++) log.onEvent(created('a'))
    expect(onError.mock.calls.map(([error]) => (error as Error).message)).toEqual(
      Array(2).fill('1 entries of the audit log are lost: 10000 wait already'),
    )
    await log.close()
    log.onEvent(created('a'))
    expect(onError.mock.lastCall?.[0].message).toContain('it is closed')
  })

  it('never throws, whatever it hears and whatever hears of that', () => {
    const log = auditLog(memoryStore(), {
      onError: () => {
        throw new Error('nobody listens')
      },
    })
    for (const nonsense of [undefined, null, 1, {}, { type: 'created', before: 1n }, { ...created('a'), at: 7 }]) {
      expect(() => log.onEvent(nonsense as never)).not.toThrow()
    }
  })

  it('shows what is whole beside a note that is damaged', async () => {
    const { store, log, keys } = start(memory)
    await keys.create({ owner: 'acct_1' })
    for (const data of ['', '{', '[]', 'null', '{"type":"hacked"}']) {
      await store.note?.([{ id: `x${data.length}`, at: Date.now(), owner: 'acct_1', data }], { most: 100, since: 0 })
    }
    expect((await log.list({ owner: 'acct_1' })).items.map(({ type }) => type)).toEqual(['created'])
  })

  it('is a fault where the store fails to list, told without its words', async () => {
    const store: KeyStore = { ...memoryStore(), notes: () => Promise.reject(new Error('redis://u:pw@host')) }
    const error = await failure(() => auditLog(store).list({ owner: 'a' }))
    expect([error.code, error.message]).toEqual(['STORE', "the store's notes failed: redis://[redacted]@host"])
  })

  it.each([
    [{ perOwner: 0 }, 'perOwner'],
    [{ perOwner: 1.5 }, 'perOwner'],
    [{ maxAge: 'long' }, 'maxAge'],
    [{ maxAge: 5 }, 'maxAge'],
    [{ timeout: 0 }, 'timeout'],
    [{ onError: 'log' }, 'onError'],
    [{ clock: {} }, 'clock'],
    [{ perowner: 5 }, 'perowner'],
  ])('refuses the options %j, by name', async (options, path) => {
    const error = await failure(() => auditLog(memoryStore(), options as never))
    expect([error.code, error.issues?.map((issue) => issue.path)]).toEqual(['CONFIG', [path]])
  })

  it('refuses a store that keeps no notes, and what is no store', async () => {
    const { note: _, notes: __, ...plain } = memoryStore()
    for (const wrong of [plain, undefined, 'keys.db']) {
      expect((await failure(() => auditLog(wrong as never))).issues?.[0]?.path).toBe('store')
    }
  })

  it.each([
    [{}, 'owner'],
    [{ owner: 1 }, 'owner'],
    [{ owner: 'a', limit: 101 }, 'limit'],
    [{ owner: 'a', key: 1 }, 'key'],
    [{ owner: 'a', prefixes: 'x' }, 'prefixes'],
    [{ owner: 'a', type: 'created' }, 'type'],
    [{ owner: 'a', cursor: 'nonsense' }, 'cursor'],
  ])('refuses the query %j, by name', async (query, path) => {
    const error = await failure(() => auditLog(memoryStore()).list(query as never))
    expect([error.code, error.issues?.map((issue) => issue.path)]).toEqual(['INPUT', [path]])
  })
})
