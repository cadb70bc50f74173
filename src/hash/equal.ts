import { attach } from '../model/attached.ts'

/**
 * The digests in hashes of one scheme, two bytes to a number; `undefined` for what is none.
 * @param start what the hashes of the scheme begin with
 */
export function digestsIn(kept: readonly string[], start: string): readonly (Uint16Array | undefined)[] {
  return kept.map((hash) => (hash.startsWith(start) ? unitsOfHex(hash, start.length) : undefined))
}

/** Whether this is a hash of a scheme. */
export function isDigest(hash: string, start: string): boolean {
  return hash.startsWith(start) && unitsOfHex(hash, start.length) !== undefined
}

/** In one pass that makes nothing else: what is looked up is parsed before its secret is proved. */
function unitsOfHex(text: string, from: number): Uint16Array | undefined {
  if (text.length !== from + 64) return undefined
  const units = new Uint16Array(16)
  for (let i = 0; i < 64; i++) {
    const digit = digitOf(text.charCodeAt(from + i))
    if (digit === -1) return undefined
    // Of each unit the lower byte comes first, of each byte the higher digit.
    units[i >> 2] = (units[i >> 2] as number) | (digit << ((i & 2) * 4 + (i & 1 ? 0 : 4)))
  }
  return units
}

/** Of a lower-case hexadecimal digit; else -1. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}

/** Where a digest stands among others, or -1. All are looked at, whichever is the one. */
export function indexOfDigest(digest: string, others: readonly (Uint16Array | undefined)[]): number {
  let found = -1
  for (let i = 0; i < others.length; i++) if (equalDigests(digest, others[i])) found = i
  return found
}

/**
 * Whether two digests are the same, in time that depends on their lengths alone: all of both is looked at, whatever the
 * beginning said. The fresh one is a text, a character for two bytes, because a Buffer of it costs more than the hash.
 */
export function equalDigests(fresh: string, other: Uint16Array | undefined): boolean {
  if (other === undefined || fresh.length !== other.length) return false
  let difference = 0
  for (let i = 0; i < other.length; i++) difference |= fresh.charCodeAt(i) ^ (other[i] as number)
  return difference === 0
}

/** Whether two texts are the same, in time that depends on their lengths alone. */
export function equalTexts(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

/** Bytes as the characters of a packed digest hold them, two and two, the lower first. */
export function unitsOf(bytes: Buffer): Uint16Array {
  return Uint16Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16LE(2 * at))
}

/** The list of a key's hashes stays the same for as long as its record does: what is made of it is made once. */
export function oncePerList<Made>(make: (kept: readonly string[]) => Made): (kept: readonly string[]) => Made {
  const made = attach<Made>()
  return (kept) => {
    const known = made.get(kept)
    if (known !== undefined) return known
    const fresh = make(kept)
    made.set(kept, fresh)
    return fresh
  }
}
