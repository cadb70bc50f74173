import { newSalt, PACKED, sha256Of } from '../hash/digest.ts'
import { oldestOf } from '../model/oldest.ts'
import type { FailureBudget } from '../policy/failures.ts'
import type { Attempt } from './attempt.ts'
import type { Locate } from './rules.ts'

/** Holds back networks that send too many refused credentials, but never one that was proved in this process. */
export interface Throttle {
  /** Until when the attempt must wait (steady clock); `undefined` lets it go on. */
  heldUntil(attempt: Attempt, text: string): number | undefined
  failed(attempt: Attempt): void
  /** @param stored the hash that the text was proved against: it stands for the text, without hashing it again */
  proved(text: string, stored: string): void
}

/** How many proved credentials are remembered. */
const MOST_PROVED = 10_000

export function createThrottle(budget: FailureBudget, locate: Locate): Throttle {
  const salt = newSalt()
  const digests = new Map<string, string>()
  /** By digest, under how many hashes it stands: an upgrade leaves two for one text. */
  const trusted = new Map<string, number>()

  return {
    heldUntil(attempt, text) {
      const address = locate(attempt)
      const until = address && budget.spentUntil(address, attempt.time.steady)
      return until === undefined || trusted.has(sha256Of(salt() + text, PACKED)) ? undefined : until
    },
    failed(attempt) {
      const address = locate(attempt)
      if (address !== undefined) budget.count(address, attempt.time.steady)
    },
    proved(text, stored) {
      if (digests.has(stored)) return
      if (digests.size >= MOST_PROVED) for (const old of oldestOf(digests)) forget(old)
      const digest = sha256Of(salt() + text, PACKED)
      digests.set(stored, digest)
      trusted.set(digest, (trusted.get(digest) ?? 0) + 1)
    },
  }

  function forget(stored: string): void {
    const digest = digests.get(stored) ?? ''
    const others = (trusted.get(digest) ?? 1) - 1
    digests.delete(stored)
    if (others === 0) trusted.delete(digest)
    else trusted.set(digest, others)
  }
}
