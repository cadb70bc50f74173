import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'
import type { Known } from './known.ts'

/** Which of a key's secrets a text is. */
export type Secret = 'current' | 'previous' | undefined

/** Tells which secret of a key a text proves. At `now` the overlap of a rotation may have ended. */
export function secretOf(hasher: Hasher, known: Known, text: string, now: number): Awaitable<Secret> {
  const current = hasher.check(text, known.stored.hash)
  if (current === true) return 'current'
  if (current === false) return previousOf(hasher, known, text, now)
  return current.then((matches) => (matches ? 'current' : previousOf(hasher, known, text, now)))
}

function previousOf(hasher: Hasher, { stored: { previous } }: Known, text: string, now: number): Awaitable<Secret> {
  if (previous === undefined || now >= previous.until) return undefined
  const matches = hasher.check(text, previous.hash)
  if (matches instanceof Promise) return matches.then((yes) => (yes ? 'previous' : undefined))
  return matches ? 'previous' : undefined
}
