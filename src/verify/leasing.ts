import type { Awaitable } from '../model/awaitable.ts'
import type { LeaseSpend, MeterReading, Taken } from '../model/store.ts'
import { inBackground } from '../model/timer.ts'
import type { Attempt } from './attempt.ts'
import { type Bill, billFor, type Metered, type Order } from './bill.ts'
import { type Heat, newHeat, sizeFor, warm } from './heat.ts'
import type { Known } from './known.ts'
import { age } from './known-keys.ts'
import { type HeldLease, isOpen, type LeaseBook } from './lease-book.ts'
import { newId } from './new-id.ts'
import type { Time } from './time.ts'

/** The request that asks for a lease. */
interface Asking {
  readonly attempt: Attempt
  readonly known: Known
  readonly order: Order
  readonly heat: Heat
}

interface LeasingOptions {
  readonly leases: LeaseBook
  /** How long a request waits for leases of others before it is taken singly, ms. */
  readonly patience: number
  readonly look: () => Time
  /** Takes one request by itself. */
  readonly fill: (attempt: Attempt, known: Known, order: Order) => Awaitable<Metered>
  /** What an answer of the store means. */
  readonly read: (attempt: Attempt, known: Known, order: Order, taken: Taken) => Metered
}

interface Leasing {
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
    return go(attempt, known, order, known.heat, attempt.time.steady)
  }

  /** @param since when it began to wait, by the steady clock */
  function go(attempt: Attempt, known: Known, order: Order, heat: Heat, since: number): Awaitable<Metered> {
    const { time } = attempt
    const lease = leaseFor(order, heat, time)
    if (lease !== undefined) {
      lease.left -= order.cost
      if (heat.followed !== lease && isSoonUsedUp(lease, time)) askAhead(attempt, known, order, heat)
      return billOn(lease, order, attempt)
    }
    const { waiting } = heat
    if (waiting !== undefined && time.steady - since <= patience) {
      return told(heat, waiting).then((outcome) => {
        attempt.time = look()
        if (outcome === 'late') return singly(attempt, known, order, heat)
        return outcome.type === 'failed' ? outcome : go(attempt, known, order, heat, since)
      })
    }
    const size = waiting === undefined ? sizeFor(heat, order.cost, leases.most) : 0
    return size === 0 ? singly(attempt, known, order, heat) : begin(attempt, known, order, heat, size)
  }

  /** The lease that has enough left. Where it has not, the one that follows takes its place. */
  function leaseFor({ cost }: Order, heat: Heat, now: Time): HeldLease | undefined {
    const { lease, next } = heat
    if (lease !== undefined && lease.left >= cost && isOpen(lease, now)) return lease
    if (next === undefined) return undefined
    heat.over = lease && leases.end(lease)
    heat.lease = next
    heat.next = undefined
    return next.left >= cost && isOpen(next, now) ? next : undefined
  }

  /**
   * What came of the lease that is being asked for. On Workers who asks for it may be gone, and is never heard of again; and
   * whoever waits there for nothing of its own is taken to hang: so each has a timer, and goes on by itself.
   */
  function told(heat: Heat, waiting: NonNullable<Heat['waiting']>): Promise<Metered | 'late'> {
    return new Promise((resolve) => {
      const late = () => {
        if (heat.waiting === waiting) heat.waiting = undefined
        resolve('late')
      }
      const timer = inBackground(setTimeout(late, patience))
      waiting.push((outcome) => {
        clearTimeout(timer)
        resolve(outcome)
      })
    })
  }

  /** Lets those go on who waited, in their order; what is not enough for all of them, they wait for again. */
  function wake(heat: Heat, waiting: NonNullable<Heat['waiting']>, outcome: Metered): void {
    if (heat.waiting === waiting) heat.waiting = undefined
    for (const tell of waiting) tell(outcome)
  }

  function singly(attempt: Attempt, known: Known, order: Order, heat: Heat): Awaitable<Metered> {
    const metered = fill(attempt, known, order)
    return metered instanceof Promise ? metered.then((late) => noted(heat, late)) : noted(heat, metered)
  }

  /** Asks for a lease and ends the one before in the same step. What the request itself takes is put aside for it. */
  function begin(attempt: Attempt, known: Known, order: Order, heat: Heat, size: number): Awaitable<Metered> {
    const ended = (heat.lease && leases.end(heat.lease)) ?? heat.over
    heat.lease = undefined
    const landed = ask({ attempt, known, order, heat }, size, order.cost, ended)
    // Without room for a lease there may be for this request.
    const settle = (metered: Metered) => (metered.type === 'limited' ? singly(attempt, known, order, heat) : metered)
    if (!(landed instanceof Promise)) return settle(landed)
    return landed.then((metered) => {
      attempt.time = look()
      return settle(metered)
    })
  }

  /** Asks for the lease that follows while there is something left of this one, so that nobody waits for it. */
  function askAhead(attempt: Attempt, known: Known, order: Order, heat: Heat): void {
    if (heat.waiting !== undefined || heat.next !== undefined) return
    heat.followed = heat.lease
    const size = sizeFor(heat, order.cost, leases.most)
    if (size > 0) void ask({ attempt, known, order, heat }, size, 0, heat.over)
  }

  /** What the store says to a lease; where it gives one, that is the next. */
  function ask(asking: Asking, size: number, used: number, ended: LeaseSpend['ended']): Awaitable<Metered> {
    const { attempt, known, order, heat } = asking
    const { id, version } = known.stored
    const lease = { id: newId(), ms: heat.ms }
    const since = attempt.time
    heat.over = undefined
    try {
      const spend = { windows: order.windows, cost: size, lease, ...(ended && { ended }) }
      const taken = leases.lease(id, version, spend, since.steady)
      if (!(taken instanceof Promise)) return land(taken)
      const waiting: NonNullable<Heat['waiting']> = []
      heat.waiting = waiting
      const landing = taken.then(land).catch((error): Metered => ({ type: 'failed', error }))
      leases.await(landing.then((outcome) => wake(heat, waiting, outcome)))
      return landing
    } catch (error) {
      return { type: 'failed', error }
    }

    function land(taken: Taken): Metered {
      const metered = noted(heat, read(attempt, known, { ...order, cost: size }, taken))
      // What is left of the lease before was taken of a version that is no more.
      if (metered.type === 'stale') leases.forget(id)
      if (metered.type !== 'admitted') return metered
      const { readings, at } = metered
      const held = { id: lease.id, key: id, version, since, lasts: heat.lasts, size, left: size - used, readings, at }
      heat.next = held
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

/** Half of it in a quarter of its time. One that is used more slowly has time enough to end by itself. */
function isSoonUsedUp({ left, size, since, lasts }: HeldLease, now: Time): boolean {
  return left * 2 <= size && age(since, now) * 4 <= lasts
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
