import type { Awaitable } from './awaitable.ts'
import type { StoredKey } from './key.ts'
import type { Window } from './limits.ts'
import type { Note, NotesKept, NotesPage, NotesQuery } from './note.ts'

export type { Note, NotesKept, NotesPage, NotesQuery } from './note.ts'

/** What is kept beside a key when it is used. */
export interface UseMark {
  readonly id: string
  /** The latest use, ms. */
  readonly at: number
  /** Uses since the last mark. */
  readonly uses: number
}

/** Which keys. Every field that is there must match exactly, byte for byte. */
export interface Filter {
  /** Keys of these prefixes only; never empty. */
  readonly prefixes: readonly string[]
  readonly owner?: string
  readonly resource?: string
}

export interface ListQuery extends Filter {
  /** The stored status: `expired` is not stored, Keyward derives it. */
  readonly status?: StoredKey['status']
  readonly limit: number
  /** As an earlier page gave it. */
  readonly cursor?: string
}

export interface ListPage {
  readonly items: readonly StoredKey[]
  /** Ids of records that stand here and cannot be read: they must not hide those that can. Absent where all can be. */
  readonly damaged?: readonly string[]
  /** Where the next page begins; absent on the last. A page may be short while it is present. */
  readonly cursor?: string | undefined
}

/** A balance, and how it stands where nothing is kept of it yet. */
export interface CreditAccount {
  /** Accounts of a key are its id, a colon and more, and end with it; those of owners begin with a colon. */
  readonly account: string
  /** What it begins with, and when (ms). */
  readonly opening: { readonly amount: number; readonly at: number }
  /** Due: if it was opened or last refilled before `due`, the balance, with what is held of it, becomes `to`. */
  readonly refill?: { readonly to: number; readonly due: number }
}

/** Credit that one request takes or holds. */
export interface CreditSpend extends CreditAccount {
  /** A whole number ≥ 0. Never takes a balance below zero. */
  readonly amount: number
  /** Holds the amount under this id in place of spending it; at `until` (ms) what is still held is free again. */
  readonly hold?: { readonly id: string; readonly until: number }
}

/**
 * A movement of credit outside of a request. `add` gives; with `once`, the same again, until `until`, gives nothing more
 * and answers what was given then. `settle` ends a hold and charges `amount`, at most what was
 * held and what is free; the same again, until `until`, charges nothing and answers as before; of a hold that is gone
 * already, what is free is charged. `release` ends a hold and charges nothing. None of them: the balance is read.
 */
export type CreditMove = CreditAccount &
  (
    | {
        readonly add: number
        readonly once?: { readonly id: string; readonly until: number }
        readonly settle?: never
        readonly release?: never
      }
    | {
        readonly settle: { readonly id: string; readonly amount: number; readonly until: number }
        readonly add?: never
        readonly release?: never
      }
    | { readonly release: string; readonly add?: never; readonly settle?: never }
    | { readonly add?: never; readonly settle?: never; readonly release?: never }
  )

export interface Moved {
  /** What is free afterwards. */
  readonly balance: number
  /** With `settle`. */
  readonly charged?: number
  /** With `once`: what it gave, now or before. */
  readonly added?: number
}

/** A window to take from. `cost` is its own, in place of the common one. */
export interface SpendWindow extends Window {
  readonly cost?: number
}

/** What one request takes: `cost` from every window and the credit beside, all or nothing. */
export interface Spend {
  readonly windows: readonly SpendWindow[]
  /** A whole number ≥ 0, for every window that has no `cost` of its own. From a window with 0 nothing is taken; it is only read. */
  readonly cost: number
  readonly credits?: CreditSpend | undefined
}

/** Uses that one process takes at once, and makes one by one without asking again. */
export interface Lease {
  /** Never used before: 1 to 32 letters, digits, `-` and `_`. */
  readonly id: string
  /** Until when they may be made, ms from the decision on; at most as long as each of the windows. */
  readonly ms: number
}

/** What is leased: `cost` from every window, or from none. */
export interface LeaseSpend {
  readonly windows: readonly Window[]
  /** A whole number ≥ 0. */
  readonly cost: number
  /** There whenever there is a cost. */
  readonly lease?: Lease
  /** An earlier lease of the key that is over, and how many of its uses were never made. */
  readonly ended?: { readonly id: string; readonly unused: number }
}

/** A window after a `take`. */
export interface MeterReading {
  readonly name: string
  readonly limit: number
  readonly remaining: number
  /** When one more than `remaining` would be free, ms by the store's clock; `now` when the window is untouched. */
  readonly resetsAt: number
}

