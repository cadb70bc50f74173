import type { Hasher } from '../model/hasher.ts'
import { sha256Hex } from './digest.ts'
import { indexOfDigest } from './equal.ts'

const START = 'sha256$'
const NOBODY = [START + '0'.repeat(64)]

/**
 * Keeps keys as SHA-256. That is enough for what Keyward issues: a secret of 190 random bits cannot be guessed,
 * so nothing is won by a slow hash. Choose `hmac()` where a leaked database should not even tell whether a text
 * that someone already has is a key.
 */
export function sha256(): Hasher {
  return {
    scheme: 'sha256',
    cheap: true,
    make: (text) => START + sha256Hex(text),
    check: (text, kept) => indexOfDigest(START + sha256Hex(text), kept),
    outdated: (kept) => !kept.startsWith(START),
    waste(text) {
      indexOfDigest(START + sha256Hex(text), NOBODY)
    },
  }
}
