import { inBackground } from '../../model/timer.ts'

/** Something that is under way, and when it is given up. */
interface Entry {
  /** By the monotonic clock, ms. */
  readonly due: number
  readonly giveUp: () => void
}

interface Deadlines {
  readonly add: (giveUp: () => void) => Entry
  readonly remove: (entry: Entry) => void
  /** How many are under way. */
  readonly count: () => number
}

/**
 * Gives up what takes longer than `timeout` ms. All have the same time and so are due in the order in which they began:
 * one timer does for them, where one for each would cost as much as the rest of a call.
 */
export function deadlines(timeout: number): Deadlines {
  const entries = new Set<Entry>()
  let timer: ReturnType<typeof setTimeout> | undefined
  return {
    add(giveUp) {
      const entry = { due: performance.now() + timeout, giveUp }
      entries.add(entry)
      if (timer === undefined) wait(timeout)
      return entry
    },
    remove: (entry) => entries.delete(entry),
    count: () => entries.size,
  }

  function wait(ms: number): void {
    timer = setTimeout(sweep, ms)
    inBackground(timer)
  }

  function sweep(): void {
    timer = undefined
    const now = performance.now()
    for (const entry of entries) {
      if (entry.due > now) {
        wait(entry.due - now)
        return
      }
      entries.delete(entry)
      entry.giveUp()
    }
  }
}
