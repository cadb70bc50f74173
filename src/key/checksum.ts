import { ALPHABET, toBase62 } from './base62.ts'

export const CHECKSUM_LENGTH = 6

/** CRC-32 as in ISO 3309 and zlib (reflected, polynomial 0xEDB88320). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The state before the first character. */
export const CRC_START = 0xffffffff

/** The CRC state after text[from, to), which is ASCII: a prefix is run through it once, at construction. */
export function crcOver(text: string, from: number, to: number, state: number): number {
  let crc = state
  for (let i = from; i < to; i++) crc = (TABLE[(crc ^ text.charCodeAt(i)) & 0xff] as number) ^ (crc >>> 8)
  return crc
}

/** The six characters that stand for a CRC state. There is one spelling only, so checksums are compared as text. */
export function checksumText(state: number): string {
  return toBase62((state ^ 0xffffffff) >>> 0, CHECKSUM_LENGTH)
}

/** The checksum of a whole text. */
export function checksum(text: string): string {
  return checksumText(crcOver(text, 0, text.length, CRC_START))
}

const POWERS = [62 ** 5, 62 ** 4, 62 ** 3, 62 ** 2, 62, 1]
const VALUE = new Uint8Array(128)
for (let value = 0; value < 62; value++) VALUE[ALPHABET.charCodeAt(value)] = value

/** Whether the six base62 characters from `at` on spell this CRC state: without making a string to compare. */
export function spells(text: string, at: number, state: number): boolean {
  let value = 0
  for (let i = 0; i < CHECKSUM_LENGTH; i++) value += (VALUE[text.charCodeAt(at + i)] as number) * (POWERS[i] as number)
  return value === (state ^ 0xffffffff) >>> 0
}
