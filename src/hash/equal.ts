const HEX = /^[0-9a-f]{64}$/

/**
 * The digests in hashes of one scheme, as bytes; `undefined` for what is none.
 * @param start what the hashes of the scheme begin with
 */
export function digestsIn(kept: readonly string[], start: string): readonly (Uint8Array | undefined)[] {
  return kept.map((hash) => {
    const hex = hash.slice(start.length)
    return hash.startsWith(start) && HEX.test(hex) ? Uint8Array.from(Buffer.from(hex, 'hex')) : undefined
  })
}

/** Where a digest stands among others, or -1. All are looked at, whichever is the one. */
export function indexOfDigest(digest: string, others: readonly (Uint8Array | undefined)[]): number {
  let found = -1
  for (let i = 0; i < others.length; i++) if (equalDigests(digest, others[i])) found = i
  return found
}

/**
 * Whether two digests are the same, in time that depends on their lengths alone: every byte is looked at, whatever the
 * earlier ones said. The fresh one is a text, a character for a byte, because a Buffer of it costs more than the hash.
 */
export function equalDigests(fresh: string, other: Uint8Array | undefined): boolean {
  if (other === undefined || fresh.length !== other.length) return false
  let difference = 0
  for (let i = 0; i < other.length; i++) difference |= fresh.charCodeAt(i) ^ (other[i] as number)
  return difference === 0
}

/** The list of a key's hashes stays the same for as long as its record does: what is made of it is made once. */
export function oncePerList<Made>(make: (kept: readonly string[]) => Made): (kept: readonly string[]) => Made {
  const made = new WeakMap<readonly string[], Made>()
  return (kept) => {
    const known = made.get(kept)
    if (known !== undefined) return known
    const fresh = make(kept)
    made.set(kept, fresh)
    return fresh
  }
}
