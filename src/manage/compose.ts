import { randomBase62 } from '../key/base62.ts'
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
