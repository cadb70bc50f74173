import { cell, SLOTS, type WindowCounter } from './window-counter.ts'

/** By so much, ms, processes may be apart without harm: counters never run back. */
const NEAR = 1_000

/** The time by which a database without a clock counts. */
export interface Timeline {
  /**
   * @param now by the caller's clock
   * @param counters those that are about to be used
   */
  at(now: number, counters?: readonly WindowCounter[]): number
}

/**
 * Of processes that share counters, those that find others ahead go by their time from then on. Steady clocks that were
 * started before a machine slept, or before its clock was set, stay behind for as long as their process lives; were each
 * to go by its own, they would take what the other counted for things long past, or to come, and forget it.
 */
export function timeline(): Timeline {
  let behind = 0
  return {
    at(now, counters = []) {
      for (const counter of counters) {
        const ahead = latestIn(counter) - now
        if (ahead > behind + NEAR) behind = ahead
      }
      return now + behind
    },
  }
}

/** When its newest unit was taken; of slots, when the slot began. */
function latestIn(counter: WindowCounter): number {
  const { slotted, ms, first, length } = counter
  if (length === 0) return 0
  return slotted ? Math.floor(((first + length - 1) * ms) / SLOTS) : cell(counter, length - 1)
}
