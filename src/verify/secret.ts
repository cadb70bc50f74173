import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'
import type { Found } from './found.ts'

/** Which of a key's secrets a text is. */
export type Secret = 'current' | 'previous' | undefined

/** Tells which secret of a key a text proves. At `now` the overlap of a rotation may have ended. */
export function secretOf(hasher: Hasher, found: Found, text: string, now: number): Awaitable<Secret> {
  const at = hasher.check(text, found.hashes)
  return at instanceof Promise ? at.then((late) => nameOf(found, late, now)) : nameOf(found, at, now)
}

function nameOf({ overlapEnds }: Found, at: number, now: number): Secret {
  if (at === 0) return 'current'
  return at === 1 && now < overlapEnds ? 'previous' : undefined
}
