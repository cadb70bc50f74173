import type { Announcer, ChangeEvent } from '../model/event.ts'
import type { StoredKey } from '../model/key.ts'
import type { KeyStore } from '../model/store.ts'
import { inBackground } from '../model/timer.ts'

/** When it is looked again for what became of a change, ms after the look before. */
const PAUSES = [500, 5_000, 30_000]
/** As many keys are remembered: a store that fails long is asked for no more than that when it is back. */
const MOST = 1_000

/** By what the store has of a key: whether the change was made. */
export type IsMade = (stored: StoredKey | undefined) => boolean

interface Change {
  readonly event: ChangeEvent
  readonly isMade: IsMade
}

/** Changes of which a store did not say whether they were made. What was made is told, though late: whoever keeps a log misses none. */
export interface Unclear {
  add(change: Change): void
  /** Something has read what the store has of a key. */
  see(id: string, stored: StoredKey | undefined): void
  /** Looks once more, for the last time. */
  stop(): Promise<void>
}

export function createUnclear(store: Pick<KeyStore, 'find'>, events: Pick<Announcer, 'tell'>): Unclear {
  const changes = new Map<string, readonly Change[]>()
  return { add, see, stop }

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
    const rest = waiting.filter(({ isMade }) => !isMade(stored))
    if (rest.length === 0) changes.delete(id)
    else changes.set(id, rest)
    for (const change of waiting) if (!rest.includes(change)) events.tell(change.event)
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
export function made(before: StoredKey, after: StoredKey): IsMade {
  const names = Object.keys({ ...before, ...after }) as (keyof StoredKey)[]
  const changed = names.filter((name) => !OF_EVERY_CHANGE.includes(name) && !isSame(before[name], after[name]))
  return (stored) => {
    if (stored === undefined || stored.version < after.version) return false
    // Another's change may have got this version.
    if (stored.version === after.version && stored.updatedAt !== after.updatedAt) return false
    return changed.every((name) => isSame(stored[name], after[name]))
  }
}

const OF_EVERY_CHANGE: readonly (keyof StoredKey)[] = ['version', 'updatedAt']

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
