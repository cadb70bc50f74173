import type { AnswerOverrides } from './answer.ts'
import type { FreeWindow, WindowName } from './limits.ts'

/** All of these scopes, or any one of them. An empty list is a `CONFIG` error: it would demand nothing. */
export type ScopeDemand<Scope extends string = string> = readonly Scope[] | { readonly any: readonly Scope[] }

/** Extra windows of a route, counted per key; one name and length is one counter, on however many routes, and on the key. */
export type DemandLimits = { readonly [name in WindowName]?: number } | readonly FreeWindow[]

/** What is held: all of it, or as much of it as the balance has. */
export type Reserve = number | { readonly upTo: number }

/**
 * A function of a demand. It may say more of the request than the guard knows, such as `Request<{ id: string }>`: to that
 * end it is a method to the compiler.
 */
type Of<Request, Answer> = { of(request: Request): Answer }['of']

/**
 * What a route requires. It is read once, when the guard is made. `Request` is the framework's own object; a
 * function that throws reaches the framework's error path, and nothing is admitted.
 */
export interface Demand<Scope extends string = string, Request = unknown> {
  /** The scopes that the key must have: a list for all of them, `{ any: […] }` for one. @default none */
  readonly scopes?: ScopeDemand<Scope>
  /** The resource that the request acts on. A bound key passes only its own; an empty answer refuses. `'*'` lets every key pass. */
  readonly resource?: string | Of<Request, string | undefined>
  /** Whose key it must be; an empty answer refuses. */
  readonly owner?: string | Of<Request, string | undefined>
  /** The environment that the key must be of. @default any */
  readonly environment?: string
  /**
   * What the request takes from every window, and without `reserve` from the balance: a whole number ≥ 0.
   * @default 1
   */
  readonly cost?: number | Of<Request, number>
  /**
   * Credit to hold until `access.settle(actual)` charges the truth, in place of `cost`: an upper bound, a whole number
   * ≥ 0. What is not settled is given back when the response ends, or after ten minutes. A balance below a number is
   * refused; of `{ upTo }` as much is held as there is, and only an empty balance is refused.
   */
  readonly reserve?: Reserve | Of<Request, Reserve>
  /** Windows besides the key's own. One that the key has, too, by name and length, is the same counter. @default none */
  readonly limits?: DemandLimits
  /**
   * Go on without identity when the request has no source header at all. An empty or a bad one is refused.
   * @default false
   */
  readonly optional?: boolean
  /** Laid over the instance's `answers`, code by code. */
  readonly answers?: AnswerOverrides
}

/** A demand of whichever framework: what its functions are given is that framework's business. */
export type AnyDemand = Demand<string, never>
