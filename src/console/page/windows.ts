import type { KeyRecord } from '../../model/key.ts'
import type { Say } from './texts.ts'

type Limit = KeyRecord['limits'][string]

const LENGTHS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const

/** The windows that have a name, the shortest first. */
export const WINDOWS: readonly string[] = Object.keys(LENGTHS)

export function isNamed(window: string): window is keyof typeof LENGTHS {
  return WINDOWS.includes(window)
}

/** Of a window that the host may have called anything, such as `constructor`. */
export function ownOf<T>(windows: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(windows, name) ? windows[name] : undefined
}

/** What people call a window: its own name where it is one of the host's. */
export function windowText(window: string, say: Say): string {
  return isNamed(window) ? say(window) : window
}

/** As it stands behind a number: 60/min. */
export function shortText(window: string, say: Say): string {
  return isNamed(window) ? say(`${window}Short`) : window
}

/** How long a window of a record is, in ms. */
export function lengthOf(window: string, limit: Limit | undefined): number {
  if (typeof limit === 'object') return limit.window
  return isNamed(window) ? LENGTHS[window] : 0
}

export function numberOf(limit: Limit): number {
  return typeof limit === 'number' ? limit : limit.limit
}

/** The limits of a record, that of the shortest window first. */
export function limitsOf({ limits }: KeyRecord): readonly (readonly [window: string, limit: Limit])[] {
  return Object.entries(limits).sort(([a, one], [b, other]) => lengthOf(a, one) - lengthOf(b, other))
}
