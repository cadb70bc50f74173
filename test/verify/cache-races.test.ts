import { type ApiKeys, createApiKeys, type Demand, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { codeOf, judged } from '../support/outcome.ts'
import { deferred, distantStore, sabotagedStore, spiedStore, type Verb } from '../support/stores.ts'

const MANY = 100
const EXPORTS: Demand = { limits: [{ name: 'exports', limit: 100, window: '1h' }] }

/** A process whose store answers one call when it is told to, with what was true when it was asked; and another process. */
async function processes(cache?: false) {
  const [clock, inner] = [fakeClock(), memoryStore()]
  const spied = spiedStore(inner)
  const sabotaged = sabotagedStore(spied.store)
  const options = { prefix: 'cr_', clock, storeTimeout: 5_000 }
  const here = createApiKeys({ ...options, store: sabotaged.store, cache })
  const there = createApiKeys({ ...options, store: inner })
  const made = await there.create({ owner: 'acct_1', scopes: ['a:read'] })
  const hold = (verb: Verb) => {
    const { promise, resolve } = deferred()
    sabotaged.break(verb, async (ask) => {
      sabotaged.break(verb, undefined)
      const answer = await ask()
      await promise
      return answer
    })
    return resolve
  }
  return { clock, spied, sabotaged, here, there, hold, ...made }
}

const crowd = (keys: ApiKeys, key: string) => Promise.all(Array.from({ length: MANY }, () => judged(keys, key)))

describe('C. Remembered keys: reads under way', () => {
  it('C-02 a read that is too old to be shared does not land after a change either', async () => {
    const start = Date.UTC(2026, 0, 1)
    const time = { wall: start, steady: 0 }
    const sabotaged = sabotagedStore()
    const clock = { now: () => time.wall, monotonic: () => time.steady }
    const keys = createApiKeys({ prefix: 'cr_', store: sabotaged.store, clock })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const { promise, resolve } = deferred()
    sabotaged.break('find', async (ask) => {
      const answer = await ask()
      await promise
      return answer
    })
    const first = judged(keys, key)
    // The wall clock is set forward, and back again.
    time.wall = start + 10_000
    const second = judged(keys, key)
    time.wall = start
    sabotaged.break('find', undefined)
    await keys.revoke(record.id)
    resolve()
    await Promise.all([first, second])
    expect(await judged(keys, key)).toBe('revoked')
  })

  it('C-10 many who ask for one key at once share one read', async () => {
    const spied = spiedStore(distantStore())
    const keys = createApiKeys({ prefix: 'cr_', store: spied.store })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await crowd(keys, key)).toEqual(Array(MANY).fill('admitted'))
    expect(spied.asked('find')).toBe(1)
  })

  it('C-10 a read that fails is a failure for all of them, and for nobody after', async () => {
    const sabotaged = sabotagedStore(distantStore())
    const keys = createApiKeys({ prefix: 'cr_', store: sabotaged.store })
    const { key } = await keys.create({ owner: 'acct_1' })
    sabotaged.break('find', () => Promise.reject(new Error('gone')))
    expect(await crowd(keys, key)).toEqual(Array(MANY).fill('unavailable'))
    sabotaged.break('find', undefined)
    expect(await crowd(keys, key)).toEqual(Array(MANY).fill('admitted'))
  })

  it('with cache: false nobody shares a read', async () => {
    const spied = spiedStore(distantStore())
    const keys = createApiKeys({ prefix: 'cr_', store: spied.store, cache: false })
    const { key } = await keys.create({ owner: 'acct_1' })
    await crowd(keys, key)
    expect(spied.asked('find')).toBe(MANY)
  })

  it('a read that began before a change is not kept, and not shared by whoever comes after the change', async () => {
    const { here, hold, key, record } = await processes()
    const release = hold('find')
    const early = judged(here, key)
    await here.revoke(record.id)
    expect(await judged(here, key)).toBe('revoked')
    release()
    expect(['admitted', 'revoked']).toContain(await early)
    expect(await judged(here, key)).toBe('revoked')
  })

  it.each([
    ['disable', (keys: ApiKeys, id: string) => keys.disable(id), 'disabled'],
    ['update', (keys: ApiKeys, id: string) => keys.update(id, { scopes: null }), 'insufficient_scope'],
    ['rotate', (keys: ApiKeys, id: string) => keys.rotate(id, { overlap: 0 }), 'invalid_key'],
    ['revokeAll', (keys: ApiKeys) => keys.revokeAll({ owner: 'acct_1' }), 'revoked'],
    ['remove', (keys: ApiKeys, id: string) => keys.remove(id), 'invalid_key'],
  ] as const)('nor is one that began before %s', async (_, change, code) => {
    const { here, hold, key, record } = await processes()
    const release = hold('find')
    const early = judged(here, key)
    await change(here, record.id)
    release()
    await early
    expect(await judged(here, key, { scopes: ['a:read'] })).toBe(code)
  })

  it('a read that took longer than maxLag is used by those who waited, and not kept', async () => {
    const { here, hold, clock, key, spied } = await processes()
    const release = hold('find')
    const slow = judged(here, key)
    clock.advance(1001)
    release()
    expect(await slow).toBe('admitted')
    expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(2)
  })

  it('age counts from before the read was sent', async () => {
    const { here, there, hold, clock, key, record } = await processes()
    const release = hold('find')
    const slow = judged(here, key)
    await there.revoke(record.id)
    clock.advance(600)
    release()
    await slow
    clock.advance(401)
    expect(await judged(here, key)).toBe('revoked')
  })

  it('whoever comes later than maxLag does not wait for a read that is under way', async () => {
    const { here, there, hold, clock, key, record } = await processes()
    const release = hold('find')
    const early = judged(here, key)
    await there.revoke(record.id)
    clock.advance(1001)
    expect(await judged(here, key)).toBe('revoked')
    release()
    await early
    expect(await judged(here, key)).toBe('revoked')
  })
})

