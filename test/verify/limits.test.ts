import { createApiKeys, type Demand, type KeyStore, type Limits, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, failure, judged, refusalIn } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { distantStore, spiedStore, wrongSecretFor } from '../support/stores.ts'

/** A store that counts by itself, one that does so behind a network, and one for which the process counts. */
const STORES: readonly { readonly kind: string; readonly make: () => KeyStore }[] = [
  { kind: 'memoryStore', make: memoryStore },
  { kind: 'a store behind a network', make: () => distantStore() },
  {
    kind: 'a store without take',
    make: () => {
      const { take: _, ...store } = memoryStore()
      return store
    },
  },
]

async function limited(limits: Limits, store: KeyStore = memoryStore()) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'li_', store, clock })
  const made = await keys.create({ owner: 'acct_1', limits })
  const remaining = async () => {
    const { readings } = accessIn(await keys.verify(made.key, { cost: 0 }))
    return Object.fromEntries(readings.map((reading) => [reading.name, reading.remaining]))
  }
  return { keys, clock, remaining, ...made }
}

describe.each(STORES)('L. Rate limits on $kind', ({ make }) => {
  it('L-01 admits as many as the limit, then says when one more is free', async () => {
    const { keys, clock, key } = await limited({ minute: 3 }, make())
    const seen = [await judged(keys, key)]
    clock.advance('10s')
    seen.push(await judged(keys, key), await judged(keys, key))
    expect(seen).toEqual(['admitted', 'admitted', 'admitted'])
    expect(refusalIn(await keys.verify(key))).toMatchObject({ code: 'rate_limited', status: 429, retryAfter: 50 })
    clock.advance(49_999)
    expect(refusalIn(await keys.verify(key)).retryAfter).toBe(1)
    clock.advance(1)
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key)).toBe('rate_limited')
  })

  it('L-03 several windows are taken all or none: what one denies the others keep', async () => {
    const { keys, clock, key, remaining } = await limited({ second: 2, minute: 5, hour: 100 }, make())
    expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'admitted'])
    for (let i = 0; i < 10; i++) expect(await judged(keys, key)).toBe('rate_limited')
    expect(await remaining()).toEqual({ second: 0, minute: 3, hour: 98 })
    clock.advance('1s')
    expect(await remaining()).toEqual({ second: 2, minute: 3, hour: 98 })
    await keys.verify(key, { cost: 2 })
    clock.advance('1s')
    expect(await judged(keys, key, { cost: 2 })).toBe('rate_limited')
    expect(await remaining()).toEqual({ second: 2, minute: 1, hour: 96 })
  })

  it('L-03 a denial extends nothing: who goes on asking waits no longer', async () => {
    const { keys, clock, key } = await limited({ minute: 1 }, make())
    await keys.verify(key)
    for (let second = 1; second < 60; second++) {
      clock.advance('1s')
      expect(refusalIn(await keys.verify(key)).retryAfter).toBe(60 - second)
    }
    clock.advance('1s')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('L-08 a cost is taken whole or not at all; 0 takes nothing and reads', async () => {
    const { keys, key, remaining } = await limited({ minute: 10 }, make())
    expect(await judged(keys, key, { cost: 7 })).toBe('admitted')
    expect(await judged(keys, key, { cost: 4 })).toBe('rate_limited')
    expect(await judged(keys, key, { cost: 3 })).toBe('admitted')
    for (let i = 0; i < 5; i++) expect(await judged(keys, key, { cost: 0 })).toBe('admitted')
    expect(await judged(keys, key)).toBe('rate_limited')
    expect(await remaining()).toEqual({ minute: 0 })
  })

  it.each([
    ['cost', { cost: () => -1 }],
    ['reserve', { reserve: () => 'much' as never }],
  ])(
    'L-08 a %s function is heard by a key without limits, too: what it gives wrong is told there as well',
    async (name, demand) => {
      const keys = createApiKeys({ prefix: 'li_' })
      const { key } = await keys.create({ owner: 'acct_1' })
      const told = { code: 'CONFIG', message: expect.stringContaining(`demand: ${name} gave`) }
      expect(await failure(() => keys.verify(key, demand))).toMatchObject(told)
      expect(await failure(() => keys.explain(key, demand))).toMatchObject(told)
    },
  )

  it('L-08 a cost above the limit is refused without a time to wait: no wait can help', async () => {
    const { keys, key, remaining } = await limited({ second: 100, minute: 10 }, make())
    const refusal = refusalIn(await keys.verify(key, { cost: 11 }))
    expect(refusal).toMatchObject({ code: 'rate_limited', status: 429 })
    expect(refusal).not.toHaveProperty('retryAfter')
    expect(await remaining()).toEqual({ second: 100, minute: 10 })
  })

  it('L-01 a limit of 0 refuses every use, for good, but what costs nothing', async () => {
    const { keys, clock, key } = await limited({ minute: 0 }, make())
    for (let i = 0; i < 3; i++) {
      expect(refusalIn(await keys.verify(key))).not.toHaveProperty('retryAfter')
      clock.advance('1d')
    }
    expect(await judged(keys, key, { cost: 0 })).toBe('admitted')
  })

  it('L-02 no interval of a window’s length admits more than the limit, wherever it begins', async () => {
    const { keys, clock, key } = await limited({ minute: 10 }, make())
    const admitted: number[] = []
    for (let step = 0; step < 500; step++) {
      if ((await judged(keys, key)) === 'admitted') admitted.push(clock.now())
      clock.advance(step % 7 === 0 ? 3_700 : 350)
    }
    for (const [i, at] of admitted.entries()) {
      expect((admitted[i + 10] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(60_000)
    }
    expect(admitted.length).toBeGreaterThan(50)
  })

  it('L-01 of 50 requests at once as many pass as the limit allows', async () => {
    const { keys, key } = await limited({ minute: 20 }, make())
    const codes = await Promise.all(Array.from({ length: 50 }, () => judged(keys, key)))
    expect(codes.filter((code) => code === 'admitted')).toHaveLength(20)
  })

  it('L-13 counters follow the key: through a rotation, and whichever secret or header is used', async () => {
    const { keys, key, record, remaining } = await limited({ minute: 4 }, make())
    const rotated = await keys.rotate(record.id, { overlap: '1h' })
    const [bearer, apiKey] = SOURCES
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, carried(bearer, rotated))).toBe('admitted')
    expect(await judged(keys, carried(apiKey, { key }))).toBe('admitted')
    expect(await judged(keys, carried(apiKey, rotated))).toBe('admitted')
    for (const texts of [{ key }, rotated]) expect(await judged(keys, carried(bearer, texts))).toBe('rate_limited')
    await keys.rotate(record.id, { overlap: 0 }).then(({ key: third }) => expect(third).not.toBe(key))
    expect((await keys.get(record.id))?.limits).toEqual({ minute: 4 })
    await expect(remaining()).rejects.toThrow('invalid_key')
  })

  it('L-13 a key that was removed leaves no counters to one that gets its id', async () => {
    const keys = createApiKeys({ prefix: 'li_', store: make(), clock: fakeClock(), generateId: () => 'A'.repeat(12) })
    for (let round = 0; round < 2; round++) {
      const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 1 } })
      expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'rate_limited'])
      await keys.remove(record.id)
    }
  })

  it('L-17 an edit counts at the next request: lowered, raised, lifted and added', async () => {
    const { keys, key, record } = await limited({ minute: 10 }, make())
    for (let i = 0; i < 5; i++) await keys.verify(key)
    await keys.update(record.id, { limits: { minute: 5 } })
    expect(await judged(keys, key)).toBe('rate_limited')
    await keys.update(record.id, { limits: { minute: 7 } })
    expect(accessIn(await keys.verify(key)).readings).toMatchObject([{ limit: 7, remaining: 1 }])
    await keys.update(record.id, { limits: { hour: 1 } })
    expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'rate_limited'])
    await keys.update(record.id, { limits: null })
    expect(accessIn(await keys.verify(key)).readings).toEqual([])
  })
})

