import type { Awaitable } from '../model/awaitable.ts'
import type { Moment } from '../model/clock.ts'
import type { StoredKey } from '../model/key.ts'
import type { KeyStore } from '../model/store.ts'

export interface KnownKeysOptions<Known> {
  readonly store: Pick<KeyStore, 'find'>
  /** How old a remembered key may be, ms, and how many are remembered; `undefined` remembers none. */
  readonly cache: { readonly maxLag: number; readonly maxKeys: number } | undefined
  readonly moment: () => Moment
  /** Makes of a record what is remembered, or `undefined` of a damaged one. `last` is what was remembered before. */
  readonly build: (id: string, found: StoredKey, last: Known | undefined) => Known | undefined
  /** Whether something else proves that a remembered key is current, however old it is. */
  readonly provenElsewhere: (known: Known) => boolean
  /** Told of every change that is heard of. */
  readonly onForget?: ((id: string | '*') => void) | undefined
}

/** The store, with what is remembered of it in this process. */
export interface KnownKeys<Known> {
  /** What is remembered and young enough to be used. Never waits, never asks the store. */
  recall(id: string, now: Moment): Known | undefined
  /** Whether this is what is remembered of it, and the store was asked for it no longer than `maxLag` ago. */
  isYoung(id: string, known: Known, now: Moment): boolean
  /** Asks the store; callers who ask for one id at once share one read. Unknown ids are never remembered. */
  read(id: string): Awaitable<Known | undefined>
  /**
   * What the store gave on another occasion, for this one request. It is not remembered, nor is what was: a change may
   * have been made since the store was asked.
   */
  once(id: string, found: StoredKey | undefined): Known | undefined
  /** A change is durable: what was read before it is forgotten, and what is being read will not be kept. */
  forget(id: string | '*'): void
}

interface Entry<Known> extends Moment {
  readonly known: Known
}

/** A read under way, and since when. */
interface Flight<Known> extends Moment {
  readonly landing: Promise<Known | undefined>
  readonly keep: { value: boolean }
}

/** Remembers keys that exist, by the rules of API.md section 8: nothing older than `maxLag` is used, by either clock. */
export function knownKeys<Known>(options: KnownKeysOptions<Known>): KnownKeys<Known> {
  const { store, cache, moment, build, provenElsewhere, onForget } = options
  const entries = new Map<string, Entry<Known>>()
  const flights = new Map<string, Flight<Known>>()

  function recall(id: string, now: Moment): Known | undefined {
    const entry = entries.get(id)
    if (entry === undefined || cache === undefined) return undefined
    return provenElsewhere(entry.known) || age(entry, now) <= cache.maxLag ? entry.known : undefined
  }

  function isYoung(id: string, known: Known, now: Moment): boolean {
    const entry = entries.get(id)
    return entry?.known === known && cache !== undefined && age(entry, now) <= cache.maxLag
  }

  function read(id: string): Awaitable<Known | undefined> {
    const since = moment()
    const flight = flights.get(id)
    if (flight !== undefined && cache !== undefined && age(flight, since) <= cache.maxLag) return flight.landing
    const found = store.find(id)
    return found instanceof Promise ? takeOff(id, found, since) : land(id, found, since)
  }

  /** With `cache: false` nobody shares a read either: it may have begun before a change that the second caller knows of. */
  function takeOff(id: string, found: Promise<StoredKey | undefined>, since: Moment): Promise<Known | undefined> {
    const keep = { value: true }
    const landing = found
      .then((stored) => (keep.value ? land(id, stored, since) : make(id, stored)))
      .finally(() => {
        if (flights.get(id)?.landing === landing) flights.delete(id)
      })
    if (cache !== undefined) flights.set(id, { landing, keep, wall: since.wall, steady: since.steady })
    return landing
  }

  function land(id: string, stored: StoredKey | undefined, since: Moment): Known | undefined {
    const known = make(id, stored)
    entries.delete(id)
    if (known === undefined || cache === undefined || age(since, moment()) > cache.maxLag) return known
    if (entries.size >= cache.maxKeys) entries.delete(entries.keys().next().value as string)
    entries.set(id, { known, wall: since.wall, steady: since.steady })
    return known
  }

  function make(id: string, stored: StoredKey | undefined): Known | undefined {
    return stored === undefined ? undefined : build(id, stored, entries.get(id)?.known)
  }

  function forget(id: string | '*'): void {
    for (const [flying, { keep }] of id === '*' ? flights : entryOf(flights, id)) {
      keep.value = false
      flights.delete(flying)
    }
    if (id === '*') entries.clear()
    else entries.delete(id)
    onForget?.(id)
  }

  function once(id: string, found: StoredKey | undefined): Known | undefined {
    entries.delete(id)
    return make(id, found)
  }

  return { recall, isYoung, read, once, forget }
}

/** By the larger of the two differences: a clock that was set back, or a machine that slept, makes nothing younger. */
export function age(entry: Moment, now: Moment): number {
  return Math.max(now.wall - entry.wall, now.steady - entry.steady)
}

function entryOf<T>(map: ReadonlyMap<string, T>, id: string): readonly (readonly [string, T])[] {
  const value = map.get(id)
  return value === undefined ? [] : [[id, value]]
}
