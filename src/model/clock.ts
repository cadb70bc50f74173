/** Where the time comes from. The default is the system's; `fakeClock()` of `keyward/testing` is for tests. */
export interface Clock {
  /** Milliseconds since 1970, UTC. `Date` fits. */
  now(): number
  /**
   * Milliseconds since any fixed moment, never running back and deaf to corrections of the wall clock.
   * @default `now`
   */
  monotonic?(): number
}

export const systemClock: Required<Clock> = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

/** A moment by both clocks: each may be wrong in a way that the other is not. */
export interface Moment {
  /** Wall clock, ms since 1970. */
  readonly wall: number
  /** Monotonic clock, ms. */
  readonly steady: number
}
