/**
 * Every code a thrown error can carry. A refused request is never thrown: it is a `Verdict`.
 *
 * - `CONFIG`: the program is wrong (an option, a demand, a call on an unguarded request); mend the code.
 * - `INPUT`: a value given to a verb is wrong; `issues` names each field and rule.
 * - `CONFLICT`: the id or the name is taken, or another change won the race.
 * - `NOT_FOUND`: no such key, or not one that the caller's conditions let it see.
 * - `STATE`: the key's state forbids the change (a revoked key stays revoked).
 * - `STORE`: the store failed or did not answer in time; see `outcome`.
 */
export type ErrorCode = 'CONFIG' | 'INPUT' | 'CONFLICT' | 'NOT_FOUND' | 'STATE' | 'STORE'

/** As HTTP has it, for a route of the host's own that lets such an error through. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  CONFIG: 500,
  INPUT: 400,
  CONFLICT: 409,
  NOT_FOUND: 404,
  STATE: 409,
  STORE: 503,
}

/** One thing wrong with one field. */
export interface Issue {
  /** Where: `limits.minute`, `scopes.0`; empty for the input as a whole. */
  readonly path: string
  /** The rule that was broken, in words. */
  readonly message: string
}

export interface KeywardErrorDetails {
  readonly issues?: readonly Issue[]
  readonly outcome?: 'unknown'
  readonly id?: string
}

/** What Keyward throws. Recognise it by `code`: `instanceof` fails where ESM and CJS copies are both loaded. */
export class KeywardError extends Error {
  override readonly name = 'KeywardError'
  readonly code: ErrorCode
  /** With `CONFIG` and `INPUT`: each field that is wrong, and why. */
  declare readonly issues?: readonly Issue[]
  /** With `STORE`: `'unknown'` when the change may or may not have happened; the call can be repeated. */
  declare readonly outcome?: 'unknown'
  /** With `CONFLICT`: the key that the same creation made before (`idempotencyKey`). */
  declare readonly id?: string

  constructor(code: ErrorCode, message: string, details: KeywardErrorDetails = {}) {
    super(message)
    this.code = code
    if (details.issues !== undefined) this.issues = details.issues
    if (details.outcome !== undefined) this.outcome = details.outcome
    if (details.id !== undefined) this.id = details.id
  }

  /** The HTTP status that fits the code: Express, Fastify and Koa answer a thrown error with it. */
  get status(): number {
    return STATUS[this.code]
  }
}

/** Whether a caught value is an error of ours with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is KeywardError {
  return error instanceof Error && 'code' in error && error.code === code
}
