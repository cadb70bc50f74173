import { inspect } from 'node:util'
import { createApiKeys, type Demand, type Limits, type Taken } from 'keyward'
import { describe, expect, it } from 'vitest'
import { judged, listener, refusalIn } from '../support/outcome.ts'
import { never, sabotagedStore, type Verb } from '../support/stores.ts'

const DSN = 'postgres://user:hunter2@10.0.0.9:5432/db'

/** Every way for a call to fail. */
const FAULTS: readonly (readonly [string, () => unknown])[] = [
  [
    'throws',
    () => {
      throw new Error(`no connection to ${DSN}`)
    },
  ],
  ['rejects', () => Promise.reject(new Error(`ECONNRESET ${DSN}`))],
  ['rejects with nothing', () => Promise.reject(undefined)],
  ['rejects with an object that nobody can read', () => Promise.reject(Object.create(null))],
  ['rejects with text', () => Promise.reject(`reset ${DSN}`)],
  ['never answers', never],
  // biome-ignore lint/suspicious/noThenProperty: a thenable that is no promise, as some drivers give
  ['never answers, in a thenable', () => ({ then: () => undefined })],
  // biome-ignore lint/suspicious/noThenProperty: likewise
  ['rejects, in a thenable', () => ({ then: (_: unknown, reject: (error: Error) => void) => reject(new Error(DSN)) })],
]

async function instance(limits?: Limits, cache?: false) {
  const [sabotaged, heard] = [sabotagedStore(), listener()]
  const { store } = sabotaged
  const keys = createApiKeys({ prefix: 'fa_', store, cache, storeTimeout: 20, onEvent: heard.onEvent })
  const made = await keys.create({ owner: 'acct_1', limits })
  heard.events.length = 0
  return { keys, sabotaged, heard, ...made }
}

const cross = (verbs: readonly Verb[]) =>
  verbs.flatMap((verb) => FAULTS.map(([what, fault]) => ({ verb, what, fault })))

describe('D. A store that fails', () => {
  it.each(cross(['find', 'take']))(
    '$verb $what: unavailable, in time, told without secrets, and over with the fault',
    async ({ verb, fault }) => {
      const { keys, key, record, sabotaged, heard } = await instance({ minute: 10 })
      sabotaged.break(verb, fault)
      // Once the secret was proved, whose key it is may be told: to the host, not to the client.
      const whose = verb === 'take' ? { id: record.id, owner: 'acct_1' } : {}
      expect(await keys.verify(key)).toEqual({
        ok: false,
        code: 'unavailable',
        status: 503,
        retryAfter: 1,
        ...(verb === 'take' && { record }),
      })
      const at = expect.any(String)
      expect(heard.of('fault')).toEqual([{ type: 'fault', at, code: verb, message: expect.any(String), ...whose }])
      expect(heard.of('denied')).toEqual([{ type: 'denied', at, code: 'unavailable', ...whose }])
      expect(JSON.stringify(heard.events)).not.toMatch(/hunter2/)
      expect(JSON.stringify(heard.events)).not.toContain(key.slice(15))
      sabotaged.break(verb, undefined)
      expect(await judged(keys, key)).toBe('admitted')
    },
  )

  it('an optional demand is no way around it, nor is a demand of nothing', async () => {
    const { keys, key, sabotaged } = await instance()
    sabotaged.break('find', () => Promise.reject(new Error('gone')))
    expect(await judged(keys, key, { optional: true })).toBe('unavailable')
    expect(await judged(keys, key, { cost: 0 })).toBe('unavailable')
  })

  it('a remembered key without limits goes on for maxLag, and no longer', async () => {
    const { keys, key, sabotaged } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    sabotaged.break('find', never)
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key, { scopes: ['a:read'] })).toBe('unavailable')
    const { keys: without, key: other, sabotaged: broken } = await instance(undefined, false)
    expect(await judged(without, other)).toBe('admitted')
    broken.break('find', never)
    expect(await judged(without, other)).toBe('unavailable')
  })

  it('a malformed key is refused without it', async () => {
    const { keys, sabotaged } = await instance()
    sabotaged.break('find', never)
    expect(await judged(keys, 'fa_nonsense')).toBe('invalid_key')
  })

  it('20 requests at once on a store that hangs are all answered', async () => {
    const { keys, key, sabotaged } = await instance()
    sabotaged.break('find', never)
    const codes = await Promise.all(Array.from({ length: 20 }, () => judged(keys, key)))
    expect(codes).toEqual(Array(20).fill('unavailable'))
  })

  it('a find that answers after its time admits nobody', async () => {
    const { keys, key, sabotaged } = await instance()
    sabotaged.break('find', async (ask) => {
      await new Promise((resolve) => setTimeout(resolve, 60))
      return ask()
    })
    expect(await judged(keys, key)).toBe('unavailable')
  })
})

