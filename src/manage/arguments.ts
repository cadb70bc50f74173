import type { Duration } from '../model/duration.ts'
import type { KeyRecord, MetadataInput, Refill, Status } from '../model/key.ts'
import type { Limits } from '../model/limits.ts'

/** Prepaid credit as it is given, in whole units of your own. */
export interface CreditsInput {
  /** What the balance begins with: a whole number ≥ 0. */
  readonly remaining: number
  /** When the balance is set back, and to what. @default never */
  readonly refill?: Refill | undefined
}

/** What a new key is to be. `create` throws `INPUT` for a wrong field, with the field, the rule and the value in `issues`. */
export interface CreateInput<Scope extends string = string> {
  /** Whom the key acts for, in the host's own terms: one line of 1 to 256 characters. */
  readonly owner: string
  /** One line of 1 to 100 characters. @default none; required where `names` of the instance says so */
  readonly name?: string | undefined
  /** 1 to 1,000 characters, on several lines. @default none */
  readonly description?: string | undefined
  /** The one resource that the key works for, such as `'agent:42'`: one line of 1 to 256 characters. @default all of its owner's */
  readonly resource?: string | undefined
  /** What the key may do: at most 200. Absent or empty they grant nothing; where the instance declares scopes, one is required. */
  readonly scopes?: readonly Scope[] | undefined
  /** At most 8 windows, merged with the instance's defaults by name. @default `limits.default` of the instance */
  readonly limits?: Limits | undefined
  /** From where the key works: 1 to 1,000 addresses and CIDR blocks, host bits clear. @default anywhere */
  readonly allowedIps?: readonly string[] | undefined
  /** When the key stops working: a Date, or ISO 8601 with a zone, in the future; never a number. @default never */
  readonly expiresAt?: Date | string | undefined
  /** Which prefix to use; required where the instance has environments. */
  readonly environment?: string | undefined
  /** A balance of its own; `INPUT` where the instance has `credits: 'owner'`. @default none: nothing is charged */
  readonly credits?: CreditsInput | undefined
  /** A JSON object of your own, at most 16 KiB and five levels. Members that are `undefined` are left out. @default none */
  readonly metadata?: MetadataInput | undefined
}

/** What is to change, with the bounds of `CreateInput`. `null` clears a field, `undefined` leaves it as it is. */
export interface UpdatePatch<Scope extends string = string> {
  /** 1 to 100 characters; `null` is `INPUT` where names are required. */
  readonly name?: string | null | undefined
  /** 1 to 1,000 characters. */
  readonly description?: string | null | undefined
  /** Replaces all of the key's scopes. */
  readonly scopes?: readonly Scope[] | null | undefined
  /** Merged into the key's own windows by name; `null` takes all of its own away. */
  readonly limits?: Limits | null | undefined
  /** Replaces the list; `null` allows any address, `[]` is `INPUT`. */
  readonly allowedIps?: readonly string[] | null | undefined
  /** In the future, also for a key that has expired; `null` for never. */
  readonly expiresAt?: Date | string | null | undefined
  /** Begins a new balance in place of the old one; `null` takes it away: then nothing is charged. */
  readonly credits?: CreditsInput | null | undefined
  /** Replaces the whole object. */
  readonly metadata?: MetadataInput | null | undefined
  /** Ends the overlap of a rotation now (`null`), or moves its end to another time in the future. */
  readonly previousSecretUntil?: Date | string | null | undefined
}

interface Who {
  /** Who asks, 1 to 256 characters: goes into events, nothing is decided by it. */
  readonly actor?: string | undefined
  /** From where they ask, 1 to 64 characters: goes into events, as `actor`. */
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

/** Which keys `list` returns; every condition that is there must match exactly. */
export interface ListOptions extends Search {
  /** `'expired'` finds active keys whose time is over. */
  readonly status?: Status | undefined
  /** Exactly this name, with its case. */
  readonly name?: string | undefined
  /** How many a page has at most: 1 to 100. @default 50 */
  readonly limit?: number | undefined
  /** As the page before returned it; another text is `INPUT`. @default the first page */
  readonly cursor?: string | undefined
}

export interface RotateOptions extends UpdateBy {
  /**
   * How long the secret that is replaced still works: `0`, ms, or text such as `'24h'`, up to ten years. A secret that an
   * earlier rotation replaced stops at once: at most two work.
   */
  readonly overlap: Duration
}

/** Whose keys are revoked: an `owner`, a `resource`, or both; neither is `INPUT`. */
export interface RevokeAllOptions extends By {
  /** Why, for the records and events: 1 to 500 characters. @default none */
  readonly reason?: string | undefined
}

/** Why a key is revoked, and the conditions under which it is. */
export interface RevokeOptions extends RevokeAllOptions, UpdateBy {}
