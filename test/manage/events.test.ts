import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createApiKeys, hmac, type KeyEvent, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { judged, listener } from '../support/outcome.ts'
import { alteredStore, kept, wrongSecretFor } from '../support/stores.ts'

const BY = { owner: 'acct_1', actor: 'user_7' }

function instance() {
  const [clock, store, heard] = [fakeClock(), memoryStore(), listener()]
  const keys = createApiKeys({ prefix: 'ev_', store, clock, onEvent: heard.onEvent })
  const at = () => new Date(clock.now()).toISOString()
  return { clock, store, heard, keys, at }
}

describe('events of changes', () => {
  it('created: the record after, and who did it', async () => {
    const { keys, heard, at } = instance()
    const { record } = await keys.create({ owner: 'acct_1', name: 'Sync' }, BY)
    expect(heard.events).toEqual([
      { type: 'created', at: at(), id: record.id, owner: 'acct_1', actor: 'user_7', after: record },
    ])
  })

  it.each([
    ['updated', (keys, id) => keys.update(id, { name: 'Renamed' }, BY)],
    ['disabled', (keys, id) => keys.disable(id, BY)],
    ['rotated', async (keys, id) => (await keys.rotate(id, { overlap: '1h', ...BY })).record],
    ['revoked', (keys, id) => keys.revoke(id, { reason: 'leaked', ...BY })],
  ] satisfies readonly (readonly [
    string,
    (keys: ReturnType<typeof instance>['keys'], id: string) => Promise<unknown>,
  ])[])('%s: the records before and after, and who did it', async (type, act) => {
    const { keys, heard, clock, at } = instance()
    const { record } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    heard.events.length = 0
    clock.advance(1000)
    const after = await act(keys, record.id)
    expect(heard.events).toEqual([
      { type, at: at(), id: record.id, owner: 'acct_1', actor: 'user_7', before: record, after },
    ])
    expect(after).not.toEqual(record)
  })

  it('hold no secret that somebody wrote into a text: it is kept and answered as it was written', async () => {
    const { keys, heard, store } = instance()
    const { key, record: first } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    const name = `our ${key}`
    const texts = { name, description: name, metadata: { [key]: [{ note: name }] } }
    const resource = `agent:${'a'.repeat(40)}`
    const { record } = await keys.create({ owner: 'acct_1', ...texts, resource })
    expect(await keys.update(first.id, texts)).toMatchObject(texts)
    expect(await keys.revoke(first.id, { reason: name })).toMatchObject({ revokedReason: name })
    await keys.rotate(record.id, { overlap: 0 })
    await keys.remove(first.id)
    expect(heard.events).toHaveLength(6)
    expect(JSON.stringify(heard.events)).not.toContain(key)
    expect(heard.events[1]).toMatchObject({ after: { name: 'our ev_[redacted]', owner: 'acct_1', resource } })
    expect(await kept(store, record.id)).toMatchObject(texts)
  })

  it('enabled: likewise', async () => {
    const { keys, heard, at } = instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    const before = await keys.disable(record.id)
    heard.events.length = 0
    const after = await keys.enable(record.id, BY)
    expect(heard.events).toEqual([{ type: 'enabled', at: at(), id: record.id, ...BY, before, after }])
  })

  it('removed: the record before, and no record after', async () => {
    const { keys, heard, at } = instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    heard.events.length = 0
    await keys.remove(record.id, BY)
    expect(heard.events).toEqual([{ type: 'removed', at: at(), id: record.id, ...BY, before: record }])
  })

  it('name no actor where none was named', async () => {
    const { keys, heard } = instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    await keys.update(record.id, { name: 'x' })
    await keys.revokeAll({ owner: 'acct_1' })
    for (const event of heard.events) expect(event).not.toHaveProperty('actor')
    expect(heard.events).toHaveLength(3)
  })

  it('come after the change is durable, and are not told of one that failed', async () => {
    const { keys, store } = instance()
    const seen: unknown[] = []
    const watched = createApiKeys({
      prefix: 'ev_',
      store,
      onEvent: (event) => seen.push([event.type, store.find(event.id ?? '')]),
    })
    const { record } = await watched.create({ owner: 'acct_1' })
    await watched.disable(record.id)
    expect(seen).toMatchObject([
      ['created', { status: 'active' }],
      ['disabled', { status: 'disabled' }],
    ])
    await keys.revoke(record.id)
    seen.length = 0
    await expect(watched.enable(record.id)).rejects.toThrow()
    await expect(watched.update('0'.repeat(12), {})).rejects.toThrow()
    expect(seen).toEqual([])
  })

  it('a damaged record can be removed while someone listens, and the event says whose it was', async () => {
    const heard = listener()
    const store = alteredStore((stored) => ({ ...stored, createdAt: Number.NaN, limits: 'none' }))
    const keys = createApiKeys({ prefix: 'ev_', store, onEvent: heard.onEvent })
    const { record } = await keys.create({ owner: 'acct_1' })
    await keys.remove(record.id, { actor: 'user_7' })
    expect(heard.of('removed')).toMatchObject([{ id: record.id, owner: 'acct_1', actor: 'user_7' }])
  })
})

