import type { Awaitable } from '../model/awaitable.ts'
import type { Window } from '../model/limits.ts'
import type { MeterReading, Taken } from '../model/store.ts'
import type { Attempt } from './attempt.ts'
import { type Bill, billFor, type Metered, type Order } from './bill.ts'
import type { Known } from './known.ts'
import { type HeldLease, isOpen, type LeaseBook } from './lease-book.ts'
import { newId } from './new-id.ts'
import type { Time } from './time.ts'

/** How hot a key is in this process, and what was taken of it at once. */
export interface Heat {
  /** How long its leases are by the store, ms, and how much of that they may be used: the rest is for giving back. */
  readonly ms: number
  readonly lasts: number
  /** When the present stretch of so many ms began (steady), what was used in it, and in the one before. */
  since: number
  used: number
  before: number
  /** What remained in the fullest window when the store was last asked. */
  room: number
  lease: HeldLease | undefined
  /** While a lease is being asked for: who waits for it. */
  waiting: Waiting[] | undefined
  /** The record has changed: nothing more is leased under this version. */
  isStale: boolean
}

interface Waiting {
  readonly attempt: Attempt
  readonly known: Known
  readonly order: Order
  /** When it began to wait, by the steady clock. */
  readonly since: number
  readonly resolve: (metered: Awaitable<Metered>) => void
}

/** How long a lease may be, ms, and which part of the shortest window: as long may what is used up be counted too late. */
const LONGEST = 1_000
const PART = 10
/** What a lease may be used for, of its length: what is left then has the rest of it to reach the store. */
const USABLE = 3 / 4
/** Shorter ones are not worth a lease, ms. */
const SHORTEST = 20
/** Fewer uses than this in the time of a lease are taken one by one. */
const FEW = 8
/** One process takes at most this part of what remains, so that the others find some and little is late at the end. */
const SHARE = 4

export interface LeasingOptions {
  readonly leases: LeaseBook
  /** How long a request waits for leases of others before it is taken singly, ms. */
  readonly patience: number
  readonly look: () => Time
  /** Takes one request by itself. */
  readonly fill: (attempt: Attempt, known: Known, order: Order) => Awaitable<Metered>
  /** What an answer of the store means. */
  readonly read: (attempt: Attempt, known: Known, order: Order, taken: Taken) => Metered
}

export interface Leasing {
  serve(attempt: Attempt, known: Known, order: Order): Awaitable<Metered>
  /** The bill of a later guard that takes nothing more, while a lease proves that the record is current. */
  covered(attempt: Attempt, known: Known, order: Order, earlier: Bill): Metered | undefined
}

/**
 * Serves requests of hot keys from what was taken of them at once. A lease ends after a moment, measured from before it
 * was asked for, and the store counts it as used at that end: so no interval ever admits more than its limit.
 */
