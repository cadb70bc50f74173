import { codeAt } from '../model/code-at.ts'
import { digitValues } from '../model/digit-values.ts'
import { ALPHABET, toBase62 } from './base62.ts'

export const CHECKSUM_LENGTH = 6

/**
 * CRC-32 as in ISO 3309 and zlib (reflected, polynomial 0xEDB88320), in signed numbers, which the engine computes with
 * faster. The first 256 are of a byte, those that follow of a byte that has one, two and three behind it: so four are
 * taken in one step ("slicing", Kounavis and Berry 2008).
 */
const TABLE = new Int32Array(4 * 256)
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  TABLE[byte] = value
}
for (let at = 256; at < TABLE.length; at++) {
  const before = TABLE[at - 256] as number
  TABLE[at] = (TABLE[before & 0xff] as number) ^ (before >>> 8)
}

/** The state before the first character. */
const START = -1

/** The CRC state after an ASCII text: a prefix is run through it once, at construction. */
export function crcOver(text: string): number {
  let crc = START
  for (let i = 0; i < text.length; i++) crc = (TABLE[(crc ^ codeAt(text, i)) & 0xff] as number) ^ (crc >>> 8)
  return crc
}

/** The checksum of an ASCII text in base62: there is one spelling only. */
export function checksum(text: string): string {
  return toBase62(~crcOver(text) >>> 0, CHECKSUM_LENGTH)
}

const VALUE = digitValues(ALPHABET)

/**
 * Whether text[from, …) is base62 throughout, and its last six characters the checksum of everything before them. In
 * one pass that makes no text, and asks but once, at its end: it runs on whatever anyone sends. Between `from` and the
 * checksum lie ids of 12 characters and secrets of 32, so four at a time leave none over.
 * @param state the CRC state after text[0, from)
 */
export function isSealed(text: string, from: number, state: number): boolean {
  // Looked up once: where this module is bundled, a constant of the file is a variable to the engine.
  const table = TABLE
  const value = VALUE
  const sum = text.length - CHECKSUM_LENGTH
  let codes = 0
  let values = 0
  let crc = state
  for (let i = from; i < sum; i += 4) {
    const a = codeAt(text, i)
    const b = codeAt(text, i + 1)
    const c = codeAt(text, i + 2)
    const d = codeAt(text, i + 3)
    codes |= a | b | c | d
    values |= (value[a & 127] as number) | (value[b & 127] as number)
    values |= (value[c & 127] as number) | (value[d & 127] as number)
    crc ^= a | (b << 8) | (c << 16) | (d << 24)
    crc =
      (table[768 | (crc & 0xff)] as number) ^
      (table[512 | ((crc >>> 8) & 0xff)] as number) ^
      (table[256 | ((crc >>> 16) & 0xff)] as number) ^
      (table[crc >>> 24] as number)
  }
  let spelled = 0
  for (let i = sum; i < text.length; i++) {
    const code = codeAt(text, i)
    const digit = value[code & 127] as number
    codes |= code
    values |= digit
    spelled = spelled * 62 + digit
  }
  return codes < 128 && values >= 0 && spelled === ~crc >>> 0
}
