import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'

/** The hashers of an instance as one: the first makes, all check, what another made is outdated. */
export function hashing(hashers: readonly [Hasher, ...Hasher[]]): Hasher {
  const [first, ...others] = hashers
  if (others.length === 0) return first
  const byScheme = new Map(hashers.map((hasher) => [hasher.scheme, hasher]))
  const of = (hash: string) => byScheme.get(hash.slice(0, hash.indexOf('$')))

  return {
    scheme: first.scheme,
    cheap: hashers.every((hasher) => hasher.cheap),
    make: (text) => first.make(text),
    check: (text, kept) => checkFrom(0, text, kept),
    outdated: (kept) => of(kept) !== first || first.outdated(kept),
    waste: (text) => first.waste(text),
  }

  /** Secrets that one hasher made are checked together; those of several, which only a change of hashers leaves, in turn. */
  function checkFrom(start: number, text: string, kept: readonly string[]): Awaitable<number> {
    if (start === kept.length) return -1
    const hasher = of(kept[start] as string) ?? first
    let end = start + 1
    while (end < kept.length && of(kept[end] as string) === hasher) end++
    const found = hasher.check(text, start === 0 && end === kept.length ? kept : kept.slice(start, end))
    const next = (at: number) => (at === -1 ? checkFrom(end, text, kept) : start + at)
    return found instanceof Promise ? found.then(next) : next(found)
  }
}