export function createLeasing({ leases, patience, look, fill, read }: LeasingOptions): Leasing {
  return { serve, covered }

  function serve(attempt: Attempt, known: Known, order: Order): Awaitable<Metered> {
    const { windows, cost, credits } = order
    // Windows of a route, balances and mere looks are the store's alone.
    const isLeasable = windows === known.windows && windows.length > 0 && credits === undefined && cost > 0
    if (!isLeasable || leases.isClosed) return fill(attempt, known, order)
    known.heat ??= newHeat(windows, leases.maxLag)
    warm(known.heat, cost, attempt.time.steady)
    const { heat } = known
    const { waiting } = heat
    if (waiting === undefined) return go(attempt, known, order, heat)
    const since = attempt.time.steady
    return new Promise((resolve) => waiting.push({ attempt, known, order, since, resolve }))
  }

  /** Where no lease is being asked for. */
  function go(attempt: Attempt, known: Known, order: Order, heat: Heat): Awaitable<Metered> {
    const { lease } = heat
    if (lease !== undefined && lease.left >= order.cost && isOpen(lease, attempt.time)) {
      lease.left -= order.cost
      return billOn(lease, order, attempt)
    }
    const size = sizeFor(heat, order.cost, leases.most)
    return size === 0 ? singly(attempt, known, order, heat) : begin(attempt, known, order, heat, size)
  }

  /** Lets those go on who waited, in their order; what is not enough for all of them, they wait for again. */
  function wake(heat: Heat, outcome: Metered | undefined): void {
    const all = heat.waiting ?? []
    heat.waiting = undefined
    const time = look()
    for (const each of all) {
      const { attempt, known, order, since, resolve } = each
      attempt.time = time
      const next = heat.waiting as Waiting[] | undefined
      if (outcome?.type === 'failed') resolve(outcome)
      else if (next === undefined) resolve(go(attempt, known, order, heat))
      else if (time.steady - since <= patience) next.push(each)
      else resolve(singly(attempt, known, order, heat))
    }
  }

  function singly(attempt: Attempt, known: Known, order: Order, heat: Heat): Awaitable<Metered> {
    const metered = fill(attempt, known, order)
    return metered instanceof Promise ? metered.then((late) => noted(heat, late)) : noted(heat, metered)
  }

  /** Asks for a lease, and ends the one before in the same step. */
  function begin(attempt: Attempt, known: Known, order: Order, heat: Heat, size: number): Awaitable<Metered> {
    const ended = heat.lease && leases.end(heat.lease)
    const lease = { id: newId(), ms: heat.ms }
    const { id, version } = known.stored
    const spend = { windows: order.windows, cost: size, lease, ...(ended && { ended }) }
    heat.lease = undefined
    const whole = { ...order, cost: size }
    const since = attempt.time
    try {
      const taken = leases.lease(id, version, spend, since.steady)
      if (!(taken instanceof Promise)) return land(taken) ?? singly(attempt, known, order, heat)
      heat.waiting = []
      const landing = taken.then(land).catch((error): Metered => ({ type: 'failed', error }))
      leases.await(landing.then((outcome) => wake(heat, outcome)))
      return landing.then((metered) => {
        if (metered !== undefined) return metered
        attempt.time = look()
        return singly(attempt, known, order, heat)
      })
    } catch (error) {
      return { type: 'failed', error }
    }

    /** `undefined` where there is no room for a lease: there may be for this request. */
    function land(taken: Taken): Metered | undefined {
      const metered = noted(heat, read(attempt, known, whole, taken))
      if (metered.type === 'limited') return undefined
      if (metered.type !== 'admitted') return metered
      const { readings, at } = metered
      const left = size - order.cost
      const held = { id: lease.id, key: id, version, since, lasts: heat.lasts, left, readings, at }
      heat.lease = held
      const bill = billOn(held, order, attempt)
      leases.open(held)
      return bill
    }
  }

  function covered({ time }: Attempt, known: Known, order: Order, earlier: Bill): Metered | undefined {
    const lease = known.heat?.lease
    if (lease === undefined || !isOpen(lease, time) || order.credits !== undefined || earlier.hold !== undefined) return
    if (order.windows !== earlier.windows || order.cost > earlier.cost) return undefined
    return { ...earlier, type: 'admitted' }
  }
}

function newHeat(windows: readonly Window[], maxLag: number): Heat {
  const shortest = windows.reduce((least, { ms }) => Math.min(least, ms), Number.POSITIVE_INFINITY)
  const room = windows.reduce((least, { limit }) => Math.min(least, limit), Number.POSITIVE_INFINITY)
  const ms = Math.floor(Math.min(LONGEST, shortest / PART, maxLag))
  const lasts = Math.floor(ms * USABLE)
  return { ms, lasts, since: 0, used: 0, before: 0, room, lease: undefined, waiting: undefined, isStale: ms < SHORTEST }
}

function warm(heat: Heat, cost: number, now: number): void {
  const passed = now - heat.since
  if (passed < 0 || passed >= heat.ms) {
    heat.before = passed < 2 * heat.ms ? heat.used : 0
    heat.used = 0
    heat.since = now
  }
  heat.used += cost
}

/** As much as was used lately, as far as that is fair; 0 where it is better taken singly. */
function sizeFor({ used, before, room, isStale }: Heat, cost: number, most: number): number {
  if (isStale) return 0
  const size = Math.min(most, Math.max(used, before), Math.floor(room / SHARE))
  return size < Math.min(FEW, most) || size < 2 * cost ? 0 : size
}

/** What the last answer tells of the windows, and whether there may be another lease. */
function noted(heat: Heat, metered: Metered): Metered {
  if (metered.type === 'stale') heat.isStale = true
  if (metered.type === 'admitted' || metered.type === 'limited') {
    heat.room = metered.readings.reduce((least, { remaining }) => Math.min(least, remaining), Number.POSITIVE_INFINITY)
  }
  return metered
}

/** What the store said when the lease was taken, less what was used here since. */
function billOn(lease: HeldLease, order: Order, { time }: Attempt): Metered {
  const { readings, left, at, since } = lease
  const shown = readings.map(({ name, limit, remaining, resetsAt }): MeterReading => {
    return { name, limit, remaining: remaining + left, resetsAt }
  })
  return billFor('admitted', order, shown, undefined, at + (time.steady - since.steady), undefined)
}
