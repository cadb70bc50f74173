import type { Clock } from '../model/clock.ts'
import { type Duration, parseDuration } from '../model/duration.ts'
import { KeywardError } from '../model/errors.ts'
import { show } from '../model/redact.ts'

/** A clock that stands still until it is told. */
export interface FakeClock extends Required<Clock> {
  /** Lets time pass: both clocks go on. `INPUT` for what is no duration: there is no going back this way. */
  advance(duration: Duration): void
  /** Sets the wall clock, as an administrator or NTP does: time does not pass, and `monotonic` does not notice. */
  set(moment: number | Date): void
}

/**
 * The `clock` option for tests: `const clock = fakeClock()`, then `clock.advance('10s')`.
 *
 * @param start Where the wall clock begins: a `Date`, or ms since 1970. Default: 2026-01-01T00:00:00Z.
 * @throws {KeywardError} `INPUT` for a moment that is no finite number of ms.
 */
export function fakeClock(start: number | Date = Date.UTC(2026, 0, 1)): FakeClock {
  let wall = momentOf(start)
  let passed = 0
  return {
    now: () => wall,
    monotonic: () => passed,
    advance: (duration) => {
      const ms = parseDuration(duration)
      if (ms === undefined) throw new KeywardError('INPUT', `${show(duration)} is no duration`)
      wall += ms
      passed += ms
    },
    set: (moment) => {
      wall = momentOf(moment)
    },
  }
}

function momentOf(moment: number | Date): number {
  const ms = Number(moment)
  if (!Number.isFinite(ms)) throw new KeywardError('INPUT', `${show(moment)} is no moment`)
  return ms
}