describe('D. A store that answers nonsense', () => {
  const FOUND: readonly unknown[] = [
    null,
    42,
    0,
    '',
    'active',
    true,
    {},
    [],
    [{}],
    () => ({}),
    Symbol('x'),
    new Map(),
    new Error('not found'),
    { id: 'A'.repeat(12) },
    { status: 'active', scopes: ['*'] },
  ]

  it.each(FOUND.map((found) => [inspect(found).split('\n', 1)[0], found]))(
    'find: %s is no key, and admits nobody',
    async (_, found) => {
      for (const answer of [() => found, async () => found]) {
        const { keys, key, sabotaged } = await instance()
        sabotaged.break('find', answer)
        expect(['invalid_key', 'unavailable']).toContain(await judged(keys, key))
        sabotaged.break('find', undefined)
        expect(await judged(keys, key)).toBe('admitted')
      }
    },
  )

  it.each([
    ['of another id', { id: 'Z'.repeat(12) }],
    ['of another prefix', { prefix: 'fb_' }],
    ['without owner', { owner: undefined }],
    ['with an empty hash', { hash: '' }],
    ['with a hash that is null', { hash: null }],
    ['with no status', { status: undefined }],
    ['with another status', { status: 'Active' }],
    ['with a status that is true', { status: true }],
    ['whose version is no number', { version: '1' }],
    ['whose owner is no text', { owner: ['acct_1'] }],
    ['whose resource is null', { resource: null }],
    ['whose limits are text', { limits: 'none' }],
    ['whose limits hold nonsense', { limits: { minute: { limit: 'x', ms: 0 } } }],
    ['whose limits are negative', { limits: { minute: { limit: -1, ms: 60_000 } } }],
    ['whose overlap has no hash', { previous: { since: 0, until: 4e12 } }],
    ['whose overlap has no beginning', { previous: { hash: 'sha256$x', until: 4e12 } }],
    ['whose allowlist is text', { allowedIps: '10.0.0.0/8' }],
    ['whose allowlist holds a number', { allowedIps: ['10.0.0.0/8', 7] }],
    ['whose allowlist is empty', { allowedIps: [] }],
    ['whose allowlist is an object', { allowedIps: {} }],
  ])('D-28 find: a record %s admits nobody and is told', async (_, damage) => {
    const { keys, key, sabotaged, heard } = await instance()
    sabotaged.break('find', (ask) => ({ ...(ask() as object), ...damage }))
    expect(await judged(keys, key)).toBe('invalid_key')
    if (!('prefix' in damage)) expect(heard.of('fault')).toMatchObject([{ code: 'record' }])
  })

  it.each([
    ['text', 'everybody'],
    ['null', null],
    ['nonsense', ['everybody', 7, null]],
    ['an object', { 0: '0.0.0.0/0' }],
  ])('find: an allowlist that is %s lets nobody in', async (_, allowedIps) => {
    const { keys, key, sabotaged } = await instance()
    sabotaged.break('find', (ask) => ({ ...(ask() as object), allowedIps }))
    expect(await judged(keys, { key, address: '203.0.113.9' })).not.toBe('admitted')
  })

  const READING = { name: 'minute', limit: 10, remaining: 9, resetsAt: 1_800_000_000_000 }
  const TAKEN: readonly unknown[] = [
    undefined,
    null,
    true,
    1,
    'ok',
    {},
    [],
    { ok: 'yes', readings: [READING] },
    { ok: true },
    { ok: true, readings: [] },
    { ok: true, readings: null },
    { ok: true, readings: [null] },
    { ok: true, readings: [READING, READING] },
    { ok: true, readings: [{ ...READING, remaining: Number.NaN }] },
    { ok: true, readings: [{ ...READING, resetsAt: Number.NaN }] },
    { ok: true, readings: [{ ...READING, resetsAt: undefined }] },
    { ok: true, readings: [{ ...READING, resetsAt: 9e15 }] },
    { ok: true, readings: [READING], at: Number.NaN },
    { ok: true, readings: [READING], at: 'now' },
    { ok: false, readings: [READING], retryAt: Number.NaN },
    { ok: false, readings: [READING], retryAt: 'later' },
    { stale: { id: 'x' } },
    { stale: 42 },
    { stale: null },
  ]

  it.each(TAKEN.map((taken) => [inspect(taken, { breakLength: 1000 }), taken]))(
    'take: %s admits nobody, throws nothing',
    async (_, taken) => {
      for (const answer of [() => taken, async () => taken]) {
        const { keys, key, sabotaged } = await instance({ minute: 10 })
        sabotaged.break('take', answer)
        const refusal = refusalIn(await keys.verify(key))
        expect(['unavailable', 'invalid_key']).toContain(refusal.code)
        expect(refusal.retryAfter ?? 1).toBe(1)
        sabotaged.break('take', undefined)
        expect(await judged(keys, key)).toBe('admitted')
      }
    },
  )

  it('take: a key that is stale for ever is unavailable, after a bounded number of questions', async () => {
    const { keys, key, sabotaged } = await instance({ minute: 10 })
    let questions = 0
    let current: unknown
    sabotaged.break('find', (ask) => {
      current = ask()
      return current
    })
    sabotaged.break('take', (): Taken => {
      questions++
      return { stale: current as never }
    })
    const demand: Demand = { cost: 1 }
    expect(await judged(keys, key, demand)).toBe('unavailable')
    expect(questions).toBeLessThan(100)
  })
})