describe('C. Remembered keys: what a take brings back', () => {
  const narrow: Demand = { ...EXPORTS, scopes: ['a:read'] }

  it('a record that changed under a request is judged again, by what it is now', async () => {
    const { here, there, key, record } = await processes()
    await here.verify(key)
    await there.update(record.id, { scopes: ['b:read'] })
    expect(await judged(here, key, narrow)).toBe('insufficient_scope')
    await there.update(record.id, { scopes: ['a:read'] })
    expect(await judged(here, key, narrow)).toBe('admitted')
    await there.rotate(record.id, { overlap: 0 })
    expect(await judged(here, key, narrow)).toBe('invalid_key')
  })

  it('what came back is not kept when a change was made here in between', async () => {
    const { here, there, hold, key, record } = await processes()
    await here.verify(key)
    await there.update(record.id, { scopes: ['b:read'] })
    const release = hold('take')
    const early = judged(here, key, narrow)
    await here.revoke(record.id)
    release()
    expect(['insufficient_scope', 'revoked']).toContain(await early)
    expect(await judged(here, key)).toBe('revoked')
  })

  it('what came back is as old as the question, not as the answer', async () => {
    const { here, there, hold, clock, key, record } = await processes()
    await here.verify(key)
    await there.update(record.id, { scopes: ['b:read'] })
    const release = hold('take')
    const early = judged(here, key, narrow)
    await there.revoke(record.id)
    clock.advance(900)
    release()
    await early
    clock.advance(101)
    expect(await judged(here, key)).toBe('revoked')
  })

  it('a key that one request finds to be removed is remembered for no other', async () => {
    const inner = memoryStore()
    const here = createApiKeys({ prefix: 'rc_', store: { ...inner } })
    const { key, record } = await here.create({ owner: 'acct_1' })
    expect(await judged(here, key)).toBe('admitted')
    await inner.remove(record.id)
    // What is remembered does not refuse: so the key is read again.
    expect(await judged(here, key, { owner: 'acct_2' })).toBe('invalid_key')
    expect(await judged(here, key)).toBe('invalid_key')
  })

  it('a key that was removed under a request is nobody’s', async () => {
    const { here, there, key, record } = await processes()
    await here.verify(key)
    await there.remove(record.id)
    expect(await judged(here, key, EXPORTS)).toBe('invalid_key')
  })

  it('one that changes a few times under a request comes to rest; one that never does is unavailable', async () => {
    const { here, there, sabotaged, key, record } = await processes()
    let changes = 0
    const restless = (times: number) =>
      sabotaged.break('take', async (ask) => {
        if (changes++ < times) await there.update(record.id, { name: `name ${changes}` })
        return ask()
      })
    restless(5)
    expect(await judged(here, key, EXPORTS)).toBe('admitted')
    changes = 0
    restless(Number.POSITIVE_INFINITY)
    const verdict = await here.verify(key, EXPORTS)
    expect(codeOf(verdict)).toBe('unavailable')
    expect(changes).toBeLessThan(100)
    sabotaged.break('take', undefined)
    expect(await judged(here, key, EXPORTS)).toBe('admitted')
  })

  it('one that stays stale until storeTimeout is unavailable, however few the changes', async () => {
    const { here, there, sabotaged, clock, key, record } = await processes()
    sabotaged.break('take', async (ask) => {
      await there.update(record.id, { name: `at ${clock.now()}` })
      clock.advance(3_000)
      return ask()
    })
    expect(await judged(here, key, EXPORTS)).toBe('unavailable')
  })
})
