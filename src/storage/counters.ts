import { flawedAt } from '../model/errors.ts'
import type { Window } from '../model/limits.ts'
import type { LeaseSpend, MeterReading, Spend, SpendWindow } from '../model/store.ts'
import { isWhole } from '../model/whole.ts'
import { checkWhole } from './spends.ts'
import { add, fitsAt, type Leased, newCounter, readingOf, type WindowCounter } from './window-counter.ts'
import { addLease, bringUp, endLease } from './window-leases.ts'

/** Whatever holds the counters of one key: `take` puts a new list there when a window is used for the first time. */
export interface Counted {
  counters: readonly WindowCounter[]
}

/** Where nothing was ever taken. */
export const NO_COUNTERS: readonly WindowCounter[] = []

/** A `Taken` of the version that was asked for. */
export interface Outcome {
  readonly ok: boolean
  readonly readings: readonly MeterReading[]
  readonly retryAt?: number
}

/** Takes the cost from every window or, where one has no room, from none. */
export function take(metered: Counted, spend: Spend, now: number): Outcome {
  return takeAll(metered, spend, undefined, now)
}

/** Takes what will be used until the lease is over, after `endLeased`. */
export function lease(metered: Counted, { windows, cost, lease }: LeaseSpend, now: number): Outcome {
  const leased = lease === undefined ? undefined : { id: lease.id, until: now + lease.ms, units: cost }
  return takeAll(metered, { windows: windows.map(({ name, limit, ms }) => ({ name, limit, ms })), cost }, leased, now)
}

/** Ends the lease that is to be ended, whatever comes of the rest. `INPUT` for a spend that nothing may be done with. */
export function endLeased(metered: Counted, spend: LeaseSpend, now: number): void {
  checkLease(spend)
  const { ended } = spend
  if (ended === undefined) return
  for (const counter of metered.counters) {
    if (counter.leases === undefined) continue
    bringUp(counter, now)
    endLease(counter, ended.id, ended.unused, now)
  }
}

/** `INPUT` for a spend that nothing may be done with. */
export function checkLease({ windows, cost, lease, ended }: LeaseSpend): void {
  checkWhole('cost', cost)
  if (ended !== undefined) checkWhole('ended.unused', ended.unused)
  if (lease === undefined && cost > 0) throw flawedAt('INPUT', 'lease', 'must be there')
  const most = windows.reduce((shortest, { ms }) => Math.min(shortest, ms), Number.POSITIVE_INFINITY)
  if (lease !== undefined && !isWhole(lease.ms, 1, most)) {
    throw flawedAt('INPUT', 'lease.ms', 'must be a whole number > 0, at most as long as each window')
  }
}

function takeAll(metered: Counted, spend: Spend, leased: Leased | undefined, now: number): Outcome {
  const { windows } = spend
  const room = advanceAndCompare(metered.counters, spend, now)
  const readings = new Array<MeterReading>(windows.length)
  for (let at = 0; at < windows.length; at++) {
    const window = windows[at] as SpendWindow
    const cost = costOf(window, spend)
    let counter = find(metered.counters, window, at)
    if (room && cost > 0) {
      counter ??= append(metered, window, now)
      if (leased === undefined) add(counter, window.limit, cost, now)
      else addLease(counter, window.limit, leased)
    }
    readings[at] = readingOf(window, counter, now)
  }
  if (room) return { ok: true, readings }
  const retryAt = whenRoom(metered.counters, spend, now)
  return retryAt === undefined ? { ok: false, readings } : { ok: false, readings, retryAt }
}

function costOf({ cost: its }: SpendWindow, { cost }: Spend): number {
  return its ?? cost
}

/** Brings every counter that the spend looks at to `now`; whether all have room for their cost. */
function advanceAndCompare(counters: readonly WindowCounter[], spend: Spend, now: number): boolean {
  let room = true
  for (let at = 0; at < spend.windows.length; at++) {
    const window = spend.windows[at] as SpendWindow
    const cost = costOf(window, spend)
    checkWhole('cost', cost)
    const counter = find(counters, window, at)
    if (counter !== undefined) bringUp(counter, now)
    const used = counter === undefined ? 0 : counter.used
    if (cost > 0 && !(used + cost <= window.limit)) room = false
  }
  return room
}

function whenRoom(counters: readonly WindowCounter[], spend: Spend, now: number): number | undefined {
  let latest = now
  for (const [at, window] of spend.windows.entries()) {
    const moment = fitsAt(window, find(counters, window, at), costOf(window, spend), now)
    if (moment === undefined) return undefined
    if (moment > latest) latest = moment
  }
  return latest
}

/** Requests of a key bring the same windows in the same order: `at` is nearly always the place. */
function find(counters: readonly WindowCounter[], window: Window, at: number): WindowCounter | undefined {
  const likely = counters[at]
  if (likely !== undefined && likely.name === window.name && likely.ms === window.ms) return likely
  for (const counter of counters) {
    if (counter.name === window.name && counter.ms === window.ms) return counter
  }
  return undefined
}

/** Windows that the program no longer knows would pile up: those that are empty make room for the new one. */
function append(metered: Counted, window: Window, now: number): WindowCounter {
  const used = metered.counters.filter((counter) => {
    bringUp(counter, now)
    return counter.used > 0
  })
  const counter = newCounter(window.name, window.ms)
  // `concat` makes a list of exactly that size, which spreading does not.
  metered.counters = used.concat(counter)
  return counter
}
