import type { Awaitable } from '../model/awaitable.ts'
import type { StoredKey } from '../model/key.ts'
import type { Window } from '../model/limits.ts'
import type { CreditSpend, KeyStore, MeterReading, SpendWindow, Taken } from '../model/store.ts'
import { accountOf, type CreditMode } from '../policy/credits.ts'
import { amountFor, type Requirement } from '../policy/demand.ts'
import type { Attempt } from './attempt.ts'
import type { Known } from './known.ts'
import { newHold } from './settlement.ts'
import type { Time } from './time.ts'

/** What a request takes, or took. */
export interface Bill {
  /** From each window. */
  readonly cost: number
  /** From the balance; 0 where there is none. */
  readonly credit: number
  readonly windows: readonly Window[]
  /** What the windows read, one for one. */
  readonly readings: readonly MeterReading[]
  /** What is free of the balance; `undefined` where there is none. */
  readonly balance: number | undefined
  /** What is held and may be settled. */
  readonly hold: CreditSpend | undefined
  /** When it was decided, by the clock that the windows are counted by. */
  readonly at: number
  /** When there would be room, where there was none; `undefined` where no wait helps. */
  readonly retryAt: number | undefined
}

/** What came of taking. */
export type Metered =
  | (Bill & { readonly type: 'admitted' | 'limited' | 'poor' })
  | { readonly type: 'stale'; readonly stored: StoredKey | undefined }
  | { readonly type: 'failed'; readonly error: unknown }

/** Takes what a request costs. */
export type Meter = (attempt: Attempt, known: Known) => Awaitable<Metered>

export interface MeterOptions {
  readonly take: NonNullable<KeyStore['take']>
  readonly credits: CreditMode
  /** How long a record may keep changing under a request, ms. */
  readonly patience: number
  readonly look: () => Time
}

/** More changes than this during one request are a store that does not tell the truth. */
const MOST_STALE = 16
const NO_READINGS: readonly MeterReading[] = Object.freeze([])

/** A `Taken` that decided something. */
type Settled = Extract<Taken, { readonly ok: boolean }>

type Order = {
  readonly cost: number
  readonly windows: readonly SpendWindow[]
  readonly credits: CreditSpend | undefined
}

