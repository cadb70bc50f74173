import { randomBytes } from 'node:crypto'
import type { Hasher } from '../model/hasher.ts'
import { sha256Hex } from './digest.ts'
import { equalDigests } from './equal.ts'

/**
 * A hasher that computes a slow proof once: which text was proved against which hash is remembered as a digest under
 * a salt of this process, which is worth nothing elsewhere and does not hold the text. A hash changes with the secret
 * that it keeps, so a proof never outlives its secret. Wrong texts are computed every time, at the full cost.
 * @param most how many proofs are remembered
 */
export function remembering(hasher: Hasher, most: number): Hasher {
  const salt = randomBytes(12).toString('hex')
  const proofs = new Map<string, string>()
  const underWay = new Map<string, Promise<boolean>>()

  return { ...hasher, check }

  function check(text: string, stored: string): boolean | Promise<boolean> {
    const digest = sha256Hex(salt + text)
    const proof = proofs.get(stored)
    if (proof !== undefined && equalDigests(digest, proof)) return true
    const same = underWay.get(stored + digest)
    if (same !== undefined) return same
    const proved = hasher.check(text, stored)
    if (proved instanceof Promise) return share(proved, stored, digest)
    if (proved) remember(stored, digest)
    return proved
  }

  /** A key that arrives many times at once is computed once. */
  function share(proved: Promise<boolean>, stored: string, digest: string): Promise<boolean> {
    const shared = proved
      .then((yes) => {
        if (yes) remember(stored, digest)
        return yes
      })
      .finally(() => underWay.delete(stored + digest))
    underWay.set(stored + digest, shared)
    return shared
  }

  function remember(stored: string, digest: string): void {
    if (proofs.size >= most) proofs.delete(proofs.keys().next().value as string)
    proofs.set(stored, digest)
  }
}
