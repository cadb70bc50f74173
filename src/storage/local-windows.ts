import type { Spend, Taken } from '../model/store.ts'
import { type Metered, NO_COUNTERS, take } from './counters.ts'

export interface LocalWindowsOptions {
  /**
   * How many are counted at most. Past that, the oldest whose windows have room makes place, and only where none has,
   * the oldest of all.
   * @default any number; those that are over are let go from time to time
   */
  readonly most?: number
}

interface Entry extends Metered {
  /** When all its windows are empty again. */
  until: number
  full: boolean
}

/** Above this many, those whose windows are over are let go. */
const MANY = 10_000
/** How far the search for one with room goes. */
const FAR = 64

/** Counts windows in this process: for a store without `take`, whose other processes count their own. */
export function localWindows(
  options: LocalWindowsOptions = {},
): (id: string, version: number, spend: Spend, now: number) => Taken {
  const { most = Number.POSITIVE_INFINITY } = options
  const entries = new Map<string, Entry>()
  let many = MANY

  return (id, _version, spend, now) => {
    const known = entries.get(id)
    const entry = known ?? { counters: NO_COUNTERS, until: 0, full: false }
    const taken = take(entry, spend, now)
    if (spend.cost === 0) return taken
    entry.until = Math.max(entry.until, now + 2 * longest(spend))
    entry.full = taken.readings.some(({ remaining }) => remaining === 0)
    if (known === undefined) {
      if (entries.size >= many) sweep(now)
      if (entries.size >= most) evict()
      entries.set(id, entry)
    }
    return taken
  }

  function sweep(now: number): void {
    for (const [id, { until }] of entries) if (until < now) entries.delete(id)
    many = Math.max(MANY, 2 * entries.size)
  }

  function evict(): void {
    let looked = 0
    let victim = entries.keys().next().value as string
    for (const [id, { full }] of entries) {
      if (looked++ === FAR) break
      if (full) continue
      victim = id
      break
    }
    entries.delete(victim)
  }
}

function longest({ windows }: Spend): number {
  return windows.reduce((most, { ms }) => Math.max(most, ms), 0)
}
