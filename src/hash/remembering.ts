import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'
import { oldestOf } from '../model/oldest.ts'
import { newSalt, PACKED, sha256Of } from './digest.ts'
import { equalUnits, unitsOf } from './equal.ts'

/**
 * A hasher that computes a slow proof once: which text was proved against which hash is remembered as a digest under
 * a salt of this process, which is worth nothing elsewhere and does not hold the text. A hash changes with the secret
 * that it keeps, so a proof never outlives its secret. Wrong texts are computed every time, at the full cost.
 * @param most how many proofs are remembered
 */
export function remembering(hasher: Hasher, most: number): Hasher {
  const salt = newSalt()
  const proofs = new Map<string, Uint16Array>()
  const underWay = new Map<string, Promise<number>>()
  const wasted = new Map<string, Promise<void>>()

  return { ...hasher, check, waste }

  function check(text: string, kept: readonly string[]): Awaitable<number> {
    const digest = sha256Of(salt() + text, PACKED)
    const remembered = kept.findIndex((hash) => equalUnits(digest, proofs.get(hash)))
    if (remembered !== -1) return remembered
    const same = underWay.get(kept + digest)
    if (same !== undefined) return same
    const found = hasher.check(text, kept)
    return found instanceof Promise ? share(found, kept, digest) : remember(found, kept, digest)
  }

  /** A key that arrives many times at once is computed once. */
  function share(found: Promise<number>, kept: readonly string[], digest: string): Promise<number> {
    const shared = found.then((at) => remember(at, kept, digest)).finally(() => underWay.delete(kept + digest))
    underWay.set(kept + digest, shared)
    return shared
  }

  /** As often as `check` would be asked, so that a text that is sent many times at once does not tell whether its id exists. */
  function waste(text: string): Awaitable<void> {
    const digest = sha256Of(salt() + text, PACKED)
    const same = wasted.get(digest)
    if (same !== undefined) return same
    const over = hasher.waste(text)
    if (!(over instanceof Promise)) return over
    const shared = over.finally(() => wasted.delete(digest))
    wasted.set(digest, shared)
    return shared
  }

  function remember(at: number, kept: readonly string[], digest: string): number {
    const hash = kept[at]
    if (hash === undefined) return at
    if (proofs.size >= most) for (const old of oldestOf(proofs)) proofs.delete(old)
    proofs.set(hash, unitsOf(digest))
    return at
  }
}
