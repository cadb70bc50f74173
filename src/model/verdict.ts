import type { KeyRecord } from './key.ts'
import type { Window } from './limits.ts'
import type { MeterReading } from './store.ts'

/** Every reason for a refusal, with the status that HTTP gives it. Adding one fails the build wherever it must be handled. */
export const DENIALS = {
  tls_required: 403,
  missing_credentials: 401,
  incomplete_credentials: 401,
  ambiguous_credentials: 400,
  invalid_key: 401,
  revoked: 401,
  disabled: 401,
  expired: 401,
  environment_mismatch: 403,
  ip_not_allowed: 403,
  owner_mismatch: 403,
  resource_mismatch: 403,
  insufficient_scope: 403,
  account_suspended: 403,
  insufficient_balance: 402,
  rate_limited: 429,
  too_many_failures: 429,
  unavailable: 503,
} as const

export type DenialCode = keyof typeof DENIALS

/** A window as the handler sees it after this request. */
export interface Reading {
  readonly name: string
  readonly limit: number
  readonly remaining: number
  /** When one more would be free, ISO 8601. */
  readonly resetsAt: string
}

/** What became of what a request held. */
export interface Settled {
  /** What was charged: never more than what was held and what was left. */
  readonly charged: number
  /** What could not be charged. */
  readonly short: number
}

/** What a handler gets: the key's record, frozen, and what this request left of its limits. */
export interface Access<Scope extends string = string> extends KeyRecord<Scope> {
  /** What is left of each window after this request, as the RateLimit header fields say it. Empty where there are none. */
  readonly readings: readonly Reading[]
  /** Whether the key's scopes cover this one. */
  can(scope: Scope): boolean
  /**
   * Charges what the request really cost, in place of what its `reserve` held: `min(actual, held + remaining)`, once.
   * Called again it gives the same answer and charges nothing. Where nothing is held it is charged beside the cost that
   * was taken; a key without a balance is charged nothing.
   * @param actual a whole number ≥ 0
   * @throws KeywardError `INPUT` (as a fault of the server: its `status` is 500), or `STORE` with `outcome: 'unknown'`: it may then be called again
   */
  settle(actual: number): Promise<Settled>
}

export interface Admitted<Scope extends string = string> {
  readonly ok: true
  /**
   * `undefined` only where the demand is optional and nothing was sent. Made when it is first read, and the same from
   * then on; a copy of the verdict by spreading is without it.
   */
  readonly access: Access<Scope> | undefined
  /** The limits that applied, and beside each what the store read. */
  readonly windows: readonly Window[]
  readonly readings: readonly MeterReading[]
  /** When it was decided, ms, by the clock of the readings. */
  readonly at: number
  /** Gives back what is held and was not settled: to be called when the response has ended. Harmless when called twice. */
  readonly release?: (() => void) | undefined
  /** The overlap of a rotation (ms), when the secret used is the replaced one. */
  readonly overlap?: { readonly since: number; readonly until: number } | undefined
}

/** A refusal, as a value. */
export interface Denied {
  readonly ok: false
  /** Why: the first rule that was not met. */
  readonly code: DenialCode
  /** The HTTP status of the code; `answers` change what guards send, not this. */
  readonly status: number
  /** How long to wait, whole seconds, at least 1; absent where no wait can help. */
  readonly retryAfter?: number
  /** The key, once its secret was proved. */
  readonly record?: KeyRecord
  /** With `insufficient_scope`: the scopes that the demand names. */
  readonly needed?: readonly string[]
  /** With `rate_limited`: the windows that applied. */
  readonly windows?: readonly Window[]
  /** With `rate_limited`: what the store read of each window, in their order. */
  readonly readings?: readonly MeterReading[]
  /** With `rate_limited`: when it was decided, ms since 1970, by the clock of the readings. */
  readonly at?: number
  /** The overlap of a rotation, when the secret used is the replaced one: its begin and end, ms since 1970. */
  readonly overlap?: Admitted['overlap']
}

/** What became of a credential. A refusal is a value; only a fault of the program is thrown. */
export type Verdict<Scope extends string = string> = Admitted<Scope> | Denied
