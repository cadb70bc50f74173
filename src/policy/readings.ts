import { iso } from '../model/iso.ts'
import type { Window } from '../model/limits.ts'
import type { MeterReading, Taken } from '../model/store.ts'
import type { Reading } from '../model/verdict.ts'

/** Its own member only: what somebody put on `Object.prototype` makes nothing stale. */
export function isStale(taken: Taken): taken is Extract<Taken, { readonly stale: unknown }> {
  return 'stale' in taken && Object.hasOwn(taken, 'stale')
}

/** Whether a store answered a reading for each window. */
export function areReadings(readings: readonly MeterReading[], windows: readonly Window[]): boolean {
  if (readings.length !== windows.length) return false
  for (let i = 0; i < readings.length; i++) {
    const { remaining, resetsAt } = readings[i] as MeterReading
    if (!Number.isFinite(remaining) || !isTime(resetsAt)) return false
  }
  return true
}

/** Until the year 9000: what can be written as ISO 8601, whatever the clocks are apart. */
export function isTime(ms: unknown): boolean {
  return typeof ms === 'number' && ms >= 0 && ms < 221_845_392_000_000
}

const NONE: readonly Reading[] = Object.freeze([])

/**
 * They belong to one request and nobody else is shown them, so they need not be frozen; a list of none is everybody's.
 * @param shift from the meter's time to ours
 */
export function shownReadings(readings: readonly MeterReading[], shift: number): readonly Reading[] {
  if (readings.length === 0) return NONE
  const shown = new Array<Reading>(readings.length)
  for (let i = 0; i < readings.length; i++) {
    const { name, limit, remaining, resetsAt } = readings[i] as MeterReading
    shown[i] = { name, limit, remaining, resetsAt: iso(resetsAt + shift) }
  }
  return shown
}
