import type { Moment } from '../model/clock.ts'
import type { StoredKey } from '../model/key.ts'
import { provableIn } from '../policy/soundness.ts'
import type { Known } from './known.ts'

/**
 * A key of the store, as far as its secret is to be proved. What it may do is looked at only then: how long that takes
 * must tell nobody that an id exists.
 */
export interface Found {
  /** What the store gave. */
  readonly raw: StoredKey
  readonly id: string
  readonly version: number
  readonly prefix: string
  /** Of its secret, and of the one before, if there is one. */
  readonly hashes: readonly string[]
  /** When the secret before stops working, ms; 0 where there is none. */
  readonly overlapEnds: number
  /** The whole of it, compiled once its secret was proved; or what an earlier reading of the key was compiled to. */
  known: Known | undefined
  earlier: Known | undefined
  /** Whether `raw` cannot change any more: given again, it need not be looked at again. Looked for when that happens. */
  isLasting: boolean | undefined
  /** When the store was last asked for it; `undefined` unless this is what is remembered of its id. */
  asked: Moment | undefined
}

/** What can be proved of a record, or what is damaged in it. `last` is what was found before. */
export function foundIn(id: string, raw: StoredKey, last: Found | undefined): Found | { readonly damage: string } {
  if (last?.raw === raw) {
    last.isLasting ??= Object.isFrozen(raw)
    if (last.isLasting) return last
  }
  const provable = provableIn(id, raw)
  if ('damage' in provable) return provable
  const { version, prefix, hash, previous } = provable
  return {
    raw,
    id,
    version,
    prefix,
    hashes: previous === undefined ? [hash] : [hash, previous.hash],
    overlapEnds: previous === undefined ? 0 : previous.until,
    known: undefined,
    earlier: last?.known ?? last?.earlier,
    isLasting: undefined,
    asked: undefined,
  }
}
