import type { Awaitable } from '../model/awaitable.ts'
import type { StoredKey } from '../model/key.ts'
import type { Window } from '../model/limits.ts'
import type { KeyStore, MeterReading, Spend, Taken } from '../model/store.ts'
import { costFor, type Requirement } from '../policy/demand.ts'
import type { Attempt } from './attempt.ts'
import type { Known } from './known.ts'
import type { Time } from './time.ts'

/** What the windows read, one for one. */
interface Measured {
  readonly windows: readonly Window[]
  readonly readings: readonly MeterReading[]
  /** When, by the clock that the windows are counted by. */
  readonly at: number
}

/** What came of taking. */
export type Metered =
  | (Measured & { readonly type: 'admitted'; readonly cost: number })
  | (Measured & { readonly type: 'limited'; readonly retryAt: number | undefined })
  | { readonly type: 'stale'; readonly stored: StoredKey | undefined }
  | { readonly type: 'failed'; readonly error: unknown }

/** Takes what a request costs. */
export type Meter = (attempt: Attempt, known: Known) => Awaitable<Metered>

export interface MeterOptions {
  readonly take: NonNullable<KeyStore['take']>
  /** How long a record may keep changing under a request, ms. */
  readonly patience: number
  readonly look: () => Time
}

/** More changes than this during one request are a store that does not tell the truth. */
const MOST_STALE = 16

const NO_READINGS: readonly MeterReading[] = Object.freeze([])

export function createMeter({ take, patience, look }: MeterOptions): Meter {
  return (attempt, known) => {
    const windows = windowsFor(known, attempt.requirement)
    const cost = windows.length === 0 ? 0 : costFor(attempt.requirement, attempt.request)
    if (attempt.earlier !== undefined) return takeRest(attempt, known, windows, cost, attempt.earlier)
    return takeFrom(attempt, known, windows, cost)
  }

  function takeFrom(attempt: Attempt, known: Known, windows: readonly Window[], cost: number): Awaitable<Metered> {
    const at = attempt.time.steady
    if (windows.length === 0) return { type: 'admitted', cost, windows, readings: NO_READINGS, at }
    try {
      const taken = take(known.stored.id, known.stored.version, { windows, cost }, at)
      return taken instanceof Promise
        ? taken.then((late) => read(attempt, windows, cost, late))
        : read(attempt, windows, cost, taken)
    } catch (error) {
      return { type: 'failed', error }
    }
  }

  function read(attempt: Attempt, windows: readonly Window[], cost: number, taken: Taken): Metered {
    if ('stale' in taken) {
      attempt.stale++
      const waited = look().steady - attempt.began
      if (attempt.stale <= MOST_STALE && waited <= patience) return { type: 'stale', stored: taken.stale }
      return { type: 'failed', error: new Error('the record did not come to rest') }
    }
    const { ok, readings, retryAt, at = attempt.time.steady } = taken
    if (typeof ok !== 'boolean' || readings.length !== windows.length) {
      return { type: 'failed', error: new Error('take answered neither what it took nor what is stale') }
    }
    return ok ? { type: 'admitted', cost, windows, readings, at } : { type: 'limited', windows, readings, at, retryAt }
  }

  /**
   * A later guard on one request takes what its cost exceeds the earlier one's from the windows that were taken from
   * already, and its whole cost from those that were not.
   */
  async function takeRest(
    attempt: Attempt,
    known: Known,
    windows: readonly Window[],
    cost: number,
    earlier: NonNullable<Attempt['earlier']>,
  ): Promise<Metered> {
    const taken = new Set(earlier.windows.map(counterOf))
    const again = windows.filter((window) => taken.has(counterOf(window)))
    const excess = await takeFrom(attempt, known, again, Math.max(0, cost - earlier.cost))
    if (excess.type !== 'admitted') return excess
    const others = windows.filter((window) => !taken.has(counterOf(window)))
    const fresh = await takeFrom(attempt, known, others, cost)
    if (fresh.type !== 'admitted') return fresh
    return { ...fresh, cost: Math.max(cost, earlier.cost), ...latest([earlier, excess, fresh]) }
  }
}

/** The last reading of each window. */
function latest(measured: readonly Pick<Measured, 'windows' | 'readings'>[]): Pick<Measured, 'windows' | 'readings'> {
  const last = new Map<string, readonly [Window, MeterReading]>()
  for (const { windows, readings } of measured) {
    for (const [i, window] of windows.entries()) last.set(counterOf(window), [window, readings[i] as MeterReading])
  }
  const pairs = [...last.values()]
  return { windows: pairs.map(([window]) => window), readings: pairs.map(([, reading]) => reading) }
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
