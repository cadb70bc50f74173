import type { KeyRecord } from './key.ts'
import type { DenialCode } from './verdict.ts'

/** What happened to a key, in the past tense. */
export type ChangeType = 'created' | 'updated' | 'disabled' | 'enabled' | 'rotated' | 'revoked' | 'removed'

interface Happened {
  /** When, ISO 8601. */
  readonly at: string
  readonly id?: string
  readonly owner?: string
}

/** Who did it and from where, as the caller of a verb named them. */
interface Done extends Happened {
  readonly actor?: string
  readonly address?: string
}

/** A key was changed by a verb. In the records, text that looks like a key is struck out, wherever somebody wrote it. */
export interface ChangeEvent extends Done {
  readonly type: ChangeType
  /** The id of the key. */
  readonly id: string
  /** The record before the change; absent for `created`. */
  readonly before?: KeyRecord
  /** The record after it; absent for `removed`. */
  readonly after?: KeyRecord
}

/** The store did not say whether what was asked of it was done. Whoever asks again is told of that, too. */
interface MaybeDone extends Done {
  /** There where it may or may not have been done: look at what the event is of. */
  readonly outcome?: 'unknown'
}

/** `revokeAll` revoked every key of an owner or resource. */
export interface BulkRevokedEvent extends MaybeDone {
  readonly type: 'revoked'
  readonly id?: never
  readonly resource?: string
  /** With `outcome: 'unknown'` those that are known to be revoked: there may be more. */
  readonly count: number
}

export interface AdmittedEvent extends Happened {
  readonly type: 'admitted'
  /** The store failed, and the windows of the request were not counted (`limits.onFault`). */
  readonly unmetered?: true
  /** The overlap of a rotation (ms), when the secret used is the replaced one. */
  readonly overlap?: { readonly since: number; readonly until: number }
  /** The client's address, where it is known. */
  readonly address?: string
}

export interface DeniedEvent extends Happened {
  readonly type: 'denied'
  /** The truth, whatever `reveal` tells the client. `id` and `owner` are there once the secret was proved. */
  readonly code: DenialCode
  readonly address?: string
}

/** Credit was given by the `credit` verb, or a hold was settled. */
export interface CreditEvent extends MaybeDone {
  readonly type: 'credited' | 'settled'
  /** What was charged or given; with `outcome: 'unknown'` (of `credited`) what was to be given. */
  readonly amount: number
  /** What was free afterwards; absent with `outcome: 'unknown'`. */
  readonly balance?: number
}

/** Something failed that no client can mend: the store, a damaged record, the host's gate. `id` and `owner` where known. */
export interface FaultEvent extends Happened {
  readonly type: 'fault'
  /**
   * What was being done: `find` `take` `lease` `settle` `touch` `watch`, `record` `hash` `upgrade`, `gate`, or the verb
   * of management that failed on the store (`create` `get` `list` `usage` `update` `disable` `enable` `rotate` `revoke`
   * `revokeAll` `remove` `credit` `balance`).
   */
  readonly code: string
  readonly message: string
}

/** Everything that Keyward tells a listener; a secret is never part of it. */
export type KeyEvent = ChangeEvent | BulkRevokedEvent | CreditEvent | AdmittedEvent | DeniedEvent | FaultEvent

/** Where events go. They are built only when someone listens. */
export interface Announcer {
  wants(type: KeyEvent['type']): boolean
  /** As `wants`, for one type: asked for once, where the question is put with every request. */
  asker(type: KeyEvent['type']): () => boolean
  tell(event: KeyEvent): void
}