/**
 * What `take` did: everything (`ok`) or nothing; `readings` in the order of the windows. `retryAt` (ms) is when
 * the whole cost would fit; absent when it never will. `at` is the store's own time of the decision, where it has
 * a clock. `stale`: the version was not current; here is what is, nothing was taken.
 */
export type Taken =
  | {
      readonly ok: boolean
      readonly readings: readonly MeterReading[]
      readonly retryAt?: number
      /** With credits: what is free afterwards. */
      readonly balance?: number
      readonly at?: number
      readonly stale?: never
    }
  | { readonly stale: StoredKey | undefined; readonly ok?: never }

/**
 * The storage contract. The first five verbs make a store; Keyward decides everything else (merging, terminal
 * revocation, retries). Each promise below is a check in `storeChecks` of `keyward/testing`. A store that lives in
 * the process may answer without a promise; any rejection or time-out makes a request `unavailable`, and a record
 * that makes no sense is `invalid_key`.
 */
export interface KeyStore {
  /** The key, or `undefined`. Reads where writes are acknowledged, never a replica that may lag. */
  find(id: string): Awaitable<StoredKey | undefined>

  /** Adds a key. Throws an error with `code: 'CONFLICT'` when the id or the `uniqueName` is taken, and then changes nothing. */
  insert(key: StoredKey): Awaitable<void>

  /**
   * One conditional write of `key` as it is (its `version` is the next one). `false` when the key is gone or its
   * version is not `ifVersion`; throws `CONFLICT` when the `uniqueName` is another's. Use marks stay as they are.
   */
  replace(key: StoredKey, ifVersion: number): Awaitable<boolean>

  /** Forgets the key with all that lies beside it and frees its name; `false` when there was none. */
  remove(id: string): Awaitable<boolean>

  /** By `createdAt`, then `id`, descending. Every key that is there from the first page to the last appears exactly once. */
  list(query: ListQuery): Awaitable<ListPage>

  /**
   * Adds uses and moves the last use forward, never back; beside the record, never under its version; nothing when the key
   * is gone. Never asked while it has not ended, for up to a minute. What it rejects is brought again, but not where it was
   * late, or says `outcome: 'unknown'`: then it may have been written.
   */
  touch?(marks: readonly UseMark[]): Awaitable<void>

  /**
   * Takes from all windows and the credit, or from none, atomically across every process, and only at this version.
   * A window of a key is known by name and length; its limit may differ from one take to the next.
   * `now` (ms) counts where the store has no clock of its own. Where it has one, `until` of a hold is as far from that as
   * it is from `now`: the clocks may be apart.
   */
  take?(id: string, version: number, spend: Spend, now: number): Awaitable<Taken>

  /**
   * Takes as `take` does, but uses that will be made later, one by one, until the lease is over (the store's clock): each
   * counts at once, and as if it were made at that last moment. Until then `ended` ends it: what was used counts as used
   * now, what was not is free again, and its id is forgotten. That happens before anything is decided, whatever is then
   * decided, and at any version; a lease that is unknown, over or ended already is left alone, so that the same command
   * twice gives nothing back twice. Of more than 16 leases at once in one window those that are over first may lose
   * their ids: nobody can end them then, they run out.
   */
  lease?(id: string, version: number, spend: LeaseSpend, now: number): Awaitable<Taken>

  /**
   * Moves credit, atomically across every process; `now` and `until` as `take` has them. Of the balance of a key that was
   * removed nothing is kept: a request may end later. A store has it if it has `take`, or its keys have no credits.
   */
  move?(credit: CreditMove, now: number): Awaitable<Moved>

  /** Revokes every key that matches and is not revoked yet, each under a new version; answers how many. */
  revokeWhere?(filter: Filter, at: number, reason?: string): Awaitable<number>

  /**
   * Keeps notes; the same again is kept once, so that it can be tried again. Forgets what need not be kept: of these
   * owners at once. Notes outlive their keys.
   */
  note?(notes: readonly Note[], keep: NotesKept): Awaitable<void>

  /** By `at`, then `id`, descending. A store has both, or neither. */
  notes?(query: NotesQuery): Awaitable<NotesPage>

  /**
   * Tells of durable changes by any process: an id, or `'*'` for "anything", which it also says at every (re)connection.
   * Hints only. `onFault` is told once each time that the line is lost; until it stands again, nothing is heard.
   */
  watch?(onChange: (id: string | '*') => void, onFault?: (error: unknown) => void): Promise<() => Promise<void>>

  /** Gives up what it holds; harmless when called twice. */
  close?(): Awaitable<void>
}
