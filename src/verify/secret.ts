import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'
import type { Known } from './known.ts'

/** Which of a key's secrets a text is. */
export type Secret = 'current' | 'previous' | undefined

/** Tells which secret of a key a text proves. At `now` the overlap of a rotation may have ended. */
export function secretOf(hasher: Hasher, known: Known, text: string, now: number): Awaitable<Secret> {
  const found = hasher.check(text, known.hashes)
  return found instanceof Promise ? found.then((at) => nameOf(known, at, now)) : nameOf(known, found, now)
}

function nameOf({ stored: { previous } }: Known, at: number, now: number): Secret {
  if (at === 0) return 'current'
  return at === 1 && previous !== undefined && now < previous.until ? 'previous' : undefined
}
