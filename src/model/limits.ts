import type { Duration } from './duration.ts'

/** Windows that have a name of their own. */
export const NAMED_WINDOWS = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
} as const

export type WindowName = keyof typeof NAMED_WINDOWS

/** At most `limit` uses in any interval of `ms` milliseconds, wherever it begins. */
export interface Window {
  /** 1 to 32 of `[A-Za-z0-9_-]`, such as `'minute'`. */
  readonly name: string
  /** A whole number ≥ 0. */
  readonly limit: number
  /** Its length, ms: 1,000 to 366 days. */
  readonly ms: number
}

/** A window of any length. `name` is 1 to 32 of `[A-Za-z0-9_-]`; it goes into the RateLimit headers. */
export interface FreeWindow {
  readonly name: string
  readonly limit: number
  /** One second to 366 days. */
  readonly window: Duration
}

/**
 * Limits as they are written: `{ minute: 60, hour: 1000 }`, or a list of windows of any length.
 * `0` refuses every use; `null` lifts a window that the defaults would set, where `max` allows it.
 */
export type Limits =
  | { readonly [name in WindowName]?: number | null | undefined }
  | readonly (Omit<FreeWindow, 'limit'> & { readonly limit: number | null })[]

/** Limits as a record shows them: a number for a named window, limit and milliseconds for another. */
export type ShownLimits = Readonly<Record<string, number | { readonly limit: number; readonly window: number }>>
