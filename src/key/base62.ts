import { KeywardError } from '../model/errors.ts'

/** Digits in the order of API keys: `0-9A-Za-z`. */
export const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A whole number as base62, left-padded with zeros to `width`. */
export function toBase62(value: number, width: number): string {
  let text = ''
  for (let rest = value; text.length < width; rest = Math.floor(rest / 62)) text = ALPHABET.charAt(rest % 62) + text
  return text
}

/** The largest multiple of 62 that a byte can hold: bytes from here on would favour the first digits. */
const UNBIASED = 248

/** More rounds than any source of random bytes needs: one that goes on so gives nothing of use. */
const MOST_ROUNDS = 100

/**
 * `length` base62 characters, each equally likely: bytes that would favour some digits are thrown away.
 * @param random gives that many unpredictable bytes
 * @throws KeywardError `CONFIG` when `random` gives anything else, or nothing of use; there is no fallback
 */
export function randomBase62(length: number, random: (size: number) => Uint8Array): string {
  let text = ''
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (const byte of randomBytes(length - text.length + 8, random)) {
      if (byte < UNBIASED && text.length < length) text += ALPHABET.charAt(byte % 62)
    }
    if (text.length === length) return text
  }
  throw new KeywardError('CONFIG', 'random gives no bytes of use')
}

/** @throws KeywardError `CONFIG` when `random` gives anything but as many bytes as asked for */
export function randomBytes(size: number, random: (size: number) => Uint8Array): Uint8Array {
  const given: unknown = random(size)
  if (given instanceof Uint8Array && given.length === size) return given
  throw new KeywardError('CONFIG', `random must give ${size} bytes when asked for ${size}`)
}
