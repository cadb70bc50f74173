import type { Awaitable } from '../model/awaitable.ts'
import type { Moment } from '../model/clock.ts'
import type { StoredKey } from '../model/key.ts'
import { oldestOf } from '../model/oldest.ts'
import type { KeyStore } from '../model/store.ts'
import { inBackground } from '../model/timer.ts'
import type { Found } from './found.ts'

interface KnownKeysOptions {
  readonly store: Pick<KeyStore, 'find'>
  /** How old a remembered key may be, ms, and how many are remembered; `undefined` remembers none. */
  readonly cache: { readonly maxLag: number; readonly maxKeys: number } | undefined
  readonly moment: () => Moment
  /** How long a read of the store takes at most, ms. */
  readonly patience: number
  /** Makes of a record what is remembered, or `undefined` of a damaged one. `last` is what was remembered before. */
  readonly look: (id: string, stored: StoredKey, last: Found | undefined) => Found | undefined
  /** Whether something else proves that a remembered key is current, however old it is. */
  readonly provenElsewhere: (found: Found) => boolean
  /** Told of every change that is heard of. */
  readonly onForget?: ((id: string | '*') => void) | undefined
}

/** The store, with what is remembered of it in this process. */
export interface KnownKeys {
  /**
   * What is remembered and young enough to be used. Never waits, never asks the store.
   * @param last what was found of this id before: where that is still what is remembered, it is not looked up
   */
  recall(id: string, now: Moment, last: Found | undefined): Found | undefined
  /** Whether this is what is remembered of its id, and the store was asked for it no longer than `maxLag` ago. */
  isYoung(found: Found, now: Moment): boolean
  /**
   * Asks the store; callers who ask for one id at once share one read. Unknown ids are never remembered.
   * @param since no later than now: what is found is as old
   */
  read(id: string, since?: Moment): Awaitable<Found | undefined>
  /**
   * What the store gave on another occasion, for this one request. It is not remembered, nor is what was: a change may
   * have been made since the store was asked.
   */
  once(id: string, stored: StoredKey | undefined): Found | undefined
  /** A change is durable: what was read before it is forgotten, and what is being read will not be kept. */
  forget(id: string | '*'): void
}

/** A read under way, and since when. */
interface Flight extends Moment {
  readonly landing: Promise<Found | undefined>
  readonly keep: { value: boolean }
}

/** Remembers keys that exist, by the rules of API.md section 8: nothing older than `maxLag` is used, by either clock. */
export function knownKeys(options: KnownKeysOptions): KnownKeys {
  const { store, cache, moment, patience, look, provenElsewhere, onForget } = options
  const remembered = new Map<string, Found>()
  const flights = new Map<string, Flight>()

  function recall(id: string, now: Moment, last: Found | undefined): Found | undefined {
    const found = last?.asked === undefined ? remembered.get(id) : last
    if (found === undefined) return undefined
    return provenElsewhere(found) || isYoung(found, now) ? found : undefined
  }

  function isYoung({ asked }: Found, now: Moment): boolean {
    return asked !== undefined && cache !== undefined && isWithin(cache.maxLag, asked, now)
  }

  function read(id: string, since = moment()): Awaitable<Found | undefined> {
    const flight = flights.get(id)
    if (flight !== undefined && cache !== undefined && isWithin(cache.maxLag, flight, since)) return board(id, flight)
    const stored = store.find(id)
    return stored instanceof Promise ? takeOff(id, stored, since) : land(id, stored, since)
  }

  /** With `cache: false` nobody shares a read either: it may have begun before a change that the second caller knows of. */
  function takeOff(id: string, asked: Promise<StoredKey | undefined>, since: Moment): Promise<Found | undefined> {
    const keep = { value: true }
    const landing = asked
      .then((stored) => (keep.value ? land(id, stored, since) : make(id, stored)))
      .finally(() => {
        if (flights.get(id)?.landing === landing) flights.delete(id)
      })
    if (cache !== undefined) {
      // One that is too old to be shared is not forgotten with this one: it must not land after a change.
      for (const [flying, older] of entryOf(flights, id)) cancel(flying, older)
      flights.set(id, { landing, keep, wall: since.wall, steady: since.steady })
    }
    return landing
  }

  /** On Workers a read ends with the request that began it, and is never heard of again: who shares it has a timer of its own. */
  function board(id: string, flight: Flight): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        if (flights.get(id) === flight) cancel(id, flight)
        // A store that throws at once rejects.
        resolve((async () => read(id))())
      }
      const timer = inBackground(setTimeout(leave, patience))
      const arrived = () => clearTimeout(timer)
      void flight.landing.then(resolve, reject).then(arrived)
    })
  }

  function cancel(id: string, { keep }: Flight): void {
    keep.value = false
    flights.delete(id)
  }

  function land(id: string, stored: StoredKey | undefined, since: Moment): Found | undefined {
    const found = make(id, stored)
    const isLate = found === undefined || cache === undefined || !isWithin(cache.maxLag, since, moment())
    if (isLate || found.asked === undefined) drop(id)
    if (isLate) return found
    if (found.asked === undefined) {
      if (remembered.size >= cache.maxKeys) for (const old of oldestOf(remembered)) drop(old)
      remembered.set(id, found)
    }
    found.asked = since
    return found
  }

  function make(id: string, stored: StoredKey | undefined): Found | undefined {
    return stored === undefined ? undefined : look(id, stored, remembered.get(id))
  }

  function drop(id: string): void {
    const found = remembered.get(id)
    if (found === undefined) return
    found.asked = undefined
    remembered.delete(id)
  }

  function forget(id: string | '*'): void {
    for (const [flying, flight] of id === '*' ? flights : entryOf(flights, id)) cancel(flying, flight)
    for (const known of id === '*' ? remembered.keys() : [id]) drop(known)
    onForget?.(id)
  }

  function once(id: string, stored: StoredKey | undefined): Found | undefined {
    drop(id)
    return make(id, stored)
  }

  return { recall, isYoung, read, once, forget }
}

/** By the larger of the two differences: a clock that was set back, or a machine that slept, makes nothing younger. */
export function age(entry: Moment, now: Moment): number {
  return Math.max(now.wall - entry.wall, now.steady - entry.steady)
}

/** Where there is but one clock, and that ran back, nobody knows how old anything is: then it is too old. */
export function isWithin(ms: number, entry: Moment, now: Moment): boolean {
  const passed = age(entry, now)
  return passed >= 0 && passed <= ms
}

function entryOf<T>(map: ReadonlyMap<string, T>, id: string): readonly (readonly [string, T])[] {
  const value = map.get(id)
  return value === undefined ? [] : [[id, value]]
}
