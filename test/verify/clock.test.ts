import { createApiKeys, memoryStore } from 'keyward'
import { type FakeClock, fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, judged, refusalIn } from '../support/outcome.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

function instance(clock: FakeClock = fakeClock(), store = memoryStore()) {
  return { clock, store, keys: createApiKeys({ prefix: 'clk_', store, clock }) }
}

describe('E. Clocks that are set', () => {
  it('E-10 a key that expired stays expired when the clock is set back by an hour', async () => {
    const { keys, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + 60_000) })
    clock.advance('1m')
    expect(await judged(keys, key)).toBe('expired')
    clock.set(clock.now() - HOUR)
    expect(await judged(keys, key)).toBe('expired')
    expect((await keys.get(record.id))?.status).toBe('expired')
  })

  it('E-10 a key expires on time though the clock was set back while it lived', async () => {
    const { keys, clock } = instance()
    const { key } = await keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + 60_000) })
    clock.advance('30s')
    clock.set(clock.now() - HOUR)
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance('30s')
    expect(await judged(keys, key)).toBe('expired')
  })

  it('E-10 the overlap of a rotation that ended stays ended', async () => {
    const { keys, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.rotate(record.id, { overlap: '10s' })
    clock.advance('10s')
    clock.set(clock.now() - HOUR)
    expect(await judged(keys, key)).toBe('invalid_key')
  })

  it('E-10 no wait becomes negative, and none lasts longer than its window', async () => {
    const { keys, clock } = instance()
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 1 } })
    expect(await judged(keys, key)).toBe('admitted')
    for (const jump of [-HOUR, 2 * HOUR, -10_000, -DAY]) {
      clock.set(clock.now() + jump)
      const { code, retryAfter = Number.NaN } = refusalIn(await keys.verify(key))
      expect(code).toBe('rate_limited')
      expect(retryAfter).toBeGreaterThanOrEqual(1)
      expect(retryAfter).toBeLessThanOrEqual(60)
    }
    clock.advance('1m')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('E-10 a clock without monotonic() that is set back frees no window early and locks none for good', async () => {
    const fake = fakeClock()
    const keys = createApiKeys({ prefix: 'clk_', clock: { now: fake.now } })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 1 } })
    expect(await judged(keys, key)).toBe('admitted')
    fake.set(fake.now() - HOUR)
    expect(refusalIn(await keys.verify(key)).retryAfter).toBeLessThanOrEqual(60)
    fake.advance('1m')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('E-11 a clock that goes ahead a day and comes back deletes nothing', async () => {
    const { keys, clock, store } = instance()
    const soon = new Date(clock.now() + HOUR)
    const made = await Promise.all(
      Array.from({ length: 20 }, () => keys.create({ owner: 'acct_1', limits: { hour: 2 }, expiresAt: soon })),
    )
    for (const { key } of made) await keys.verify(key)
    clock.set(clock.now() + DAY)
    for (const { key } of made) expect(await judged(keys, key)).toBe('expired')
    expect((await keys.list({ owner: 'acct_1', status: 'expired' })).items).toHaveLength(20)
    clock.set(clock.now() - DAY)
    for (const { key } of made) expect(accessIn(await keys.verify(key)).readings[0]?.remaining).toBe(0)
    for (const { record } of made) expect(await store.find(record.id)).toMatchObject({ status: 'active' })
  })

  it('E-11 windows recover: the day ahead neither empties nor locks them', async () => {
    const { keys, clock } = instance()
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 2 } })
    expect(await judged(keys, key)).toBe('admitted')
    clock.set(clock.now() + DAY)
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key)).toBe('rate_limited')
    clock.set(clock.now() - DAY)
    expect(await judged(keys, key)).toBe('rate_limited')
    clock.advance('1m')
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key)).toBe('admitted')
  })
})

describe('E. Clocks that differ', () => {
  const SKEW = 30_000

  it.each([SKEW, -SKEW])('E-12 a key made on another node works at once, %d ms apart', async (skew) => {
    const there = fakeClock(Date.UTC(2026, 0, 1) + skew)
    const { keys, store } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(instance(there, store).keys, key)).toBe('admitted')
  })

  it.each([SKEW, -SKEW])('E-12 two nodes differ about its end by their skew and no more (%d ms)', async (skew) => {
    const here = instance()
    const there = instance(fakeClock(here.clock.now() + skew), here.store)
    const { key } = await here.keys.create({ owner: 'acct_1', expiresAt: new Date(here.clock.now() + 60_000) })
    for (const clock of [here.clock, there.clock]) clock.advance(60_000 - SKEW - 1)
    expect([await judged(here.keys, key), await judged(there.keys, key)]).toEqual(['admitted', 'admitted'])
    for (const clock of [here.clock, there.clock]) clock.advance(1)
    const codes = [await judged(here.keys, key), await judged(there.keys, key)]
    expect(codes).toEqual(['admitted', skew > 0 ? 'expired' : 'admitted'])
    for (const clock of [here.clock, there.clock]) clock.advance(2 * SKEW)
    expect([await judged(here.keys, key), await judged(there.keys, key)]).toEqual(['expired', 'expired'])
  })

  it('E-12 a change made on a node whose clock is behind counts as much as any other', async () => {
    const here = instance()
    const there = instance(fakeClock(here.clock.now() - SKEW), here.store)
    const { key, record } = await here.keys.create({ owner: 'acct_1' })
    await there.keys.disable(record.id)
    expect(await judged(here.keys, key)).toBe('disabled')
    await there.keys.enable(record.id)
    here.clock.advance(1001)
    expect(await judged(here.keys, key)).toBe('admitted')
  })
})
