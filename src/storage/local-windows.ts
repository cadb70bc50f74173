import type { Spend, Taken } from '../model/store.ts'
import { type Metered, NO_COUNTERS, take } from './counters.ts'

/** Above this many keys, those whose windows are empty again are let go. */
const MANY = 10_000

/** Counts windows in this process, for a store without `take`: other processes count their own. */
export function localWindows(): (id: string, version: number, spend: Spend, now: number) => Taken {
  const keys = new Map<string, Metered & { until: number }>()
  let many = MANY

  return (id, _version, spend, now) => {
    const metered = keys.get(id) ?? { counters: NO_COUNTERS, until: 0 }
    const taken = take(metered, spend, now)
    metered.until = Math.max(metered.until, now + longest(spend))
    keys.set(id, metered)
    if (keys.size > many) {
      for (const [key, { until }] of keys) if (until < now) keys.delete(key)
      many = Math.max(MANY, 2 * keys.size)
    }
    return taken
  }
}

function longest({ windows }: Spend): number {
  return windows.reduce((most, { ms }) => Math.max(most, ms), 0) * 2
}
