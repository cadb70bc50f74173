import type { Awaitable } from '../model/awaitable.ts'
import type { Window } from '../model/limits.ts'
import type { MeterReading } from '../model/store.ts'
import type { Attempt, Passage } from './attempt.ts'
import { type Bill, type Metered, type Order, orderFor } from './bill.ts'
import type { Known } from './known.ts'
import { counterOf } from './windows-for.ts'

/** Takes an order by itself. */
type Fill = (attempt: Attempt, known: Known, order: Order) => Awaitable<Metered>

/** What an earlier guard took that still stands: a hold that was settled or given back stands for nothing. */
export function standing({ bill, settlement }: Passage): Bill {
  return settlement?.isOver ? { ...bill, held: 0 } : bill
}

/**
 * A later guard on one request takes what its cost exceeds the earlier one's from what was taken from already, and
 * its whole cost from windows of its own; it holds what its reserve exceeds what is held: all of it or nothing.
 */
export async function fillRest(
  fill: Fill,
  attempt: Attempt,
  known: Known,
  order: Order,
  earlier: Bill,
): Promise<Metered> {
  const excess = Math.max(0, order.cost - earlier.cost)
  const before = new Map(earlier.windows.map((window) => [counterOf(window), window]))
  const windows = order.windows.map((window) => (before.has(counterOf(window)) ? { ...window, cost: excess } : window))
  const beyond = (amount: number) => Math.max(0, amount - earlier.held)
  const { credits: due } = order
  const amount = due?.hold === undefined ? Math.max(0, order.cost - earlier.charged) : beyond(due.amount)
  const credits = due && { ...due, amount }
  const least = order.least === undefined ? undefined : beyond(order.least)
  const rest =
    (await underLowerLimits(fill, attempt, known, order, before, excess)) ??
    (await fill(attempt, known, orderFor(order.cost, windows, credits, least)))
  if (rest.type === 'admitted') return { ...rest, ...sum(earlier, rest) }
  if (rest.type !== 'limited') return rest
  const retryAt = await roomForBoth(fill, attempt, known, order, before, { earlier, rest })
  return { ...rest, ...sum(earlier, rest), retryAt }
}

/**
 * What was taken for this request already counts against a lower limit on the same counter. It is read at the earlier
 * limit, because at its own a counter that is exceeded cannot be told from one that is full.
 */
async function underLowerLimits(
  fill: Fill,
  attempt: Attempt,
  known: Known,
  { windows }: Order,
  before: ReadonlyMap<string, Window>,
  excess: number,
): Promise<Metered | undefined> {
  const lowered = windows.filter((window) => window.limit < (before.get(counterOf(window))?.limit ?? 0))
  if (lowered.length === 0) return undefined
  const earlier = lowered.map((window) => before.get(counterOf(window)) as Window)
  const read = await fill(attempt, known, orderFor(0, earlier))
  if (read.type !== 'admitted') return read
  const left = lowered.map(({ limit }, i) => {
    const { limit: higher, remaining } = read.readings[i] as MeterReading
    return limit - (higher - remaining)
  })
  if (left.every((remaining) => remaining >= excess)) return undefined
  const shown = await fill(attempt, known, orderFor(0, lowered))
  return shown.type === 'admitted' ? { ...shown, type: 'limited' } : shown
}

/**
 * When the whole request would pass all of its guards: asked again, it takes from the first of them again. Looked for
 * at a limit that is lower by what it will take, where one more is free when there is room for all.
 */
async function roomForBoth(
  fill: Fill,
  attempt: Attempt,
  known: Known,
  { windows, cost }: Order,
  before: ReadonlyMap<string, Window>,
  { earlier, rest }: { readonly earlier: Bill; readonly rest: Bill },
): Promise<number | undefined> {
  const lower = windows.map((window) => {
    const whole = before.has(counterOf(window)) ? Math.max(cost, earlier.cost) : cost
    return { ...window, limit: window.limit - Math.max(1, whole) + 1 }
  })
  if (lower.some(({ limit }) => limit < 1)) return undefined
  const read = await fill(attempt, known, orderFor(0, lower))
  if (read.type !== 'admitted') return rest.retryAt
  const full = read.readings.filter(({ remaining }) => remaining < 1)
  return Math.max(read.at, ...full.map(({ resetsAt }) => resetsAt))
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
