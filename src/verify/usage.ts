import { isOutcomeUnknown } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import { isLate } from '../model/late.ts'
import type { KeyStore, UseMark } from '../model/store.ts'
import { inBackground, inTime } from '../model/timer.ts'

/** How long a mark may wait, ms. Writing all of a moment's marks at once is what makes them cheap. */
const DELAY = 500
/** Marks are worth little: past this many keys waiting for a store that fails, they are let go. */
const MOST_WAITING = 100_000
/** A timer that is so late, ms, will not come: on Workers it ends with the request in which it was set. */
const LOST = 60_000

/**
 * How often one key was used, and when last, that the store has not heard of. Apart from what is remembered of the key, which
 * would have to be kept until it is written.
 */
interface Uses {
  readonly id: string
  at: number
  uses: number
}

/** What can be used: where it keeps its uses. */
export interface Used {
  readonly stored: Pick<StoredKey, 'id'>
  /** Once it was used. */
  unwritten: Uses | undefined
}

/** Notes that keys were used; writes it later, in batches. Nothing here can delay, fail or change a verification. */
export interface Usage {
  mark(known: Used, now: number): void
  /** Writes what is pending. */
  flush(): Promise<void>
  /** Ends it; `flush` first. What is marked later is written once, and let go where that fails. */
  stop(): void
}

/** @param patience how long a write may take, ms */
export function createUsage(
  store: Pick<KeyStore, 'touch'>,
  patience: number,
  onFault: (error: unknown) => void,
): Usage {
  let waiting: Uses[] = []
  let timer: NodeJS.Timeout | undefined
  let scheduledAt = 0
  let writing: Promise<void> | undefined
  let isOver = false

  function mark(known: Used, now: number): void {
    known.unwritten ??= { id: known.stored.id, at: now, uses: 0 }
    const { unwritten } = known
    if (unwritten.uses === 0) {
      // Nor is it counted: what has uses is what waits.
      if (waiting.length >= MOST_WAITING) return
      waiting.push(unwritten)
      if (now - scheduledAt > LOST) clear()
      if (timer === undefined) scheduledAt = now
      timer ??= schedule()
    }
    unwritten.uses++
    unwritten.at = now
  }

  function schedule(): NodeJS.Timeout {
    return inBackground(setTimeout(() => void flush(), DELAY))
  }

  /** No write waits here for another, which on Workers ends with its request and is never heard of again: the store does. */
  function flush(): Promise<void> {
    const before = writing && inTime(writing, patience)
    const written = Promise.all([before, write()]).then(() => {
      if (writing === written) writing = undefined
    })
    writing = written
    return written
  }

  async function write(): Promise<void> {
    clear()
    const used = waiting
    waiting = []
    if (used.length === 0) return
    const marks = collect(used)
    try {
      await store.touch?.(marks)
    } catch (error) {
      onFault(error)
      if (!isOver && !isUnclear(error)) keepForLater(marks)
    }
  }

  /** Copies, because the store may have kept what it was given. */
  function keepForLater(marks: readonly UseMark[]): void {
    if (waiting.length + marks.length > MOST_WAITING) return
    for (const mark of marks) waiting.push({ ...mark })
    timer ??= schedule()
  }

  function clear(): void {
    clearTimeout(timer)
    timer = undefined
  }

  /** A request that was under way may still come to its end. */
  function stop(): void {
    isOver = true
    clear()
  }

  return store.touch === undefined ? { mark() {}, flush: () => Promise.resolve(), stop } : { mark, flush, stop }
}

/** What may have been written is lost rather than counted twice, or once more with every attempt. */
function isUnclear(error: unknown): boolean {
  return isLate(error) || isOutcomeUnknown(error)
}

/** One mark per id: a key that was compiled anew in between waits twice. */
function collect(used: readonly Uses[]): readonly UseMark[] {
  const marks = new Map<string, UseMark>()
  for (const unwritten of used) {
    const { id, at, uses } = unwritten
    const earlier = marks.get(id)
    marks.set(id, { id, at: Math.max(at, earlier?.at ?? 0), uses: uses + (earlier?.uses ?? 0) })
    unwritten.uses = 0
  }
  return [...marks.values()]
}
