import { type Awaitable, recognisable } from '../model/awaitable.ts'
import type { CreditSpend, KeyStore, MeterReading, Taken } from '../model/store.ts'
import { accountOf, type CreditMode } from '../policy/credits.ts'
import { costFor, reserveFor } from '../policy/demand.ts'
import { areReadings, isStale, isTime } from '../policy/readings.ts'
import type { Attempt } from './attempt.ts'
import { billFor, type Metered, type Order, orderFor } from './bill.ts'
import type { Known } from './known.ts'
import { fillRest, standing } from './later-guard.ts'
import type { LeaseBook } from './lease-book.ts'
import { createLeasing } from './leasing.ts'
import { newHold } from './settlement.ts'
import type { Time } from './time.ts'
import { windowsFor } from './windows-for.ts'

/** Takes what a request costs. */
export type Meter = (attempt: Attempt, known: Known) => Awaitable<Metered>

interface MeterOptions {
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
      const before = standing(attempt.earlier)
      const covered = leasing?.covered(attempt, known, order, before)
      return covered ?? recognisable(fillRest(fill, attempt, known, order, before))
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
    // What the host's functions say is asked for also where nothing is taken: their faults are no other key's alone.
    const cost = costFor(requirement, request)
    const { reserve } = requirement
    if (account === undefined) {
      if (typeof reserve === 'function') reserveFor(reserve, request)
      return orderFor(windows.length === 0 ? 0 : cost, windows)
    }
    if (reserve === undefined) return orderFor(cost, windows, { ...account, amount: cost })
    const { amount, least } = reserveFor(reserve, request)
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
