import type { Clock, Moment } from '../model/clock.ts'

/** One look at the clocks, for all that a request decides. */
export interface Time extends Moment {
  /** The time by which keys expire: the later of the clocks, so that setting a clock back revives nothing. */
  readonly now: number
}

/**
 * Looks at the clocks. `steady` is the wall clock as it was at construction, moved on by the monotonic clock:
 * windows are counted by it, so that a correction of the wall clock neither empties nor locks them.
 */
export function timekeeper(clock: Clock): () => Time {
  const monotonic = clock.monotonic?.bind(clock)
  if (monotonic === undefined) {
    return () => {
      const wall = clock.now()
      return { wall, steady: wall, now: wall }
    }
  }
  const base = clock.now() - monotonic()
  return () => {
    const wall = clock.now()
    const steady = Math.floor(base + monotonic())
    return { wall, steady, now: wall > steady ? wall : steady }
  }
}
