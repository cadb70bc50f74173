import { codeAt } from '../model/code-at.ts'

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
    const digit = digitOf(codeAt(text, from + i))
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
  for (let i = 0; i < others.length; i++) if (equalUnits(digest, others[i])) found = i
  return found
}

/**
 * Whether a text is made of these units, in time that depends on the lengths alone: all of both is looked at, whatever
 * the beginning said. A digest is a text, a character for two bytes, because a Buffer of it costs more than the hash.
 */
export function equalUnits(text: string, units: Uint16Array | undefined): boolean {
  if (units === undefined || text.length !== units.length) return false
  let difference = 0
  for (let i = 0; i < units.length; i++) difference |= codeAt(text, i) ^ (units[i] as number)
  return difference === 0
}

/** The units of a text. */
export function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length)
  for (let i = 0; i < text.length; i++) units[i] = codeAt(text, i)
  return units
}

/** The list of a key's hashes stays the same for as long as its record does: what is made of it is made once. */
export function oncePerList<Made extends object>(
  make: (kept: readonly string[]) => Made,
): (kept: readonly string[]) => Made {
  const place = Symbol('keyward')
  const closed = new WeakMap<object, Made>()
  return (kept: readonly string[] & { [place]?: Made }) => {
    const known = kept[place] ?? closed.get(kept)
    if (known !== undefined) return known
    const made = make(kept)
    if (Object.isExtensible(kept)) kept[place] = made
    else closed.set(kept, made)
    return made
  }
}
