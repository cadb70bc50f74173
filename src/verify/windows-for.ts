import type { Window } from '../model/limits.ts'
import type { Requirement } from '../policy/demand.ts'
import type { Known } from './known.ts'

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

/** What a window counts in: the same name and length is the same counter. */
export function counterOf({ name, ms }: Window): string {
  return `${name} ${ms}`
}
