import type { Window } from '../model/limits.ts'
import type { LeaseSpend } from '../model/store.ts'
import type { Metered } from './bill.ts'
import type { HeldLease } from './lease-book.ts'

/** How long a lease may be, ms, and which part of the shortest window: as long may what is used up be counted too late. */
const LONGEST = 1_000
const PART = 10
/** What a lease may be used for, of its length: what is left then has the rest of it to reach the store. */
const USABLE = 3 / 4
/** Shorter ones are not worth a lease, ms. */
const SHORTEST = 20
/** Fewer uses than this in the time of a lease are taken one by one. */
const FEW = 8
/** One process takes at most this part of what remains, so that the others find some and little is late at the end. */
const SHARE = 4

/** How hot a key is in this process, and what was taken of it at once. */
export interface Heat {
  /** How long its leases are by the store, ms, and how much of that they may be used: the rest is for giving back. */
  readonly ms: number
  readonly lasts: number
  /** When the present stretch of so many ms began (steady), what was used in it, and in the one before. */
  since: number
  used: number
  before: number
  /** What remained in the fullest window when the store was last asked. */
  room: number
  lease: HeldLease | undefined
  /** The one that follows, and for which it was asked. */
  next: HeldLease | undefined
  followed: HeldLease | undefined
  /** The one before, of whose end the store is told with the next that is asked for. */
  over: LeaseSpend['ended']
  /** While a lease is being asked for: who waits to be told what came of it. */
  waiting: ((outcome: Metered) => void)[] | undefined
  /** The record has changed: nothing more is leased under this version. */
  isStale: boolean
}

/** Of a key that was not used lately. */
export function newHeat(windows: readonly Window[], maxLag: number): Heat {
  const shortest = windows.reduce((least, { ms }) => Math.min(least, ms), Number.POSITIVE_INFINITY)
  const room = windows.reduce((least, { limit }) => Math.min(least, limit), Number.POSITIVE_INFINITY)
  const ms = Math.floor(Math.min(LONGEST, shortest / PART, maxLag))
  const lasts = Math.floor(ms * USABLE)
  return {
    ms,
    lasts,
    since: 0,
    used: 0,
    before: 0,
    room,
    lease: undefined,
    next: undefined,
    followed: undefined,
    over: undefined,
    waiting: undefined,
    isStale: ms < SHORTEST,
  }
}

/** Notes a use. */
export function warm(heat: Heat, cost: number, now: number): void {
  const passed = now - heat.since
  if (passed < 0 || passed >= heat.ms) {
    heat.before = passed < 2 * heat.ms ? heat.used : 0
    heat.used = 0
    heat.since = now
  }
  heat.used += cost
}

/** As much as was used lately, as far as that is fair; 0 where it is better taken singly. */
export function sizeFor({ used, before, room, isStale }: Heat, cost: number, most: number): number {
  if (isStale) return 0
  const size = Math.min(most, Math.max(used, before), Math.floor(room / SHARE))
  return size < Math.min(FEW, most) || size < 2 * cost ? 0 : size
}
