import type { Awaitable } from '../model/awaitable.ts'
import type { Window } from '../model/limits.ts'
import type { CreditSpend, KeyStore, MeterReading, Taken } from '../model/store.ts'
import { accountOf, type CreditMode } from '../policy/credits.ts'
import { costFor, type Requirement, reserveFor } from '../policy/demand.ts'
import { areReadings, isStale, isTime } from '../policy/readings.ts'
import type { Attempt } from './attempt.ts'
import { type Bill, billFor, type Metered, type Order, orderFor } from './bill.ts'
import type { Known } from './known.ts'
import type { LeaseBook } from './lease-book.ts'
import { createLeasing } from './leasing.ts'
import { newHold } from './settlement.ts'
import type { Time } from './time.ts'

/** Takes what a request costs. */
export type Meter = (attempt: Attempt, known: Known) => Awaitable<Metered>

export interface MeterOptions {
  readonly take: NonNullable<KeyStore['take']>
  /** Gives back what a take may have held that failed. */
  readonly giveBack: (credits: CreditSpend) => void
  readonly credits: CreditMode
  /** How long a record may keep changing under a request, ms. */
  readonly patience: number
  readonly look: () => Time
  /** Where hot keys are leased. */
  readonly leases: LeaseBook | undefined
}

/** More changes than this during one request are a store that does not tell the truth. */
const MOST_STALE = 16
/** So often a request asks for less of a balance that others take from meanwhile. */
const MOST_LESS = 8
const NO_READINGS: readonly MeterReading[] = Object.freeze([])

export function createMeter({ take, giveBack, credits: mode, patience, look, leases }: MeterOptions): Meter {
  const leasing = leases && createLeasing({ leases, patience, look, fill, read })

  return (attempt, known) => {
    const order = orderOf(attempt, known)
    const { credits } = order
    if (credits?.hold === undefined) return meter(attempt, known, order)
    const metered = meter(attempt, known, order)
    if (!(metered instanceof Promise)) return heldOrNot(metered, credits)
    return metered.then(
      (late) => heldOrNot(late, credits),
      (error): Metered => heldOrNot({ type: 'failed', error }, credits),
    )
  }

  function meter(attempt: Attempt, known: Known, order: Order): Awaitable<Metered> {
    if (attempt.earlier !== undefined) {
      const before = attempt.earlier.bill
      return leasing?.covered(attempt, known, order, before) ?? fillRest(attempt, known, order, before)
    }
    return leasing === undefined ? fill(attempt, known, order) : leasing.serve(attempt, known, order)
  }

  /** Of a take that failed nobody knows whether it holds anything: nobody would settle it. */
  function heldOrNot(metered: Metered, credits: CreditSpend): Metered {
    if (metered.type === 'failed') giveBack(credits)
    return metered
  }

  function orderOf({ requirement, request, time }: Attempt, known: Known): Order {
    const windows = windowsFor(known, requirement)
    const account = accountOf(mode, known.stored, time.now)
    if (windows.length === 0 && account === undefined) return orderFor(0, windows)
    const cost = costFor(requirement, request)
    if (account === undefined) return orderFor(cost, windows)
    if (requirement.reserve === undefined) return orderFor(cost, windows, { ...account, amount: cost })
    const { amount, least } = reserveFor(requirement.reserve, request)
    return orderFor(cost, windows, { ...account, amount, hold: newHold(time.steady) }, least)
  }

  function fill(attempt: Attempt, known: Known, order: Order, tries = 0): Awaitable<Metered> {
    const { cost, windows, credits, least } = order
    const at = attempt.time.steady
    if (windows.length === 0 && credits === undefined)
      return billFor('admitted', order, NO_READINGS, undefined, at, undefined)
    try {
      const spend = least === undefined ? order : { windows, cost, credits }
      const taken = take(known.stored.id, known.stored.version, spend, at)
      return taken instanceof Promise
        ? taken.then((late) => readOrLess(attempt, known, order, late, tries))
        : readOrLess(attempt, known, order, taken, tries)
    } catch (error) {
      return { type: 'failed', error }
    }
  }

  /** Where what is there will do, a second take asks for that much: nothing was taken by the first. */
  function readOrLess(attempt: Attempt, known: Known, order: Order, taken: Taken, tries: number): Awaitable<Metered> {
    const metered = read(attempt, known, order, taken)
    const less = metered.type === 'poor' && tries < MOST_LESS ? lessOf(order, metered.balance) : undefined
    return less === undefined ? metered : fill(attempt, known, less, tries + 1)
  }

  function read(attempt: Attempt, known: Known, order: Order, taken: Taken): Metered {
    if (isStale(taken)) {
      attempt.stale++
      attempt.staleSince ??= attempt.time.steady
      const waited = look().steady - attempt.staleSince
      if (attempt.stale <= MOST_STALE && waited <= patience) return { type: 'stale', stored: taken.stale }
      return { type: 'failed', error: new Error('the record did not come to rest') }
    }
    const { ok, readings, retryAt, balance, at = attempt.time.steady } = taken
    const { credits } = order
    const isSound =
      typeof ok === 'boolean' &&
      areReadings(readings, order.windows) &&
      isTime(at) &&
      (retryAt === undefined || isTime(retryAt))
    if (!isSound || (credits !== undefined && !Number.isSafeInteger(balance))) {
      return { type: 'failed', error: new Error('take answered neither what it took nor what is stale') }
    }
    known.proved = attempt.time
    if (ok) return billFor('admitted', order, readings, balance, at, undefined)
    // No wait helps a balance: where both are exhausted, that is what has to be told.
    const poor = credits !== undefined && balance !== undefined && balance < credits.amount
    return billFor(poor ? 'poor' : 'limited', order, readings, balance, at, retryAt ?? roomAt(order, readings))
  }

  /**
   * A later guard on one request takes what its cost exceeds the earlier one's from what was taken from already, and
   * its whole cost from windows of its own; it holds what its reserve exceeds what is held: all of it or nothing.
   */
  async function fillRest(attempt: Attempt, known: Known, order: Order, earlier: Bill): Promise<Metered> {
    const excess = Math.max(0, order.cost - earlier.cost)
    const before = new Map(earlier.windows.map((window) => [counterOf(window), window]))
    const exhausted = await underLowerLimits(attempt, known, order, excess, before)
    if (exhausted !== undefined) return exhausted
    const windows = order.windows.map((window) =>
      before.has(counterOf(window)) ? { ...window, cost: excess } : window,
    )
    const beyond = (amount: number) => Math.max(0, amount - earlier.held)
    const { credits: due } = order
    const amount = due?.hold === undefined ? Math.max(0, order.cost - earlier.charged) : beyond(due.amount)
    const credits = due && { ...due, amount }
    const least = order.least === undefined ? undefined : beyond(order.least)
    const rest = await fill(attempt, known, orderFor(order.cost, windows, credits, least))
    return rest.type === 'admitted' ? { ...rest, ...sum(earlier, rest) } : rest
  }

  /**
   * What was taken for this request already counts against a lower limit on the same counter. It is read at the earlier
   * limit, because at its own a counter that is exceeded cannot be told from one that is full.
   */
  async function underLowerLimits(
    attempt: Attempt,
    known: Known,
    { windows }: Order,
    excess: number,
    before: ReadonlyMap<string, Window>,
  ): Promise<Metered | undefined> {
    const lowered = windows.filter((window) => window.limit < (before.get(counterOf(window))?.limit ?? 0))
    if (lowered.length === 0) return undefined
    const earlier = lowered.map((window) => before.get(counterOf(window)) as Window)
    const read = await fill(attempt, known, orderFor(0, earlier))
    if (read.type !== 'admitted') return read
    const readings = lowered.map(({ name, limit }, i) => {
      const { limit: higher, remaining, resetsAt } = read.readings[i] as MeterReading
      return { name, limit, remaining: limit - (higher - remaining), resetsAt }
    })
    if (readings.every(({ remaining }) => remaining >= excess)) return undefined
    const shown = readings.map((reading) => ({ ...reading, remaining: Math.max(0, reading.remaining) }))
    const retryAt = Math.max(...shown.map(({ resetsAt }) => resetsAt))
    return { ...read, type: 'limited', windows: lowered, readings: shown, retryAt }
  }
}

