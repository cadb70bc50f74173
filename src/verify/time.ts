import { type Clock, type Moment, systemClock } from '../model/clock.ts'

/** One look at the clocks, for all that a request decides. */
export interface Time extends Moment {
  /** The time by which keys expire: the later of the clocks, so that setting a clock back revives nothing. */
  readonly now: number
}

/**
 * Looks at the clocks. `steady` is the wall clock as it was at the first look (of a clock of the host's: at
 * construction), moved on by the monotonic clock: windows are counted by it, so that a correction of the wall clock
 * neither empties nor locks them.
 */
export function timekeeper(clock: Clock): () => Time {
  const monotonic = clock.monotonic?.bind(clock)
  if (monotonic === undefined) {
    return () => {
      const wall = clock.now()
      return timeOf(wall, wall)
    }
  }
  let base: number | undefined
  const steadyNow = () => {
    base ??= clock.now() - monotonic()
    return Math.floor(base + monotonic())
  }
  if (clock === systemClock) return systemTime(steadyNow)
  steadyNow()
  return () => timeOf(clock.now(), steadyNow())
}

/** For so many ms after both were read, the system's clocks are taken to run alike: a step of one is noticed no later. */
const ALIKE = 50

/**
 * Reads one clock nearly always, which is half the work; what happens in the same millisecond shares its time. Neither
 * is read before somebody asks: on Workers the monotonic one stands at 0 until a request is there.
 */
function systemTime(steadyNow: () => number): () => Time {
  let both = timeOf(Number.NaN, Number.NaN)
  let last = both
  return () => {
    const wall = systemClock.now()
    if (wall === last.wall) return last
    const since = wall - both.wall
    const alike = since >= 0 && since < ALIKE
    last = timeOf(wall, alike ? both.steady + since : steadyNow())
    if (!alike) both = last
    return last
  }
}

function timeOf(wall: number, steady: number): Time {
  return { wall, steady, now: wall > steady ? wall : steady }
}
