import type { Awaitable } from './awaitable.ts'

/**
 * How the text of a key is kept. A fast scheme answers at once; a slow one answers with a promise, bounds how many
 * it computes side by side, and rejects when its queue is full (the request is then `unavailable`).
 */
export interface Hasher {
  /** Names the scheme: what `make` answers begins with it and `$`. */
  readonly scheme: string
  /** Whether `check` costs no more than one plain digest, so that remembering a proof would save nothing. */
  readonly cheap: boolean
  /** What to keep of this text, with the scheme and its parameters. */
  make(text: string): Awaitable<string>
  /**
   * Which of the kept hashes is of this text, compared in constant time; -1 if none is, or it did not make them. What
   * has the same parameters is computed once, so that a key with two secrets costs what one with one does.
   * @param kept a list that never changes: it comes again with every request of its key, and may be compiled once
   */
  check(text: string, kept: readonly string[]): Awaitable<number>
  /**
   * Whether a kept hash can be one of its making, with what it has now; asked once per record, so that a damaged one, or
   * a pepper that went missing, is told as a fault.
   * @default every hash that names its scheme
   */
  readonly knows?: (kept: string) => boolean
  /** Whether a kept hash was made with an older pepper or other parameters, and should be made anew. */
  outdated(kept: string): boolean
  /** Costs what `check` costs: for an id that nobody has. Slow schemes queue it behind real work. */
  waste(text: string): Awaitable<void>
}