describe('events of verification', () => {
  it('admitted: whose key, and from where', async () => {
    const { keys, heard, at } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    heard.events.length = 0
    await keys.verify({ key, address: '203.0.113.9' })
    await keys.verify(key)
    expect(heard.events).toEqual([
      { type: 'admitted', at: at(), id: record.id, owner: 'acct_1', address: '203.0.113.9' },
      { type: 'admitted', at: at(), id: record.id, owner: 'acct_1' },
    ])
  })

  it("denied: the truth, also with reveal: 'nobody'; the key only once its secret was proved", async () => {
    const heard = listener()
    const keys = createApiKeys({ prefix: 'ev_', reveal: 'nobody', onEvent: heard.onEvent })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.revoke(record.id)
    heard.events.length = 0
    const { key: wrong } = await wrongSecretFor(record.id, 'ev_')
    for (const text of [key, wrong, 'ev_nonsense', '']) await keys.verify(text)
    expect(heard.of('denied').map(({ code, id, owner }) => [code, id, owner])).toEqual([
      ['revoked', record.id, 'acct_1'],
      ['invalid_key', undefined, undefined],
      ['invalid_key', undefined, undefined],
      ['missing_credentials', undefined, undefined],
    ])
  })
})

describe('events tell no secret', () => {
  it.each([
    ['plain keys', false],
    ['pairs', true],
  ] as const)('whatever happens to %s', async (_, pair) => {
    const [store, heard] = [memoryStore(), listener()]
    const hasher = hmac({ current: 'p1', peppers: { p1: 'v7Qm0z2LsE9rKc4TbXfY8nWd' } })
    const keys = createApiKeys({ prefix: 'ev_', pair, store, hasher, onEvent: heard.onEvent })
    const first = await keys.create({ owner: 'acct_1' })
    const { id } = first.record
    const hashes = [(await kept(store, id)).hash]
    await keys.update(id, { name: 'x' })
    const second = await keys.rotate(id, { overlap: '1h' })
    hashes.push((await kept(store, id)).hash)
    const wrong = await wrongSecretFor(id, 'ev_', pair)
    for (const given of [first, second, wrong]) await keys.verify(given)
    await keys.disable(id)
    await keys.verify(second)
    await keys.enable(id)
    await keys.revoke(id)
    await keys.verify(second)
    await keys.remove(id)
    await keys.verify(second)
    const told = JSON.stringify(heard.events)
    expect(new Set(heard.events.map(({ type }) => type)).size).toBe(9)
    for (const { key, secret } of [first, second, wrong]) {
      expect(told).not.toContain(pair ? secret?.slice(7, 39) : key.slice(15, 47))
    }
    for (const hash of hashes) expect(told).not.toContain(hash.split('$').at(-1))
    expect(told).not.toMatch(/hash|uniqueName|v7Qm0z2LsE9r/)
  })
})

describe('listeners', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('listener')
      },
    ],
    ['rejects', () => Promise.reject(new Error('listener'))],
    [
      'throws what throws when it is looked at',
      () => {
        throw new Proxy(new Error('listener'), { get: () => Symbol('listener') })
      },
    ],
    [
      'changes what it hears',
      (event: KeyEvent) => {
        Object.assign(event, { code: 'admitted', type: 'created', after: undefined })
      },
    ],
    ['calls back', () => createApiKeys({ prefix: 'xx_' })],
  ])('one that %s changes nothing', async (_, onEvent) => {
    const keys = createApiKeys({ prefix: 'ev_', onEvent: onEvent as (event: KeyEvent) => void })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    expect((await keys.disable(record.id)).status).toBe('disabled')
    expect(await judged(keys, key)).toBe('disabled')
  })

  it('the same events go to node:diagnostics_channel', async () => {
    const heard: unknown[] = []
    const listen = (message: unknown) => heard.push(message)
    const channels = ['created', 'disabled', 'denied'].map((type) => `keyward:${type}`)
    for (const name of channels) subscribe(name, listen)
    onTestFinished(() => channels.forEach((name) => void unsubscribe(name, listen)))
    const keys = createApiKeys({ prefix: 'ev_' })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.disable(record.id)
    await keys.verify(key)
    expect(heard).toMatchObject([
      { type: 'created', id: record.id, after: record },
      { type: 'disabled', before: record },
      { type: 'denied', code: 'disabled', id: record.id },
    ])
  })
})
