import type { Hasher } from '../model/hasher.ts'
import { sha256Hex } from './digest.ts'
import { equalDigests } from './equal.ts'

const START = 'sha256$'
const NOBODY = '0'.repeat(64)

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
    check: (text, stored) => equalDigests(sha256Hex(text), stored.startsWith(START) ? stored.slice(START.length) : ''),
    outdated: () => false,
    waste(text) {
      equalDigests(sha256Hex(text), NOBODY)
    },
  }
}
