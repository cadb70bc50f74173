import { type ApiKeys, createApiKeys, type Limits, memoryStore } from 'keyward'
import { type FakeClock, fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, judged } from '../support/outcome.ts'
import { distantStore, spiedStore, wrapStore, wrongSecretFor } from '../support/stores.ts'

/** Two processes on one store: what is changed there, and what is seen here. */
async function processes(cache?: false | { maxLag?: number; maxKeys?: number }, limits?: Limits) {
  const [clock, inner] = [fakeClock(), memoryStore()]
  const spied = spiedStore(inner)
  const here = createApiKeys({ prefix: 'ca_', store: spied.store, clock, cache })
  const there = createApiKeys({ prefix: 'ca_', store: inner, clock })
  const made = await there.create({ owner: 'acct_1', scopes: ['a:read'], limits })
  return { clock, spied, here, there, ...made }
}

/** Every change, by another process, and what it makes of a verification. */
const CHANGES: readonly (readonly [string, (keys: ApiKeys, id: string) => Promise<unknown>, string])[] = [
  ['update', (keys, id) => keys.update(id, { scopes: ['b:read'] }), 'insufficient_scope'],
  ['disable', (keys, id) => keys.disable(id), 'disabled'],
  ['rotate', (keys, id) => keys.rotate(id, { overlap: 0 }), 'invalid_key'],
  ['revoke', (keys, id) => keys.revoke(id), 'revoked'],
  ['revokeAll', (keys) => keys.revokeAll({ owner: 'acct_1' }), 'revoked'],
  ['remove', (keys, id) => keys.remove(id), 'invalid_key'],
]
const DEMAND = { scopes: ['a:read'] }

describe('C. Remembered keys: how old they may be', () => {
  it('a proved key is remembered: the store is asked once', async () => {
    const { here, key, spied } = await processes()
    for (let i = 0; i < 10; i++) expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(1)
  })

  it.each(CHANGES)('%s is obeyed at once by the process that made it', async (_, change, code) => {
    const { here, key, record } = await processes()
    expect(await judged(here, key, DEMAND)).toBe('admitted')
    await change(here, record.id)
    expect(await judged(here, key, DEMAND)).toBe(code)
  })

  it.each(CHANGES)(
    '%s is obeyed at once by every instance of its process on the same store',
    async (_, change, code) => {
      const [clock, store] = [fakeClock(), memoryStore()]
      const [one, other] = [
        createApiKeys({ prefix: 'ca_', store, clock }),
        createApiKeys({ prefix: 'ca_', store, clock }),
      ]
      const { key, record } = await one.create({ owner: 'acct_1', scopes: ['a:read'] })
      expect(await judged(other, key, DEMAND)).toBe('admitted')
      await change(one, record.id)
      expect(await judged(other, key, DEMAND)).toBe(code)
    },
  )

  it('is as old as nobody knows where the only clock ran back', async () => {
    const inner = memoryStore()
    let now = fakeClock().now()
    const here = createApiKeys({
      prefix: 'ca_',
      store: wrapStore(inner, (_verb, ask) => ask()),
      clock: { now: () => now },
    })
    const there = createApiKeys({ prefix: 'ca_', store: inner })
    const { key, record } = await there.create({ owner: 'acct_1' })
    expect(await judged(here, key)).toBe('admitted')
    await there.revoke(record.id)
    now -= 1
    expect(await judged(here, key)).toBe('revoked')
  })

  it.each(CHANGES)('%s is obeyed by every other no later than maxLag', async (_, change, code) => {
    const { here, there, clock, key, record } = await processes()
    expect(await judged(here, key, DEMAND)).toBe('admitted')
    await change(there, record.id)
    clock.advance(1001)
    expect(await judged(here, key, DEMAND)).toBe(code)
  })

  it.each(CHANGES)('%s is obeyed at once by every other for a key with limits', async (_, change, code) => {
    const { here, there, key, record } = await processes({ maxLag: 60_000 }, { minute: 100 })
    expect(await judged(here, key, DEMAND)).toBe('admitted')
    await change(there, record.id)
    expect(await judged(here, key, DEMAND)).toBe(code)
  })

  it.each(CHANGES)('%s is obeyed at once by every other with cache: false', async (_, change, code) => {
    const { here, there, key, record } = await processes(false)
    expect(await judged(here, key, DEMAND)).toBe('admitted')
    await change(there, record.id)
    expect(await judged(here, key, DEMAND)).toBe(code)
  })

  it('maxLag is what it is set to, in text or ms', async () => {
    for (const maxLag of [200, '200ms'] as const) {
      const { here, there, clock, key, record } = await processes({ maxLag: maxLag as number })
      await here.verify(key)
      await there.revoke(record.id)
      clock.advance(199)
      expect(await judged(here, key)).toBe('admitted')
      clock.advance(2)
      expect(await judged(here, key)).toBe('revoked')
    }
  })

  /** Time passes by one clock and not by the other; `set` moves the wall alone. */
  const JUMPS: readonly (readonly [string, (clock: FakeClock) => void])[] = [
    ['by both clocks', (clock) => clock.advance(1001)],
    ['by the wall clock alone, as for a process that slept', (clock) => clock.set(clock.now() + 1001)],
    [
      'by the monotonic clock alone, as when the wall clock was set back meanwhile',
      (clock) => {
        clock.advance(1001)
        clock.set(clock.now() - 1001)
      },
    ],
    [
      'though the wall clock was set back by a day',
      (clock) => {
        clock.set(clock.now() - 86_400_000)
        clock.advance(1001)
      },
    ],
  ]

  it.each(JUMPS)('C-04 nothing is used that is older than maxLag %s', async (_, jump) => {
    const { here, there, clock, key, record } = await processes()
    await here.verify(key)
    await there.revoke(record.id)
    jump(clock)
    expect(await judged(here, key)).toBe('revoked')
  })

  it('each request is judged anew: an admission is not kept by caller', async () => {
    const { here, key, record } = await processes()
    const facts = { headers: { authorization: `Bearer ${key}` } }
    expect(await judged(here, facts)).toBe('admitted')
    await here.revoke(record.id)
    expect(await judged(here, facts)).toBe('revoked')
  })
})

