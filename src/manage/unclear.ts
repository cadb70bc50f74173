import type { Announcer, ChangeEvent } from '../model/event.ts'
import type { StoredKey } from '../model/key.ts'
import type { KeyStore } from '../model/store.ts'
import { inBackground } from '../model/timer.ts'

/** When it is looked again for what became of a change, ms after the look before. */
const PAUSES = [500, 5_000, 30_000]
/** As many keys are remembered: a store that fails long is asked for no more than that when it is back. */
const MOST = 1_000

/** How it is seen whether a change was made. */
export interface Trace {
  /** By what the store has of the key. */
  isMade(stored: StoredKey | undefined): boolean
  /** The version that it was to be made of. */
  readonly base?: number
}

interface Change extends Trace {
  readonly event: ChangeEvent
}

/** Changes of which a store did not say whether they were made. What was made is told, though late: whoever keeps a log misses none. */
export interface Unclear {
  add(change: Change): void
  /** Something has read what the store has of a key. */
  see(id: string, stored: StoredKey | undefined): void
  /** This process has changed a key of that version: what else was to be made of it, or of one before, and was not seen, was not made. */
  overtake(id: string, version: number): void
  /** Looks once more, for the last time. */
  stop(): Promise<void>
}

export function createUnclear(store: Pick<KeyStore, 'find'>, events: Pick<Announcer, 'tell'>): Unclear {
  const changes = new Map<string, readonly Change[]>()
  return { add, see, overtake, stop }

  function add(change: Change): void {
    const { id } = change.event
    const before = changes.get(id)
    if (before === undefined && changes.size >= MOST) return
    changes.set(id, [...(before ?? []), change])
    if (before === undefined) lookAfter(id, 0)
  }

  function see(id: string, stored: StoredKey | undefined): void {
    const waiting = changes.get(id)
    if (waiting === undefined) return
    const rest = waiting.filter((change) => !change.isMade(stored))
    keep(id, rest)
    for (const change of waiting) if (!rest.includes(change)) events.tell(change.event)
  }

  function overtake(id: string, version: number): void {
    const waiting = changes.get(id)
    if (waiting !== undefined)
      keep(
        id,
        waiting.filter(({ base }) => base === undefined || base > version),
      )
  }

  function keep(id: string, waiting: readonly Change[]): void {
    if (waiting.length === 0) changes.delete(id)
    else changes.set(id, waiting)
  }

  function lookAfter(id: string, looks: number): void {
    const pause = PAUSES[looks]
    if (pause === undefined) return void changes.delete(id)
    const look = () => void lookAt(id).then(() => changes.has(id) && lookAfter(id, looks + 1))
    inBackground(setTimeout(look, pause))
  }

  /** A store that fails again is asked later, or was never to be heard of again. */
  async function lookAt(id: string): Promise<void> {
    if (!changes.has(id)) return
    try {
      see(id, (await store.find(id)) ?? undefined)
    } catch {}
  }

  async function stop(): Promise<void> {
    await Promise.all([...changes.keys()].map(lookAt))
    changes.clear()
  }
}

/** Whether a key is what a change made of it, or what others have made of that since. */
export function made(before: StoredKey, after: StoredKey): Trace {
  const names = Object.keys({ ...before, ...after }) as (keyof StoredKey)[]
  const changed = names.filter((name) => !OF_EVERY_CHANGE.includes(name) && !isSame(before[name], after[name]))
  return {
    base: before.version,
    isMade(stored) {
      if (stored === undefined || stored.version < after.version) return false
      // Another's change may have got this version.
      if (stored.version === after.version && stored.updatedAt !== after.updatedAt) return false
      return changed.every((name) => isSame(stored[name], after[name]))
    },
  }
}

const OF_EVERY_CHANGE: readonly (keyof StoredKey)[] = ['version', 'updatedAt']

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
