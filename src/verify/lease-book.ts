import type { Moment } from '../model/clock.ts'
import type { KeyStore, LeaseSpend, MeterReading } from '../model/store.ts'
import { inBackground } from '../model/timer.ts'
import { warnOnce } from '../model/warn.ts'
import { age } from './known-keys.ts'
import type { Time } from './time.ts'

/** What this process took of one key at once. */
export interface HeldLease {
  readonly id: string
  /** The key, and the version that was current when it was taken. */
  readonly key: string
  readonly version: number
  /** From before it was asked for; what is left may be used for `lasts` ms from then on. */
  readonly since: Moment
  readonly lasts: number
  /** How many uses it was, and how many are left. */
  readonly size: number
  left: number
  /** What the windows read when it was taken, and when that was by their clock. */
  readonly readings: readonly MeterReading[]
  readonly at: number
}

interface LeaseBookOptions {
  readonly lease: NonNullable<KeyStore['lease']>
  /** How many uses of a key are taken at once, at most. */
  readonly most: number
  /** How long a lease may last at most, ms: none may outlive what is promised of changes. */
  readonly maxLag: number
  readonly look: () => Time
  readonly onFault: (error: unknown) => void
}

/** The leases of this process: sees to it that each ends, and that what is left of it is given back, once. */
export interface LeaseBook extends Pick<LeaseBookOptions, 'lease' | 'most' | 'maxLag'> {
  /** Nothing more is to be leased. */
  readonly isClosed: boolean
  open(lease: HeldLease): void
  /** Ends a lease, and gives what the store is to be told of it; `undefined` where it has ended already. */
  end(lease: HeldLease): LeaseSpend['ended']
  /** A key may have changed: its leases end. */
  forget(id: string | '*'): void
  /** Something that may open a lease yet: `close` waits for it. */
  await(flight: Promise<unknown>): void
  /** Ends all leases, and resolves when the store has been told. */
  close(): Promise<void>
}

/** The book of an instance; `undefined` where nothing is leased. */
export function leaseBookOf(
  {
    lease: most,
    cache,
  }: { readonly lease: number | undefined; readonly cache: { readonly maxLag: number } | undefined },
  { lease }: Pick<KeyStore, 'lease'>,
  look: () => Time,
  onFault: (error: unknown) => void,
): LeaseBook | undefined {
  if (most === undefined || cache === undefined) return undefined
  if (lease !== undefined) return createLeaseBook({ lease, most, maxLag: cache.maxLag, look, onFault })
  warnOnce('KEYWARD_NO_LEASES', 'The store has no lease(): limits.lease changes nothing, every use is taken singly.')
  return undefined
}

/** Whether a lease may be used. Where there is but one clock, and that ran back, nobody knows. */
export function isOpen({ since, lasts }: HeldLease, now: Moment): boolean {
  const passed = age(since, now)
  return passed >= 0 && passed < lasts
}

/** Leases are looked at no more often than this, ms. */
const PAUSE = 10

function createLeaseBook({ lease, most, maxLag, look, onFault }: LeaseBookOptions): LeaseBook {
  const leases = new Set<HeldLease>()
  const pending = new Set<Promise<unknown>>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false
  return {
    lease,
    most,
    maxLag,
    get isClosed() {
      return isClosed
    },
    open(held) {
      leases.add(held)
      if (isClosed) giveBack(held)
      else timer ??= wake(held.lasts)
    },
    end,
    forget(id) {
      for (const held of leases) if (id === '*' || held.key === id) giveBack(held)
    },
    await: waitFor,
    async close() {
      isClosed = true
      clearTimeout(timer)
      for (const held of leases) giveBack(held)
      while (pending.size > 0) await Promise.allSettled(pending)
    },
  }

  function end(held: HeldLease): LeaseSpend['ended'] {
    if (!leases.delete(held)) return undefined
    const unused = held.left
    held.left = 0
    return { id: held.id, unused }
  }

  /** What was used up needs no word: it counts as used until its lease is over, and from the next lease on as what it was. */
  function giveBack(held: HeldLease): void {
    const ended = end(held)
    if (ended === undefined || ended.unused === 0) return
    const spend = { windows: [], cost: 0, ended }
    // Nobody asks twice: if it did not arrive, what is left runs out with its lease.
    waitFor((async () => lease(held.key, held.version, spend, look().steady))().catch(onFault))
  }

  function waitFor(work: Promise<unknown>): void {
    pending.add(work)
    const done = () => pending.delete(work)
    void work.then(done, done)
  }

  function wake(ms: number): ReturnType<typeof setTimeout> {
    return inBackground(setTimeout(endThoseThatAreOver, Math.max(PAUSE, ms)))
  }

  function endThoseThatAreOver(): void {
    const now = look()
    let soonest = Number.POSITIVE_INFINITY
    for (const held of leases) {
      if (isOpen(held, now)) soonest = Math.min(soonest, held.lasts - age(held.since, now))
      else giveBack(held)
    }
    timer = leases.size === 0 ? undefined : wake(soonest)
  }
}
