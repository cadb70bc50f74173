import fc from 'fast-check'
import { type Counted, NO_COUNTERS } from '../../src/storage/counters.ts'

export const START = 1_767_225_600_000
/** What a window may hold on to longer than its length, where it counts in 96 parts. */
export const PART = 1 / 96

export const lengths = fc.constantFrom(96, 1_000, 1_001, 60_000, 3_600_000)
export const limits = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(99, 100, 101, 130, 1_000))

/** A call: how long after the one before, by which part of a window the clock is set back, what for. */
export const steps = fc.array(
  fc.record({
    wait: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 0.1, noNaN: true }),
      fc.double({ min: 0, max: 1.5, noNaN: true }),
    ),
    back: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 3, noNaN: true }) },
    ),
    cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 60 })),
    limit: limits,
  }),
  { minLength: 20, maxLength: 150 },
)

export function metered(): Counted {
  return { counters: NO_COUNTERS }
}

export function spend(limit: number, ms: number, cost = 1) {
  return { windows: [{ name: 'w', limit, ms }], cost }
}

export interface Admitted {
  readonly at: number
  readonly cost: number
}

export function within(admitted: readonly Admitted[], from: number): number {
  return admitted.reduce((sum, { at, cost }) => (at > from ? sum + cost : sum), 0)
}
