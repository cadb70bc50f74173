import type { KeyStore } from '../model/store.ts'
import { inBackground, inTime } from '../model/timer.ts'

type Watch = NonNullable<KeyStore['watch']>

/** Who hears of changes: one instance. */
interface Hearer {
  /** What is remembered of a key, or of all (`'*'`), is forgotten. */
  readonly forget: (id: string | '*') => void
  readonly onFault: (error: unknown) => void
}

interface TidingsOptions extends Hearer {
  /** Instances on one store share one line to it. */
  readonly store: KeyStore
  readonly watch: Watch
  /** How long the store may take to stop telling, ms. */
  readonly patience: number
}

/** What other processes tell of their changes. */
export interface Tidings {
  /** Hears nothing from then on. Harmless when called twice. */
  stop(): Promise<void>
}

/** How long after a failed attempt the next one is made, ms: twice as long each time, up to the second. */
const SOON = 500
const LATE = 30_000

const lines = new WeakMap<KeyStore, Line>()

/**
 * Listens for changes that other processes made, as long as it lasts. They are hints: whatever is heard, from whomever,
 * can only cause a record to be read again, and without them `maxLag` still holds.
 */
export function listen({ store, watch, forget, onFault, patience }: TidingsOptions): Tidings {
  const hearer: Hearer = { forget, onFault }
  const line = lines.get(store) ?? lineOver(watch)
  lines.set(store, line)
  line.join(hearer)
  return {
    async stop() {
      if (!line.leave(hearer)) return
      lines.delete(store)
      await inTime(line.hangUp().catch(onFault), patience)
    },
  }
}

/** A connection of the store's that listens: opened for the first who hears, and given up with the last. */
interface Line {
  join(hearer: Hearer): void
  /** Whether that was the last. */
  leave(hearer: Hearer): boolean
  hangUp(): Promise<void>
}

function lineOver(watch: Watch): Line {
  const hearers = new Set<Hearer>()
  let timer: NodeJS.Timeout | undefined
  let delay = SOON
  let end: (() => Promise<void>) | undefined
  /** Why nothing is heard, where the store itself is trying to mend that. */
  let lost: unknown
  return { join, leave: (hearer) => hearers.delete(hearer) && hearers.size === 0, hangUp }

  function join(hearer: Hearer): void {
    hearers.add(hearer)
    // Whoever comes between two attempts makes the next.
    if (hearers.size === 1 || timer !== undefined) void begin()
    else if (lost !== undefined) void Promise.resolve(lost).then(hearer.onFault)
  }

  async function begin(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    lost = undefined
    try {
      end = await watch(hear, fail)
    } catch (error) {
      fail(error)
      return retry()
    }
    // Whoever stopped meanwhile did not wait for this.
    if (hearers.size === 0) return hangUp().catch(() => {})
    delay = SOON
    // What happened until now was not heard.
    for (const { forget } of hearers) forget('*')
  }

  function hear(id: unknown): void {
    if (id === '*') lost = undefined
    if (typeof id === 'string') for (const { forget } of hearers) forget(id)
  }

  function fail(error: unknown): void {
    lost = error
    for (const { onFault } of hearers) onFault(error)
  }

  function retry(): void {
    if (hearers.size === 0) return
    timer = setTimeout(() => void begin(), delay)
    inBackground(timer)
    delay = Math.min(delay * 2, LATE)
  }

  async function hangUp(): Promise<void> {
    clearTimeout(timer)
    const last = end
    end = undefined
    await last?.()
  }
}
