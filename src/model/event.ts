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

/** A key was changed by a verb; `actor` is whom the caller named as its author. */
export interface ChangeEvent extends Happened {
  readonly type: ChangeType
  readonly id: string
  readonly actor?: string
  readonly before?: KeyRecord
  readonly after?: KeyRecord
}

/** `revokeAll` revoked every key of an owner or resource. */
export interface BulkRevokedEvent extends Happened {
  readonly type: 'revoked'
  readonly id?: never
  readonly resource?: string
  readonly count: number
  readonly actor?: string
}

export interface AdmittedEvent extends Happened {
  readonly type: 'admitted'
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
export interface CreditEvent extends Happened {
  readonly type: 'credited' | 'settled'
  readonly amount: number
  readonly balance: number
  readonly actor?: string
}

/** Something failed that no client can mend: the store, a damaged record, a listener. */
export interface FaultEvent extends Happened {
  readonly type: 'fault'
  /** What was being done: `find`, `take`, `touch`, `hash`, `record`. */
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