describe('L. Rate limits', () => {
  it('L-01 readings tell what is left and when one more is free', async () => {
    const { keys, clock, key } = await limited([
      { name: 'burst', limit: 2, window: '10s' },
      { name: 'minute', limit: 5, window: '1m' },
    ])
    clock.advance(250)
    expect(accessIn(await keys.verify(key)).readings).toEqual([
      { name: 'burst', limit: 2, remaining: 1, resetsAt: '2026-01-01T00:00:10.250Z' },
      { name: 'minute', limit: 5, remaining: 4, resetsAt: '2026-01-01T00:01:00.250Z' },
    ])
    expect(accessIn(await keys.verify(key)).readings.map(({ remaining }) => remaining)).toEqual([0, 3])
  })

  it('L-19 what is refused by a rule, or is no key, takes nothing', async () => {
    const { keys, key, record, remaining } = await limited({ minute: 5 })
    const { key: wrong } = await wrongSecretFor(record.id, 'li_')
    for (let i = 0; i < 10; i++) {
      await keys.verify(wrong)
      await keys.verify(key, { scopes: ['a:read'] })
      await keys.verify(key, { owner: 'acct_2' })
    }
    await keys.disable(record.id)
    for (let i = 0; i < 10; i++) expect(await judged(keys, key)).toBe('disabled')
    await keys.enable(record.id)
    expect(await remaining()).toEqual({ minute: 5 })
  })

  it('L-20 a key that is exhausted and revoked is revoked', async () => {
    const { keys, key, record } = await limited({ minute: 1 })
    expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'rate_limited'])
    await keys.revoke(record.id)
    expect(await judged(keys, key)).toBe('revoked')
  })

  it.each([-1, Number.NaN, 1.5, '5', Number.POSITIVE_INFINITY, 2 ** 53, null, true, 5n])(
    'L-08 a cost of %s is a mistake: as a number when the demand is read, from a function when it is asked',
    async (cost) => {
      const { keys, key, remaining } = await limited({ minute: 5 })
      expect((await failure(() => keys.verify(key, { cost } as unknown as Demand))).code).toBe('CONFIG')
      const asked = { cost: () => cost as number }
      expect((await failure(() => keys.verify(key, asked))).message).toContain('cost')
      expect(await remaining()).toEqual({ minute: 5 })
    },
  )

  it('L-08 a cost that a function gives is that of its request', async () => {
    const { keys, key, remaining } = await limited({ minute: 100 })
    const [source] = SOURCES
    const cost = (request: unknown) => (request as { items: number }).items
    await keys.verify({ ...carried(source, { key }), request: { items: 40 } }, { cost })
    await keys.verify({ ...carried(source, { key }), request: { items: 2 } }, { cost })
    expect(await remaining()).toEqual({ minute: 58 })
  })

  it('a function of a demand that throws reaches the caller, and nothing is taken', async () => {
    const { keys, key, remaining } = await limited({ minute: 5 })
    const throws = () => {
      throw new TypeError('host')
    }
    for (const demand of [{ cost: throws }, { owner: throws }, { resource: throws }]) {
      await expect(async () => keys.verify(key, demand)).rejects.toThrow('host')
    }
    expect(await remaining()).toEqual({ minute: 5 })
  })

  it('a key without limits asks the store for no take, whatever it costs', async () => {
    const spied = spiedStore()
    const keys = createApiKeys({ prefix: 'li_', store: spied.store })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key, { cost: 1000 })).toBe('admitted')
    expect(spied.asked('take')).toBe(0)
  })
})

it('shows every key the windows of the instance, which nobody who is shown them can change', async () => {
  const keys = createApiKeys({ prefix: 'agk_', limits: { default: { minute: 2 } } })
  const [one, two] = [await keys.create({ owner: 'a' }), await keys.create({ owner: 'b' })]
  const verdict = await keys.verify(one.key)
  const windows = (verdict.ok ? verdict.windows : []) as object[]
  expect(() => Object.assign(windows[0] as object, { limit: 99 })).toThrow(TypeError)
  expect(() => windows.pop()).toThrow(TypeError)
  for (const ok of [true, true, false]) expect(await keys.verify(two.key)).toMatchObject({ ok })
})
