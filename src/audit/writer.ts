import { hasCode, KeywardError } from '../model/errors.ts'
import type { Note } from '../model/store.ts'
import { inBackground } from '../model/timer.ts'

interface WriterOptions {
  readonly write: (notes: readonly Note[]) => Promise<void>
  /** Hears of each attempt that failed, and of what was lost. Must not throw. */
  readonly onError: (error: unknown) => void
}

/** Writes notes behind the back of whoever brings them. */
interface Writer {
  /** Never waits, never throws. */
  add(note: Note): void
  /** Resolves when all that was brought is written. @throws what the last attempt failed with */
  flush(): Promise<void>
  /** Tries once more, and gives up what cannot be written. */
  close(): Promise<void>
}

/** Notes that wait for a store that is down: more are lost, the later ones, and that is told. */
const MOST_WAITING = 10_000
const AT_ONCE = 200
/** Between attempts, ms. */
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [100, 10_000]

export function createWriter({ write, onError }: WriterOptions): Writer {
  const waiting: Note[] = []
  let writing: Promise<unknown> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let isClosed = false
  return { add, flush, close }

  function add(note: Note): void {
    if (isClosed) onError(lost(1, 'it is closed'))
    else if (waiting.length >= MOST_WAITING) onError(lost(1, `${MOST_WAITING} wait already`))
    else waiting.push(note)
    schedule(0)
  }

  /** What comes while a write is under way goes with the next one. */
  function schedule(pause: number): void {
    if (writing !== undefined || timer !== undefined || waiting.length === 0) return
    timer = setTimeout(() => void start(), pause)
    // A retry keeps no process alive; a first attempt is over at once.
    if (pause > 0) inBackground(timer)
  }

  /** @returns what it failed with */
  async function start(): Promise<unknown> {
    clearTimeout(timer)
    timer = undefined
    writing ??= drain()
    const error = await writing
    writing = undefined
    schedule(Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(failures, 10)))
    return error
  }

  async function drain(): Promise<unknown> {
    try {
      while (waiting.length > 0) {
        const some = waiting.slice(0, AT_ONCE)
        await writeAll(some)
        waiting.splice(0, some.length)
      }
      failures = 0
      return undefined
    } catch (error) {
      failures++
      onError(error)
      return error
    }
  }

  /** What the store will never take must not stand in the way of the others. */
  async function writeAll(notes: readonly Note[]): Promise<void> {
    try {
      await write(notes)
    } catch (error) {
      if (!hasCode(error, 'INPUT')) throw error
      if (notes.length === 1) onError(error)
      else for (const note of notes) await writeAll([note])
    }
  }

  async function flush(): Promise<void> {
    // The first may have begun before the last note was brought.
    for (let tries = 0; tries < 2 && (writing !== undefined || waiting.length > 0); tries++) {
      const error = await start()
      if (error !== undefined) throw error
    }
  }

  async function close(): Promise<void> {
    await flush().catch(() => {})
    isClosed = true
    clearTimeout(timer)
    const { length } = waiting.splice(0)
    if (length > 0) onError(lost(length, 'the store could not be reached before it was closed'))
  }
}

function lost(count: number, why: string): KeywardError {
  return new KeywardError('STORE', `${count} entries of the audit log are lost: ${why}`)
}
