import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { take } from '../../src/storage/counters.ts'
import { type Admitted, lengths, limits, metered, PART, START, spend, steps, within } from './metering.ts'

/** Calls as they come: how long after the one before, and by which part of the most lateness their clock is behind. */
const lateCalls = fc.array(
  fc.record({
    wait: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 0.1, noNaN: true }),
      fc.double({ min: 0, max: 1.5, noNaN: true }),
    ),
    late: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 60 })),
  }),
  { minLength: 20, maxLength: 150 },
)
const lateness = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))

describe('a window whose calls come out of order', () => {
  it('admits no more than its limit in any interval of its length, by the time of its newest entry', () => {
    fc.assert(
      fc.property(lengths, limits, lateness, lateCalls, (ms, limit, most, calls) => {
        const counters = metered()
        const admitted: Admitted[] = []
        let time = START
        // One unit each: a call that looks alone, or wants more than there is, forgets what has left its own window.
        for (const { wait, late } of calls) {
          time += Math.floor(wait * ms)
          const own = time - Math.floor(late * most * ms)
          if (!take(counters, spend(limit, ms), own).ok) continue
          const at = Math.max(own, admitted.at(-1)?.at ?? own)
          admitted.push({ at, cost: 1 })
          expect(within(admitted, at - ms)).toBeLessThanOrEqual(limit)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('admits no more than its limit in any interval of its length less the lateness, by their own times in order', () => {
    fc.assert(
      fc.property(lengths, limits, lateness, lateCalls, (ms, limit, most, calls) => {
        const counters = metered()
        const admitted: Admitted[] = []
        const latest = Math.floor(most * ms)
        let time = START
        for (const { wait, late, cost } of calls) {
          time += Math.floor(wait * ms)
          const own = time - Math.floor(late * latest)
          if (take(counters, spend(limit, ms, cost), own).ok) admitted.push({ at: own, cost })
        }
        const inOrder = [...admitted].sort((a, b) => a.at - b.at)
        for (const [index, { at }] of inOrder.entries()) {
          const before = within(inOrder.slice(0, index + 1), at - (ms - latest))
          expect(before).toBeLessThanOrEqual(limit)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('lets no call move an entry back: a full window stays full until a length after its newest', () => {
    fc.assert(
      fc.property(lengths, fc.constantFrom(1, 5, 100, 101, 1_000), lateCalls, (ms, limit, calls) => {
        const counters = metered()
        take(counters, spend(limit, ms, limit), START)
        for (const { late } of calls) {
          expect(take(counters, spend(limit, ms), START - Math.floor(late * ms)).ok).toBe(false)
          expect(take(counters, spend(limit, ms), START + ms - 1).ok).toBe(false)
        }
        expect(take(counters, spend(limit, ms), START + Math.ceil(ms + ms * PART)).ok).toBe(true)
      }),
    )
  })

  it('admits the limit exactly, and tells one reset, to processes whose clocks differ by some milliseconds', () => {
    for (const limit of [5, 100, 101, 500]) {
      const counters = metered()
      const at = (use: number) => START + use - (use % 2) * 7
      const uses = Array.from({ length: limit + 20 }, (_, use) => take(counters, spend(limit, 60_000), at(use)))
      expect(uses.filter(({ ok }) => ok)).toHaveLength(limit)
      expect(new Set(uses.slice(limit).map(({ retryAt }) => retryAt)).size).toBe(1)
    }
  })
})

describe('a window whose clock is set back', () => {
  const far = fc.oneof(
    fc.double({ min: 0, max: 5, noNaN: true }),
    fc.double({ min: 0.98, max: 1.02, noNaN: true }),
    fc.constant(1_000_000),
  )

  it('is all free two lengths, and a part of each, later, however far that was and whatever is asked meanwhile', () => {
    fc.assert(
      fc.property(lengths, limits, steps, far, (ms, limit, calls, back) => {
        const counters = metered()
        let now = START
        for (const { wait, cost } of calls) {
          now += Math.floor(wait * ms)
          take(counters, spend(limit, ms, cost), now)
        }
        now -= Math.floor(back * ms)
        take(counters, spend(limit, ms, 0), now)
        const free = now + Math.ceil(2 * (ms + ms * PART)) + 1
        // More than ever fits: it is refused, and must not make the wait longer.
        for (; now < free; now += Math.ceil(ms / 10)) take(counters, spend(limit, ms, limit + 1), now)
        expect(take(counters, spend(limit, ms, 0), free).readings[0]?.remaining).toBe(limit)
      }),
    )
  })

  it('knows how far that was also of a window that was empty before its newest entry', () => {
    const counters = metered()
    for (const at of [0, 92, 202]) take(counters, spend(99, 96), START + at)
    take(counters, spend(99, 96, 0), START + 1)
    expect(take(counters, spend(99, 96, 0), START + 98).readings[0]?.remaining).toBe(99)
  })

  it('is all free one length, and a part of it, later when that was further than two lengths', () => {
    fc.assert(
      fc.property(lengths, limits, steps, fc.double({ min: 2.1, max: 50, noNaN: true }), (ms, limit, calls, back) => {
        const counters = metered()
        let now = START
        for (const { wait, cost } of calls) {
          now += Math.floor(wait * ms)
          take(counters, spend(limit, ms, cost), now)
        }
        now -= Math.floor(back * ms)
        take(counters, spend(limit, ms, 0), now)
        now += Math.ceil(ms + ms * PART)
        expect(take(counters, spend(limit, ms, 0), now).readings[0]?.remaining).toBe(limit)
      }),
    )
  })
})