/** When there may be room, of a store that does not say it; `undefined` where a cost exceeds its limit. */
function roomAt({ windows, cost: whole }: Order, readings: readonly MeterReading[]): number | undefined {
  let latest: number | undefined
  for (const [at, { limit, cost = whole }] of windows.entries()) {
    const { remaining, resetsAt } = readings[at] as MeterReading
    if (cost > limit) return undefined
    if (cost > remaining) latest = Math.max(latest ?? 0, resetsAt)
  }
  return latest
}

/** The order for as much credit as there is, if that will do. */
function lessOf(order: Order, balance: number | undefined): Order | undefined {
  const { credits, least } = order
  if (credits === undefined || least === undefined || balance === undefined || balance < least) return undefined
  return { ...order, credits: { ...credits, amount: balance } }
}

/** What two guards took together, with the last reading of each window. */
function sum(earlier: Bill, rest: Bill): Omit<Bill, 'at' | 'retryAt'> {
  const last = new Map<string, readonly [Window, MeterReading]>()
  for (const { windows, readings } of [earlier, rest]) {
    for (const [i, window] of windows.entries()) last.set(counterOf(window), [window, readings[i] as MeterReading])
  }
  return {
    cost: Math.max(earlier.cost, rest.cost),
    charged: Math.max(earlier.charged, rest.charged),
    held: earlier.held + rest.held,
    windows: [...last.values()].map(([window]) => window),
    readings: [...last.values()].map(([, reading]) => reading),
    balance: rest.balance ?? earlier.balance,
    hold: rest.hold,
  }
}

/** A key's own windows and those of the route; where both name one, it is one counter with the lower limit. */
export function windowsFor(known: Known, { windows: extra }: Requirement): readonly Window[] {
  if (extra.length === 0) return known.windows
  known.extended ??= new WeakMap()
  const cached = known.extended.get(extra)
  if (cached !== undefined) return cached
  const merged = new Map(known.windows.map((window) => [counterOf(window), window]))
  for (const window of extra) {
    const own = merged.get(counterOf(window))
    if (own === undefined || window.limit < own.limit) merged.set(counterOf(window), window)
  }
  const windows = [...merged.values()]
  known.extended.set(extra, windows)
  return windows
}

function counterOf({ name, ms }: Window): string {
  return `${name} ${ms}`
}
