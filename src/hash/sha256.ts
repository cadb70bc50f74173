import type { Hasher } from '../model/hasher.ts'
import { PACKED, sha256Of } from './digest.ts'
import { digestsIn, indexOfDigest, isDigest } from './kept-digests.ts'
import { oncePerList } from './once-per-list.ts'

const START = 'sha256$'
const NOBODY = [new Uint16Array(16)]
/** One for all hashers: the engine reads a place that is always the same in half the time. */
const digests = oncePerList((kept) => digestsIn(kept, START))

/**
 * Keeps keys as SHA-256. That is enough for what Keyward issues: a secret of 190 random bits cannot be guessed,
 * so nothing is won by a slow hash. Choose `hmac()` where a leaked database should not even tell whether a text
 * that someone already has is a key.
 */
export function sha256(): Hasher {
  return {
    scheme: 'sha256',
    cheap: true,
    make: (text) => START + sha256Of(text, 'hex'),
    check: (text, kept) => indexOfDigest(sha256Of(text, PACKED), digests(kept)),
    knows: (kept) => isDigest(kept, START),
    outdated: (kept) => !kept.startsWith(START),
    waste(text) {
      indexOfDigest(sha256Of(text, PACKED), NOBODY)
    },
  }
}
