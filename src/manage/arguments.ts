import type { Duration } from '../model/duration.ts'
import type { KeyRecord, MetadataInput, Refill, Status } from '../model/key.ts'
import type { Limits } from '../model/limits.ts'

/** Prepaid credit as it is given: whole numbers. */
export interface CreditsInput {
  readonly remaining: number
  readonly refill?: Refill | undefined
}

/** What a new key is to be. A wrong field is an `INPUT` error that names it, the rule and the value. */
export interface CreateInput<Scope extends string = string> {
  /** Whom the key acts for, in the host's own terms. */
  readonly owner: string
  /** 1 to 100 characters. */
  readonly name?: string | undefined
  readonly description?: string | undefined
  /** The one resource that the key works for, such as `'agent:42'`. */
  readonly resource?: string | undefined
  /** Absent or empty, they grant nothing; where the instance declares scopes, one at least is needed. */
  readonly scopes?: readonly Scope[] | undefined
  /** Merged with the instance's defaults by window name. */
  readonly limits?: Limits | undefined
  /** Addresses and CIDR blocks, host bits clear; absent allows any. */
  readonly allowedIps?: readonly string[] | undefined
  /** In the future: a Date, or ISO 8601 with a zone. */
  readonly expiresAt?: Date | string | undefined
  /** Which prefix to use; required where the instance has environments. */
  readonly environment?: string | undefined
  /** Prepaid credit of its own: what it begins with, and when it is filled up again. */
  readonly credits?: CreditsInput | undefined
  /** A JSON object of at most 16 KiB and five levels. Members that are `undefined` are left out. */
  readonly metadata?: MetadataInput | undefined
}

/** What is to change. `null` clears a field, `undefined` leaves it; windows merge into the key's own. */
export interface UpdatePatch<Scope extends string = string> {
  readonly name?: string | null | undefined
  readonly description?: string | null | undefined
  readonly scopes?: readonly Scope[] | null | undefined
  readonly limits?: Limits | null | undefined
  readonly allowedIps?: readonly string[] | null | undefined
  readonly expiresAt?: Date | string | null | undefined
  /** Begins a new balance in place of the old one. */
  readonly credits?: CreditsInput | null | undefined
  readonly metadata?: MetadataInput | null | undefined
  /** Ends the overlap of a rotation (`null`), or moves its end. */
  readonly previousSecretUntil?: Date | string | null | undefined
}

interface Who {
  /** Who asks: goes into events, nothing is decided by it. */
  readonly actor?: string | undefined
  /** As `actor`: from where they ask. */
  readonly address?: string | undefined
}

/**
 * Whose key it must be, and who asks. A key that does not meet the conditions is as unknown as a made-up id. A condition
 * that is there and `undefined` is `INPUT`.
 */
export interface By extends Who {
  readonly owner?: string
  readonly resource?: string
}

/** What whoever asks may hand out. */
export interface Granting {
  /**
   * The scopes that they may give to a key, as a key holds them: `'contacts:*'` and `'*'` cover what they say. A new key
   * with others, one that `update` adds, and of a key that has others a new secret (`rotate`) or more time for the one that
   * was replaced (`previousSecretUntil`) are refused (`INPUT`). To keep, narrow or take away what a key has is always allowed.
   * @default all
   */
  readonly grants?: readonly string[]
}

export interface CreateBy extends By, Granting {
  /**
   * Makes one key however often it is asked for, by any process: 1 to 255 visible ASCII characters, for this owner. The
   * second time is a `CONFLICT` whose `id` is the key's; with another input it is one without.
   */
  readonly idempotencyKey?: string | undefined
}

export interface UpdateBy extends By, Granting {
  /** Looks at the record that is about to be changed: `true` goes on; with `false` nothing is changed, and it is a `CONFLICT`; anything else is `INPUT`. */
  readonly when?: ((record: KeyRecord) => boolean) | undefined
}

export interface CreditBy extends By {
  /**
   * Gives once however often it is asked for, by any process, within 30 days: 1 to 255 visible ASCII characters, for this
   * balance. Without it, who asks again after an unknown outcome may give twice. With another amount it is a `CONFLICT`.
   */
  readonly idempotencyKey?: string | undefined
}

/** Whose keys, and for which resource; `undefined` is no condition here. */
interface Search extends Who {
  readonly owner?: string | undefined
  readonly resource?: string | undefined
}

export interface ListOptions extends Search {
  readonly status?: Status | undefined
  readonly name?: string | undefined
  /** 1 to 100. @default 50 */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface RotateOptions extends UpdateBy {
  /** How long the secret that is replaced still works: `0`, or up to ten years. */
  readonly overlap: Duration
}

export interface RevokeAllOptions extends By {
  readonly reason?: string | undefined
}

export interface RevokeOptions extends RevokeAllOptions, UpdateBy {}