export function createMeter({ take, credits: mode, patience, look }: MeterOptions): Meter {
  return (attempt, known) => {
    const order = orderOf(attempt, known)
    return attempt.earlier === undefined
      ? fill(attempt, known, order)
      : fillRest(attempt, known, order, attempt.earlier.bill)
  }

  function orderOf({ requirement, request, time }: Attempt, known: Known): Order {
    const windows = windowsFor(known, requirement)
    const account = accountOf(mode, known.stored, time.now)
    if (windows.length === 0 && account === undefined) return { cost: 0, windows, credits: undefined }
    const cost = amountFor('cost', requirement.cost, request)
    if (account === undefined) return { cost, windows, credits: undefined }
    if (requirement.reserve === undefined) return { cost, windows, credits: { ...account, amount: cost } }
    const amount = amountFor('reserve', requirement.reserve, request)
    return { cost, windows, credits: { ...account, amount, hold: newHold(time.steady) } }
  }

  function fill(attempt: Attempt, known: Known, order: Order): Awaitable<Metered> {
    const { cost, windows, credits } = order
    const at = attempt.time.steady
    if (windows.length === 0 && credits === undefined)
      return billFor('admitted', order, NO_READINGS, undefined, at, undefined)
    try {
      const spend = credits === undefined ? { windows, cost } : { windows, cost, credits }
      const taken = take(known.stored.id, known.stored.version, spend, at)
      return taken instanceof Promise ? taken.then((late) => read(attempt, order, late)) : read(attempt, order, taken)
    } catch (error) {
      return { type: 'failed', error }
    }
  }

  function read(attempt: Attempt, order: Order, taken: Taken): Metered {
    if ('stale' in taken && Object.hasOwn(taken, 'stale')) {
      attempt.stale++
      attempt.staleSince ??= attempt.time.steady
      const waited = look().steady - attempt.staleSince
      if (attempt.stale <= MOST_STALE && waited <= patience) return { type: 'stale', stored: taken.stale }
      return { type: 'failed', error: new Error('the record did not come to rest') }
    }
    const { ok, readings, retryAt, balance, at = attempt.time.steady } = taken as Settled
    const { credits } = order
    const isSound =
      typeof ok === 'boolean' &&
      areReadings(readings, order.windows) &&
      isTime(at) &&
      (retryAt === undefined || isTime(retryAt))
    if (!isSound || (credits !== undefined && !Number.isSafeInteger(balance))) {
      return { type: 'failed', error: new Error('take answered neither what it took nor what is stale') }
    }
    if (ok) return billFor('admitted', order, readings, balance, at, undefined)
    // No wait helps a balance: where both are exhausted, that is what has to be told.
    const poor = credits !== undefined && balance !== undefined && balance < credits.amount
    return billFor(poor ? 'poor' : 'limited', order, readings, balance, at, retryAt)
  }

  /**
   * A later guard on one request takes what its cost exceeds the earlier one's from what was taken from already, and
   * its whole cost from windows of its own: all of it or nothing.
   */
  async function fillRest(attempt: Attempt, known: Known, order: Order, earlier: Bill): Promise<Metered> {
    const excess = Math.max(0, order.cost - earlier.cost)
    const before = new Map(earlier.windows.map((window) => [counterOf(window), window]))
    const exhausted = await underLowerLimits(attempt, known, order, excess, before)
    if (exhausted !== undefined) return exhausted
    const windows = order.windows.map((window) =>
      before.has(counterOf(window)) ? { ...window, cost: excess } : window,
    )
    const credits = order.credits && { ...order.credits, amount: Math.max(0, order.credits.amount - earlier.credit) }
    const rest = await fill(attempt, known, { cost: order.cost, windows, credits })
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
    const read = await fill(attempt, known, { cost: 0, windows: earlier, credits: undefined })
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

/** Until the year 9000: what can be written as ISO 8601, whatever the clocks are apart. */
function isTime(ms: unknown): boolean {
  return typeof ms === 'number' && ms >= 0 && ms < 221_845_392_000_000
}

function areReadings(readings: readonly MeterReading[], windows: readonly Window[]): boolean {
  if (readings.length !== windows.length) return false
  for (let i = 0; i < readings.length; i++) {
    const { remaining, resetsAt } = readings[i] as MeterReading
    if (!Number.isFinite(remaining) || !isTime(resetsAt)) return false
  }
  return true
}

function billFor(
  type: 'admitted' | 'limited' | 'poor',
  { cost, windows, credits }: Order,
  readings: readonly MeterReading[],
  balance: number | undefined,
  at: number,
  retryAt: number | undefined,
): Extract<Metered, Bill> {
  const hold = credits?.hold === undefined ? undefined : credits
  return { type, cost, credit: credits?.amount ?? 0, windows, readings, balance, hold, at, retryAt }
}

/** What two guards took together, with the last reading of each window. */
function sum(earlier: Bill, rest: Bill): Omit<Bill, 'at' | 'retryAt'> {
  const last = new Map<string, readonly [Window, MeterReading]>()
  for (const { windows, readings } of [earlier, rest]) {
    for (const [i, window] of windows.entries()) last.set(counterOf(window), [window, readings[i] as MeterReading])
  }
  return {
    cost: Math.max(earlier.cost, rest.cost),
    credit: earlier.credit + rest.credit,
    windows: [...last.values()].map(([window]) => window),
    readings: [...last.values()].map(([, reading]) => reading),
    balance: rest.balance ?? earlier.balance,
    hold: rest.hold,
  }
}

/** A key's own windows and those of the route; where both name one, it is one counter with the lower limit. */
function windowsFor(known: Known, { windows: extra }: Requirement): readonly Window[] {
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
