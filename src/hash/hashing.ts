import { type Awaitable, recognisable } from '../model/awaitable.ts'
import { KeywardError } from '../model/errors.ts'
import type { Hasher } from '../model/hasher.ts'
import { messageOf } from '../model/redact.ts'

/** The hashers of an instance as one: the first makes, all check, what another made is outdated. */
export function hashing(given: readonly [Hasher, ...Hasher[]]): Hasher {
  const hashers = given.map(sound) as [Sound, ...Sound[]]
  const [first, ...others] = hashers
  if (others.length === 0) return first
  const byScheme = new Map(hashers.map((hasher) => [hasher.scheme, hasher]))
  const of = (hash: string) => byScheme.get(hash.slice(0, hash.indexOf('$')))

  return {
    scheme: first.scheme,
    cheap: hashers.every((hasher) => hasher.cheap),
    make: first.make,
    check: (text, kept) => checkFrom(0, text, kept),
    knows: (kept) => of(kept)?.knows(kept) === true,
    outdated: (kept) => of(kept) !== first || first.outdated(kept),
    waste: first.waste,
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

type Sound = Required<Hasher>

/** One of the host's, held to its word. It is called on itself: it may be of a class. */
function sound(hasher: Hasher): Sound {
  return {
    scheme: hasher.scheme,
    cheap: hasher.cheap,
    make: (text) => made(hasher, text),
    check: (text, kept) => recognisable(hasher.check(text, kept)),
    knows: (kept) => kept.startsWith(`${hasher.scheme}$`) && hasher.knows?.(kept) !== false,
    outdated: (kept) => hasher.outdated(kept),
    waste: (text) => recognisable(hasher.waste(text)),
  }
}

/** What a hasher makes, unless nothing of the kind may be kept. An error shows nothing of the text, nor holds it as its cause. */
async function made(hasher: Hasher, text: string): Promise<string> {
  let hash: unknown
  try {
    hash = await hasher.make(text)
  } catch (error) {
    throw new KeywardError('STORE', `the key could not be hashed: ${messageOf(error)}`)
  }
  if (typeof hash === 'string' && hash.startsWith(`${hasher.scheme}$`) && !hash.includes(text)) return hash
  throw new KeywardError(
    'CONFIG',
    `hasher: make() must give text that begins with ${hasher.scheme}$ and is not the key`,
  )
}
