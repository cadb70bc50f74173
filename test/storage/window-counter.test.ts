import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Window } from '../../src/model/limits.ts'
import { type Counted, take } from '../../src/storage/counters.ts'
import { decodeCounters, encodeCounters } from '../../src/storage/counters-text.ts'
import { type Admitted, lengths, limits, metered, PART, START, spend, steps, within } from './metering.ts'

describe('a window', () => {
  it('admits no more than its limit in any interval of its length, whatever comes when, and however clocks step back', () => {
    fc.assert(
      fc.property(lengths, limits, fc.boolean(), steps, (ms, fixed, changing, calls) => {
        const counters = metered()
        const admitted: Admitted[] = []
        let time = START
        let offset = 0
        for (const { wait, back, cost, limit: other } of calls) {
          time += Math.floor(wait * ms)
          offset -= Math.floor(back * ms)
          const limit = changing ? other : fixed
          if (!take(counters, spend(limit, ms, cost), time + offset).ok || cost === 0) continue
          admitted.push({ at: time, cost })
          expect(within(admitted, time - ms)).toBeLessThanOrEqual(limit)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('keeps that promise at moments between milliseconds', () => {
    fc.assert(
      fc.property(lengths, limits, steps, (ms, limit, calls) => {
        const counters = metered()
        const admitted: Admitted[] = []
        let time = START
        for (const { wait, cost } of calls) {
          time += wait * ms
          if (!take(counters, spend(limit, ms, cost), time).ok) continue
          admitted.push({ at: time, cost })
          expect(within(admitted, time - ms)).toBeLessThanOrEqual(limit)
        }
      }),
    )
  })

  it('refuses nothing that would fit: exactly up to a limit of 100, but for one part in 96 above', () => {
    fc.assert(
      fc.property(lengths, limits, steps, (ms, limit, calls) => {
        const counters = metered()
        const admitted: Admitted[] = []
        let time = START
        for (const { wait, cost } of calls) {
          time += Math.floor(wait * ms)
          const memory = limit > 100 ? ms + ms * PART + 1 : ms
          const { ok } = take(counters, spend(limit, ms, cost), time)
          if (!ok) expect(within(admitted, time - memory) + cost).toBeGreaterThan(limit)
          else admitted.push({ at: time, cost })
        }
      }),
    )
  })

  it('loses at most 2 % of a steady client at the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), lengths, fc.nat(100_000), (limit, ms, phase) => {
        const counters = metered()
        const uses = Math.max(10 * limit, 20)
        let admitted = 0
        for (let use = 0; use < uses; use++) {
          if (take(counters, spend(limit, ms), START + phase + Math.floor((use * ms) / limit)).ok) admitted++
        }
        expect(admitted).toBeGreaterThanOrEqual(uses * 0.98)
      }),
      { numRuns: 40, examples: [1, 2, 99, 100, 101, 102, 10_000].map((limit) => [limit, 60_000, 0] as const) as never },
    )
  })

  it('is all free one length, and a part of it, after its last use', () => {
    fc.assert(
      fc.property(lengths, limits, steps, (ms, limit, calls) => {
        const counters = metered()
        let now = START
        for (const { wait, cost } of calls) {
          now += Math.floor(wait * ms)
          take(counters, spend(limit, ms, cost), now)
        }
        now += Math.ceil(ms + ms * PART)
        expect(take(counters, spend(limit, ms, 0), now).readings[0]?.remaining).toBe(limit)
      }),
    )
  })

  it('tells the first millisecond at which the cost fits, and at which one more is free', () => {
    fc.assert(
      fc.property(lengths, limits, limits, steps, fc.integer({ min: 1, max: 50 }), (ms, before, limit, calls, cost) => {
        const counters = metered()
        let now = START
        for (const call of calls) {
          now += Math.floor(call.wait * ms)
          take(counters, spend(before, ms, call.cost), now)
        }
        const asking = spend(limit, ms, cost)
        const at = (moment: number) => take({ counters: thawed(counters, now) }, asking, moment)
        const { ok, retryAt } = at(now)
        if (cost > limit) expect([ok, retryAt]).toEqual([false, undefined])
        if (retryAt !== undefined) expect([at(retryAt - 1).ok, at(retryAt).ok]).toEqual([false, true])

        const look = (moment: number) =>
          take({ counters: thawed(counters, now) }, spend(limit, ms, 0), moment).readings[0]
        const { remaining = 0, resetsAt = 0 } = look(now) ?? {}
        if (remaining === limit) return
        expect(look(resetsAt - 1)?.remaining).toBe(remaining)
        expect(look(resetsAt)?.remaining).toBeGreaterThan(remaining)
      }),
    )
  })

  it('reads now as resetsAt while it is untouched', () => {
    expect(take(metered(), spend(5, 1_000, 0), START).readings).toEqual([
      { name: 'w', limit: 5, remaining: 5, resetsAt: START },
    ])
  })

  it('begins anew when its length changes, and goes on when only its limit does', () => {
    const counters = metered()
    take(counters, spend(5, 1_000, 3), START)
    expect(take(counters, spend(5, 2_000, 0), START).readings[0]?.remaining).toBe(5)
    expect(take(counters, spend(4, 1_000, 0), START).readings[0]?.remaining).toBe(1)
  })

  it('never grows beyond what it can use', () => {
    const counters = metered()
    for (let use = 0; use < 5_000; use++) {
      const windows = [
        { name: 'log', limit: 100, ms: 60_000 },
        { name: 'slots', limit: 100_000, ms: 60_000 },
      ]
      take(counters, { windows, cost: 1 }, START + use * 613)
      take(counters, spend(7, 1_000 + (use % 500)), START + use * 613)
      take(
        counters,
        { windows: [{ name: 'raised', limit: use < 50 ? 50 : 5_000, ms: 3_600_000 }], cost: 1 },
        START + use,
      )
    }
    for (const { ring } of counters.counters) expect(ring.length).toBeLessThanOrEqual(100)
    expect(counters.counters.length).toBeLessThan(10)
  })
})

describe('a spend', () => {
  const windows = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), limit: limits, ms: lengths }), {
    selector: ({ name, ms }) => `${name} ${ms}`,
    minLength: 1,
    maxLength: 4,
  })

  it('takes from all windows or from none', () => {
    fc.assert(
      fc.property(windows, steps, (all: Window[], calls) => {
        const counters = metered()
        let now = START
        for (const { wait, cost } of calls) {
          now += Math.floor(wait * 1_000)
          const left = () => take(counters, { windows: all, cost: 0 }, now).readings.map((reading) => reading.remaining)
          const before = left()
          const { ok, readings } = take(counters, { windows: all, cost }, now)
          const taken = ok ? cost : 0
          expect(left()).toEqual(before.map((remaining) => remaining - taken))
          expect(readings.map((reading) => reading.remaining)).toEqual(left())
          expect(ok).toBe(cost === 0 || before.every((remaining) => remaining >= cost))
        }
      }),
    )
  })

  it('goes on as before when its counters were written and read between any two calls', () => {
    fc.assert(
      fc.property(windows, steps, (all: Window[], calls) => {
        const [kept, written] = [metered(), metered()]
        let now = START
        for (const { wait, back, cost } of calls) {
          now += Math.floor((wait - back) * 1_000) + 0.25
          const asking = { windows: all, cost }
          expect(take(written, asking, now)).toEqual(take(kept, asking, now))
          written.counters = thawed(written, now)
        }
      }),
    )
  })

  it('is written as nothing when all its windows are empty', () => {
    const counters = metered()
    take(counters, spend(5, 1_000), START)
    expect(encodeCounters(counters.counters, START + 999)).not.toBe('')
    expect(encodeCounters(counters.counters, START + 1_000)).toBe('')
    expect(decodeCounters('')).toEqual([])
  })

  it.each(['{', '{}', '[[]]', '[["w",1000,0,null]]', '[["w",1000,0,1,"2"]]', '[[1,1000,0,1]]', '[["w",1000,1,5,-3]]'])(
    'refuses to read %s',
    (text) => {
      expect(() => decodeCounters(text)).toThrow()
    },
  )

  it.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY])('refuses a cost of %s', (cost) => {
    expect(() => take(metered(), spend(5, 1_000, cost), START)).toThrow(expect.objectContaining({ code: 'INPUT' }))
  })
})

function thawed({ counters }: Counted, now: number) {
  return decodeCounters(encodeCounters(counters, now))
}
