import type { ShownLimits } from './limits.ts'

/** What a key is at a moment. Only `revoked` is final. */
export type Status = 'active' | 'disabled' | 'expired' | 'revoked'

/** JSON that the host keeps with a key: an object of at most 16 KiB and five levels. */
export type Metadata = { readonly [name: string]: Json }
/** As it is given: a member that is `undefined` is left out, as JSON does. */
export type MetadataInput = { readonly [name: string]: JsonInput | undefined }
export type JsonInput = string | number | boolean | null | readonly JsonInput[] | MetadataInput
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** A window as a key's own settings hold it; `null` lifts the default of that name. */
export type StoredLimit = { readonly limit: number; readonly ms: number } | null

/** When a balance is set back to its amount (UTC): counted from the creation of the key, month ends clamped. */
export interface Refill {
  /** A whole number ≥ 1. */
  readonly amount: number
  /** `'day'`, `'week'`, `'month'`, or a number of hours such as `'6h'`. */
  readonly every: 'day' | 'week' | 'month' | `${number}h`
}

/** A key's own prepaid credit. */
export interface StoredCredits {
  /** What the balance began with; what is left of it lies beside the record. */
  readonly remaining: number
  /** When it began, ms: a balance that is set anew is another account. */
  readonly opened: number
  readonly refill?: Refill
}

/** The secret that a rotation replaced, while it still works. Times in ms. */
export interface PreviousSecret {
  readonly hash: string
  /** When it was replaced. */
  readonly since: number
  /** The first millisecond at which it no longer works. */
  readonly until: number
}

/**
 * A key as a store keeps it: plain JSON, times in milliseconds since 1970. A store looks at
 * `id version prefix owner resource uniqueName status createdAt` and may keep the rest in one column.
 */
export interface StoredKey {
  readonly id: string
  /** Grows with every change; starts at random, so that an id that comes back is not mistaken for its forerunner. */
  readonly version: number
  readonly prefix: string
  readonly environment?: string
  readonly owner: string
  readonly name?: string
  /** Set where names are unique: no two stored keys may share it. */
  readonly uniqueName?: string
  readonly description?: string
  readonly resource?: string
  readonly status: 'active' | 'disabled' | 'revoked'
  readonly scopes: readonly string[]
  readonly limits?: Readonly<Record<string, StoredLimit>>
  readonly allowedIps?: readonly string[]
  readonly credits?: StoredCredits
  readonly metadata?: Metadata
  /** Of the whole text of the key (of both halves of a pair), with the scheme and its parameters. */
  readonly hash: string
  readonly previous?: PreviousSecret
  /** Of the creation that made it, where that was to happen once: a digest of what was asked for. */
  readonly origin?: string
  /** How often it was rotated: a hash may change without that, when it is upgraded. */
  readonly rotations?: number
  /** When it was made, ms since 1970. */
  readonly createdAt: number
  /** When it was last changed by a verb, ms since 1970. */
  readonly updatedAt: number
  /** The first millisecond at which it no longer works, since 1970; absent for never. */
  readonly expiresAt?: number
  /** When it was revoked, ms since 1970. */
  readonly revokedAt?: number
  readonly revokedReason?: string
  /** Its last use, ms since 1970. Lies beside the record in a store, which joins it into what `find` and `list` answer. */
  readonly lastUsedAt?: number
  /** How often it was used; beside the record, as `lastUsedAt`. */
  readonly uses?: number
}

/** A key as it is shown: everything but the secret and its hash. Times are ISO 8601 strings. */
export interface KeyRecord<Scope extends string = string> {
  /** Public, 12 characters, the same through every rotation. */
  readonly id: string
  readonly prefix: string
  /** The environment whose prefix the key carries, where the instance has several. */
  readonly environment: string | undefined
  readonly name: string | undefined
  readonly description: string | undefined
  /** The host's name for whom the key acts. */
  readonly owner: string
  /** The one resource for which the key works (`'agent:42'`); without one it works for all of its owner's. */
  readonly resource: string | undefined
  readonly scopes: readonly Scope[]
  /** What applies: the key's own windows over the defaults, capped by `max`. */
  readonly limits: ShownLimits
  readonly allowedIps: readonly string[] | undefined
  /**
   * The key's own balance: what is free of it now, and when it is refilled. In events, for a gate, and in refusals for
   * anything but limits and balance nobody has asked for it: there it is what the balance was opened with.
   */
  readonly credits: { readonly remaining: number; readonly refill?: Refill } | undefined
  readonly metadata: Metadata | undefined
  /** What may be shown and logged of the text: `agk_live_3kTMd9xQ2pLw…`. */
  readonly display: string
  readonly status: Status
  readonly createdAt: string
  readonly updatedAt: string
  readonly expiresAt: string | undefined
  /** Approximate: marks are written in batches. */
  readonly lastUsedAt: string | undefined
  /** Approximate, as `lastUsedAt`. */
  readonly uses: number
  readonly revokedAt: string | undefined
  readonly revokedReason: string | undefined
  /** Until when the secret before the last rotation still works. */
  readonly previousSecretUntil: string | undefined
}
