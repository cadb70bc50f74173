import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'

/** The hashers of an instance as one: the first makes, all check, what another made is outdated. */
export function hashing(hashers: readonly [Hasher, ...Hasher[]]): Hasher {
  const [first, ...others] = hashers
  if (others.length === 0) return first
  const byScheme = new Map(hashers.map((hasher) => [hasher.scheme, hasher]))
  const of = (stored: string) => byScheme.get(stored.slice(0, stored.indexOf('$')))

  return {
    scheme: first.scheme,
    cheap: hashers.every((hasher) => hasher.cheap),
    make: (text) => first.make(text),
    check(text, stored): Awaitable<boolean> {
      const hasher = of(stored)
      if (hasher !== undefined) return hasher.check(text, stored)
      // A scheme that nobody here knows: refuse it at the cost of an unknown key.
      const wasted = first.waste(text)
      return wasted instanceof Promise ? wasted.then(() => false) : false
    },
    outdated: (stored) => of(stored) !== first || first.outdated(stored),
    waste: (text) => first.waste(text),
  }
}
