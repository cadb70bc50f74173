import { ALPHABET, toBase62 } from './base62.ts'

export const CHECKSUM_LENGTH = 6

/** CRC-32 as in ISO 3309 and zlib (reflected, polynomial 0xEDB88320). Signed, which the engine computes with faster. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The state before the first character. */
const START = -1

/** The CRC state after an ASCII text: a prefix is run through it once, at construction. */
export function crcOver(text: string): number {
  let crc = START
  for (let i = 0; i < text.length; i++) crc = (TABLE[(crc ^ text.charCodeAt(i)) & 0xff] as number) ^ (crc >>> 8)
  return crc
}

/** The checksum of an ASCII text in base62: there is one spelling only. */
export function checksum(text: string): string {
  return toBase62(~crcOver(text) >>> 0, CHECKSUM_LENGTH)
}

const NO_DIGIT = 62
const VALUE = new Uint8Array(128).fill(NO_DIGIT)
for (let value = 0; value < 62; value++) VALUE[ALPHABET.charCodeAt(value)] = value

/**
 * Whether text[from, …) is base62 throughout, and its last six characters the checksum of everything before them. In
 * one pass that makes no text: it runs on whatever anyone sends.
 * @param state the CRC state after text[0, from)
 */
export function isSealed(text: string, from: number, state: number): boolean {
  // Looked up once: where this module is bundled, a constant of the file is a variable to the engine.
  const table = TABLE
  const value = VALUE
  const sum = text.length - CHECKSUM_LENGTH
  let crc = state
  for (let i = from; i < sum; i++) {
    const code = text.charCodeAt(i)
    if (code >= 128 || value[code] === NO_DIGIT) return false
    crc = (table[(crc ^ code) & 0xff] as number) ^ (crc >>> 8)
  }
  let spelled = 0
  for (let i = sum; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 128 || value[code] === NO_DIGIT) return false
    spelled = spelled * 62 + (value[code] as number)
  }
  return spelled === ~crc >>> 0
}
