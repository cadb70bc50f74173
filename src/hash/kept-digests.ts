import { codeAt } from '../model/code-at.ts'
import { digitValues } from '../model/digit-values.ts'
import { equalUnits } from './equal.ts'

const VALUE = digitValues('0123456789abcdef')

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

/**
 * In one pass that makes nothing else, and asks but once, at its end: what is looked up is parsed before its secret is
 * proved. Of each unit the lower byte comes first, of each byte the higher digit.
 */
function unitsOfHex(text: string, from: number): Uint16Array | undefined {
  if (text.length !== from + 64) return undefined
  const units = new Uint16Array(16)
  let codes = 0
  let values = 0
  for (let i = 0; i < units.length; i++) {
    const at = from + 4 * i
    const a = codeAt(text, at)
    const b = codeAt(text, at + 1)
    const c = codeAt(text, at + 2)
    const d = codeAt(text, at + 3)
    codes |= a | b | c | d
    const unit = (digitOf(a) << 4) | digitOf(b) | (digitOf(c) << 12) | (digitOf(d) << 8)
    values |= unit
    units[i] = unit
  }
  return codes < 128 && values >= 0 ? units : undefined
}

function digitOf(code: number): number {
  return VALUE[code & 127] as number
}

/** Where a digest stands among others, or -1. All are looked at, whichever is the one. */
export function indexOfDigest(digest: string, others: readonly (Uint16Array | undefined)[]): number {
  let found = -1
  for (let i = 0; i < others.length; i++) if (equalUnits(digest, others[i])) found = i
  return found
}
