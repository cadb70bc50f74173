import { randomBase62, randomBytes } from '../key/base62.ts'
import { hashedText, type KeyText, SECRET_LENGTH, writeKey, writePair } from '../key/format.ts'
import { own } from '../model/own.ts'
import type { Office } from './office.ts'

/** A fresh text for an id, and the hash to keep of it. */
export async function composeText(
  office: Office,
  prefix: string,
  id: string,
): Promise<{ text: KeyText; hash: string }> {
  const secret = randomBase62(SECRET_LENGTH, office.random)
  const text = own(office.pair ? writePair(prefix, id, secret) : writeKey(prefix, id, secret))
  return { text, hash: await office.hasher.make(hashedText(text.key, text.secret)) }
}

/**
 * Where a record's version begins: anywhere, so that an id that comes back is not mistaken for its forerunner. Of 30 bits,
 * which engines keep in the place of a pointer: a larger number takes room of its own.
 */
export function firstVersion(office: Office): number {
  return (randomBytes(4, office.random).reduce((value, byte) => (value << 8) | byte, 0) >>> 2) + 1
}
