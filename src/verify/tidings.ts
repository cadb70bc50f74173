import type { KeyStore } from '../model/store.ts'
import { inBackground, inTime } from '../model/timer.ts'

export interface TidingsOptions {
  readonly watch: NonNullable<KeyStore['watch']>
  /** What is remembered of a key, or of all (`'*'`), is forgotten. */
  readonly forget: (id: string | '*') => void
  readonly onFault: (error: unknown) => void
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

/**
 * Listens for changes that other processes made, as long as it lasts. They are hints: whatever is heard, from whomever,
 * can only cause a record to be read again, and without them `maxLag` still holds.
 */
export function listen({ watch, forget, onFault, patience }: TidingsOptions): Tidings {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let delay = SOON
  let end: (() => Promise<void>) | undefined
  void begin()
  return { stop }

  async function begin(): Promise<void> {
    try {
      end = await watch(hear, (error) => stopped || onFault(error))
    } catch (error) {
      onFault(error)
      return retry()
    }
    // Whoever stopped meanwhile did not wait for this.
    if (stopped) return hangUp()
    delay = SOON
    // What happened until now was not heard.
    forget('*')
  }

  function hear(id: unknown): void {
    if (typeof id === 'string' && !stopped) forget(id)
  }

  function retry(): void {
    if (stopped) return
    timer = setTimeout(() => void begin(), delay)
    inBackground(timer)
    delay = Math.min(delay * 2, LATE)
  }

  async function stop(): Promise<void> {
    stopped = true
    clearTimeout(timer)
    await hangUp()
  }

  function hangUp(): Promise<void> {
    const last = end
    end = undefined
    const over = async () => last?.()
    return inTime(over().catch(onFault), patience)
  }
}
