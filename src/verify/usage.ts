import type { KeyStore, UseMark } from '../model/store.ts'
import { inBackground, inTime } from '../model/timer.ts'
import type { Known } from './known.ts'

/** How long a mark may wait, ms. Writing all of a moment's marks at once is what makes them cheap. */
const DELAY = 500
/** Marks are worth little: past this many keys waiting for a store that fails, they are let go. */
const MOST_WAITING = 100_000
/** A timer that is so late, ms, will not come: on Workers it ends with the request in which it was set. */
const LOST = 60_000

/** Notes that keys were used; writes it later, in batches. Nothing here can delay, fail or change a verification. */
export interface Usage {
  mark(known: Known, now: number): void
  /** Writes what is pending. */
  flush(): Promise<void>
  /** Stops the timer; `flush` first. */
  stop(): void
}

/** @param patience how long a write may take, ms */
export function createUsage(
  store: Pick<KeyStore, 'touch'>,
  patience: number,
  onFault: (error: unknown) => void,
): Usage {
  let waiting: Known[] = []
  let timer: NodeJS.Timeout | undefined
  let scheduledAt = 0
  let writing: Promise<void> | undefined

  function mark(known: Known, now: number): void {
    if (known.uses === 0) {
      // Nor is it counted: a key with uses is one that waits.
      if (waiting.length >= MOST_WAITING) return
      waiting.push(known)
      if (now - scheduledAt > LOST) stop()
      if (timer === undefined) scheduledAt = now
      timer ??= schedule()
    }
    known.uses++
    known.usedAt = now
  }

  function schedule(): NodeJS.Timeout {
    return inBackground(setTimeout(() => void flush(), DELAY))
  }

  /** The writes do not wait for each other: on Workers one ends with its request, and is never heard of again. */
  function flush(): Promise<void> {
    const before = writing && inTime(writing, patience)
    const written = Promise.all([before, write()]).then(() => {
      if (writing === written) writing = undefined
    })
    writing = written
    return written
  }

  async function write(): Promise<void> {
    stop()
    const used = waiting
    waiting = []
    if (used.length === 0) return
    const marks = collect(used)
    try {
      await store.touch?.(marks)
    } catch (error) {
      onFault(error)
      keepForLater(used, marks)
    }
  }

  /** The uses go to the keys again, so that nothing is counted twice when they are used meanwhile. */
  function keepForLater(used: readonly Known[], marks: readonly UseMark[]): void {
    if (waiting.length + marks.length > MOST_WAITING) return
    const byId = new Map(marks.map((unwritten) => [unwritten.id, unwritten.uses]))
    for (const known of used) {
      const uses = byId.get(known.stored.id)
      if (uses === undefined) continue
      byId.delete(known.stored.id)
      if (known.uses === 0) waiting.push(known)
      known.uses += uses
    }
    timer ??= schedule()
  }

  function stop(): void {
    clearTimeout(timer)
    timer = undefined
  }

  return store.touch === undefined ? { mark() {}, flush: () => Promise.resolve(), stop } : { mark, flush, stop }
}

/** One mark per id: a key that was compiled anew in between waits twice. */
function collect(used: readonly Known[]): readonly UseMark[] {
  const marks = new Map<string, UseMark>()
  for (const known of used) {
    const { id } = known.stored
    const earlier = marks.get(id)
    marks.set(id, { id, at: Math.max(known.usedAt, earlier?.at ?? 0), uses: known.uses + (earlier?.uses ?? 0) })
    known.uses = 0
  }
  return [...marks.values()]
}
