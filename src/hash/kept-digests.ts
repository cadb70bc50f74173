import { codeAt } from '../model/code-at.ts'
import { equalUnits } from './equal.ts'

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
