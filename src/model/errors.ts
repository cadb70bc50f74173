import { isObject } from './is-object.ts'
import { redact } from './redact.ts'

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

/** What a thrown error says beside its message. */
export interface KeywardErrorDetails {
  readonly issues?: readonly Issue[]
  readonly outcome?: 'unknown'
  readonly id?: string
}

/** What Keyward throws. Recognise it by `code`: `instanceof` fails where ESM and CJS copies are both loaded. */
export class KeywardError extends Error {
  override readonly name = 'KeywardError'
  readonly code: ErrorCode
  /** The HTTP status that fits the code: Express, Fastify and Koa answer a thrown error with it. */
  declare readonly status: number
  /** With `CONFIG` and `INPUT`: each field that is wrong, and why. */
  declare readonly issues?: readonly Issue[]
  /** With `STORE`: `'unknown'` when the change may or may not have happened; the call can be repeated. */
  declare readonly outcome?: 'unknown'
  /** With `CONFLICT`: the key that the same creation made before (`idempotencyKey`). */
  declare readonly id?: string

  /** Whatever the text was put together from, what looks like a key, a digest or a password is struck out of it. */
  constructor(code: ErrorCode, message: string, details: KeywardErrorDetails = {}) {
    super(redact(message))
    this.code = code
    // No log need show it. Koa writes what it answered with there.
    Object.defineProperty(this, 'status', { value: STATUS[code], writable: true })
    if (details.issues !== undefined) this.issues = toldIssues(details.issues)
    if (details.outcome !== undefined) this.outcome = details.outcome
    if (details.id !== undefined) this.id = details.id
  }
}

/** Whether a caught value is an error with this code, of whichever realm: `instanceof` knows none of another's (Jest, vm). */
export function hasCode(error: unknown, code: ErrorCode): error is KeywardError {
  try {
    return isObject(error) && 'code' in error && error.code === code
  } catch {
    // What is thrown may be anything, also what throws when it is looked at.
    return false
  }
}

/** Whether what was asked of a store may or may not have happened. */
export function isOutcomeUnknown(error: unknown): boolean {
  return hasCode(error, 'STORE') && error.outcome === 'unknown'
}

/** More than a person reads at once. */
const MOST_ISSUES = 20
const LONGEST_PATH = 200

/**
 * Issues as they may be told. The name of a field is the caller's own text: somebody may have put a key in its place,
 * and one input can have thousands, of which only the first are told.
 */
export function toldIssues(found: readonly Issue[]): readonly Issue[] {
  // One more is no shorter to count than to tell; so what was told once is told again as it is.
  const told = found.length > MOST_ISSUES + 1 ? found.slice(0, MOST_ISSUES) : found
  const more = found.length - told.length
  return [
    ...told.map(({ path, message }) => ({ path: redact(path).slice(0, LONGEST_PATH), message: redact(message) })),
    ...(more === 0 ? [] : [{ path: '', message: `… and ${more} more` }]),
  ]
}

/** @param whole what an issue of no field is an issue of */
export function issuesInWords(told: readonly Issue[], whole: string): string {
  return told.map(({ path, message }) => (message.startsWith('…') ? message : `${path || whole} ${message}`)).join('; ')
}

/** The error of one thing that is wrong with what somebody gave: where, and the rule that it breaks. */
export function flawedAt(code: ErrorCode, path: string, rule: string, where = ''): KeywardError {
  return new KeywardError(code, `${where}${path} ${rule}`, { issues: [{ path, message: rule }] })
}

/** The error of everything that is wrong with what somebody gave, in one sentence that begins with where it was given. */
export function flawed(
  code: 'CONFIG' | 'INPUT',
  found: readonly Issue[],
  { where = '', whole = '' }: { readonly where?: string; readonly whole?: string } = {},
): KeywardError {
  const issues = toldIssues(found)
  return new KeywardError(code, where + issuesInWords(issues, whole), { issues })
}
