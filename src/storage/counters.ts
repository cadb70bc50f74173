import { KeywardError } from '../model/errors.ts'
import type { Window } from '../model/limits.ts'
import type { MeterReading, Spend, SpendWindow } from '../model/store.ts'
import {
  add,
  type Frozen,
  fitsAt,
  freeze,
  newCounter,
  readingOf,
  revive,
  settle,
  type WindowCounter,
} from './window-counter.ts'

/** Whatever holds the counters of one key: `take` puts a new list there when a window is used for the first time. */
export interface Metered {
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
export function take(metered: Metered, spend: Spend, now: number): Outcome {
  const { windows } = spend
  const room = settleAndCompare(metered.counters, spend, now)
  const readings = new Array<MeterReading>(windows.length)
  for (let at = 0; at < windows.length; at++) {
    const window = windows[at] as SpendWindow
    const cost = costOf(window, spend)
    let counter = find(metered.counters, window, at)
    if (room && cost > 0) {
      counter ??= append(metered, window, now)
      add(counter, window.limit, cost, now)
    }
    readings[at] = readingOf(window, counter, now)
  }
  if (room) return { ok: true, readings }
  const retryAt = whenRoom(metered.counters, spend, now)
  return retryAt === undefined ? { ok: false, readings } : { ok: false, readings, retryAt }
}

/** Counters as text, without those that are empty at `now`; `''` when all are. */
export function encodeCounters(counters: readonly WindowCounter[], now: number): string {
  const used: Frozen[] = []
  for (const counter of counters) {
    settle(counter, now)
    if (counter.used > 0) used.push(freeze(counter))
  }
  return used.length === 0 ? '' : JSON.stringify(used)
}

/** Throws on text that is not of `encodeCounters`. */
export function decodeCounters(text: string): readonly WindowCounter[] {
  if (text === '') return NO_COUNTERS
  const all: unknown = JSON.parse(text)
  if (!Array.isArray(all) || !all.every(isFrozen)) throw new SyntaxError('no counters')
  return all.map(revive)
}

function isFrozen(value: unknown): value is Frozen {
  if (!Array.isArray(value) || value.length < 4) return false
  const [name, ...numbers] = value
  return typeof name === 'string' && numbers.every((number) => Number.isFinite(number) && number >= 0)
}

function wrongCost(): KeywardError {
  const message = 'must be a whole number ≥ 0'
  return new KeywardError('INPUT', `cost ${message}`, { issues: [{ path: 'cost', message }] })
}

/** Its own member only: what somebody put on `Object.prototype` is no cost of ours. */
function costOf(window: SpendWindow, { cost }: Spend): number {
  const { cost: its } = window
  return its !== undefined && Object.hasOwn(window, 'cost') ? its : cost
}

/** Brings every counter that the spend looks at to `now`; whether all have room for their cost. */
function settleAndCompare(counters: readonly WindowCounter[], spend: Spend, now: number): boolean {
  let room = true
  for (let at = 0; at < spend.windows.length; at++) {
    const window = spend.windows[at] as SpendWindow
    const cost = costOf(window, spend)
    // A wrong cost must not reach the counters, where it would stay: NaN would disarm them.
    if (!Number.isSafeInteger(cost) || cost < 0) throw wrongCost()
    const counter = find(counters, window, at)
    if (counter !== undefined) settle(counter, now)
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
function append(metered: Metered, window: Window, now: number): WindowCounter {
  const used = metered.counters.filter((counter) => {
    settle(counter, now)
    return counter.used > 0
  })
  const counter = newCounter(window.name, window.ms)
  // `concat` makes a list of exactly that size, which spreading does not.
  metered.counters = used.concat(counter)
  return counter
}
