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
  /** Whether the text is the one that was hashed, compared in constant time. `false` for anything it did not make. */
  check(text: string, stored: string): Awaitable<boolean>
  /** Whether `stored` was made with an older pepper or other parameters, and should be made anew. */
  outdated(stored: string): boolean
  /** Costs what `check` costs: for an id that nobody has. Slow schemes queue it behind real work. */
  waste(text: string): Awaitable<void>
}