describe('C. Remembered keys: what is remembered', () => {
  it('cache: false asks the store every time', async () => {
    const { here, key, spied } = await processes(false)
    for (let i = 0; i < 5; i++) expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(5)
  })

  it('C-09 an unknown id is not: the store is asked each time, and a key that is made then works at once', async () => {
    const id = 'A'.repeat(12)
    const [spied, clock] = [spiedStore(), fakeClock()]
    const keys = createApiKeys({ prefix: 'ca_', store: spied.store, clock, generateId: () => id })
    const { key: early } = await wrongSecretFor(id, 'ca_')
    for (let i = 0; i < 3; i++) expect(await judged(keys, early)).toBe('invalid_key')
    expect(spied.asked('find')).toBe(3)
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
  })

  it.each([
    ['a wrong secret', async (keys: ApiKeys, id: string) => judged(keys, (await wrongSecretFor(id, 'ca_')).key)],
    ['a scope', async (keys: ApiKeys, _: string, key: string) => judged(keys, key, { scopes: ['b:read'] })],
    ['an owner', async (keys: ApiKeys, _: string, key: string) => judged(keys, key, { owner: 'acct_2' })],
  ])('a remembered record may admit, but never refuses: %s is looked up again', async (_, refused) => {
    const { here, key, record, spied } = await processes()
    await here.verify(key)
    expect(spied.asked('find')).toBe(1)
    expect(await refused(here, record.id, key)).not.toBe('admitted')
    expect(spied.asked('find')).toBe(2)
  })

  it('so what was granted elsewhere is granted here at once, and a secret that was rotated elsewhere works', async () => {
    const { here, there, clock, key, record } = await processes()
    await here.verify(key)
    await there.update(record.id, { scopes: ['b:read'] })
    expect(await judged(here, key, { scopes: ['b:read'] })).toBe('admitted')
    const { key: fresh } = await there.rotate(record.id, { overlap: 0 })
    expect(await judged(here, fresh)).toBe('admitted')
    await there.disable(record.id)
    clock.advance(1001)
    expect(await judged(here, fresh)).toBe('disabled')
    await there.enable(record.id)
    expect(await judged(here, fresh)).toBe('admitted')
  })

  it('no more than maxKeys are remembered: the others are asked for', async () => {
    const { here, there, spied, clock } = await processes({ maxKeys: 3 })
    const made = await Promise.all(Array.from({ length: 10 }, () => there.create({ owner: 'acct_1' })))
    for (const { key } of made) await here.verify(key)
    spied.forget()
    for (const { key } of made.slice(-3)) expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(0)
    for (const { key } of made.slice(0, 7)) expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(7)
    clock.advance(1001)
    for (const { key } of made) expect(await judged(here, key)).toBe('admitted')
  })

  it('a full memory of many keys lets go of the oldest few: the newest, nearly as many as maxKeys, stay', async () => {
    const { here, there, spied } = await processes({ maxKeys: 200 })
    const made = await Promise.all(Array.from({ length: 500 }, () => there.create({ owner: 'acct_1' })))
    for (const { key } of made) await here.verify(key)
    spied.forget()
    for (const { key } of made.slice(-195)) expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(0)
    for (const { key } of made.slice(0, 300)) expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(300)
  })

  it('A-09 wrong secrets and unknown ids push no proved key out for long: they are not what is kept', async () => {
    const { here, key, spied } = await processes({ maxKeys: 2 })
    await here.verify(key)
    for (let i = 0; i < 20; i++) await here.verify((await wrongSecretFor(`${i}`.padStart(12, '0'), 'ca_')).key)
    spied.forget()
    expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(0)
  })

  it('an edit of limits elsewhere counts at the next request, and its readings are those of the new record', async () => {
    const { here, there, key, record } = await processes({}, { minute: 10 })
    await here.verify(key)
    await there.update(record.id, { limits: { minute: 3 }, name: 'renamed' })
    expect(accessIn(await here.verify(key))).toMatchObject({
      name: 'renamed',
      readings: [{ name: 'minute', limit: 3, remaining: 1 }],
    })
  })

  it('D-22 after a change is durable no verification accepts, whatever was under way', async () => {
    const keys = createApiKeys({ prefix: 'ca_', store: distantStore(), clock: fakeClock() })
    for (let round = 0; round < 20; round++) {
      const { key, record } = await keys.create({ owner: 'acct_1' })
      const under = Array.from({ length: 5 }, () => judged(keys, key))
      const revoking = keys.revoke(record.id)
      const more = Array.from({ length: 5 }, () => judged(keys, key))
      await revoking
      expect(await Promise.all(Array.from({ length: 5 }, () => judged(keys, key)))).toEqual(Array(5).fill('revoked'))
      for (const code of await Promise.all([...under, ...more])) expect(['admitted', 'revoked']).toContain(code)
      expect(await judged(keys, key)).toBe('revoked')
    }
  })
})
