import { randomBytes } from 'node:crypto'
import type { Awaitable } from '../model/awaitable.ts'
import type { KeyStore } from '../model/store.ts'
import { within } from '../model/timer.ts'

/** Whether a store is worth asking: one that is dead is not waited for by every request. */
interface Breaker {
  /** Nothing answers: a call needs leave to be made. Read before every call, so it is no more than a member. */
  isOpen: boolean
  /** Faults since the last answer. */
  faults: number
  /** What the last call that was too late failed with in the end; empty where none did since the last answer. */
  reason: string
  /** Whether a call may be made all the same, to see whether the store is back: one at a time. */
  mayProbe(): boolean
  /** Something answered, however late and whatever: the store lives. */
  answered(): void
  /** A call threw, or was too late. @param patience how long it was waited for, ms */
  failed(patience: number, wasProbe: boolean): void
}

/** So many faults in a row are a suspicion, which the store may then refute. */
const SUSPICIOUS = 5
/** From one probe to the next, ms, and how long one may keep the next from being made: service is back within a second. */
const PAUSE = 200
const LONGEST_PROBE = 500
/** One id may lie where nothing answers while others do: on a node of a Cluster that is down, in a row that is locked. */
const SAMPLE = 3

const breakers = new WeakMap<object, Breaker>()

/** The breaker of this store, which all instances over it share. */
export function breakerOf(store: Pick<KeyStore, 'find'>): Breaker {
  const known = breakers.get(store)
  if (known !== undefined) return known
  const breaker = createBreaker(() => store.find(randomBytes(6).toString('hex')))
  breakers.set(store, breaker)
  return breaker
}

/**
 * Opens when calls fail one after another and the store does not answer a question that harms nobody either: a single
 * key that makes trouble cuts nobody else off. Any answer closes it.
 *
 * @param ask asks the store something that it has to answer while it lives
 */
export function createBreaker(ask: () => Awaitable<unknown>, now = () => performance.now()): Breaker {
  let probedAt = 0
  let isProbing = false
  let isSuspected = false
  const breaker: Breaker = { isOpen: false, faults: 0, reason: '', mayProbe, answered, failed }
  return breaker

  function mayProbe(): boolean {
    if (now() - probedAt < (isProbing ? LONGEST_PROBE : PAUSE)) return false
    isProbing = true
    probedAt = now()
    // The call itself may be one that fails for reasons of its own.
    void askAnything().then(answered, () => {})
    return true
  }

  function answered(): void {
    breaker.faults = 0
    breaker.reason = ''
    breaker.isOpen = false
    isProbing = false
  }

  function failed(patience: number, wasProbe: boolean): void {
    if (wasProbe) isProbing = false
    if (breaker.isOpen || ++breaker.faults < SUSPICIOUS || isSuspected) return
    isSuspected = true
    void isDead(patience).then((dead) => {
      isSuspected = false
      if (dead) open()
    })
  }

  function open(): void {
    // It may have answered somebody else in the meantime.
    if (breaker.faults < SUSPICIOUS) return
    breaker.isOpen = true
    probedAt = now()
  }

  function isDead(patience: number): Promise<boolean> {
    return within(askAnything().then(answered), patience, () => new Error('too late')).then(
      () => false,
      () => true,
    )
  }

  async function askAnything(): Promise<void> {
    await Promise.any(Array.from({ length: SAMPLE }, async () => ask()))
  }
}
