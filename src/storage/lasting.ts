import { own } from '../model/own.ts'
import type { CreditMove, CreditSpend } from '../model/store.ts'

/**
 * What is held until a moment by the caller's clock is held until the moment by the server's that is as far away: it
 * lasts as long as it was meant to, however far apart the two are. Where the server has none, the caller's counts.
 */
export function spendAt(credits: CreditSpend, now: number, at: number | undefined): CreditSpend {
  const { hold } = credits
  return hold === undefined ? credits : own({ ...credits, hold: lasting(hold, now, at) })
}

/** The same for a movement. */
export function moveAt(credit: CreditMove, now: number, at: number | undefined): CreditMove {
  if (credit.settle !== undefined) return own({ ...credit, settle: lasting(credit.settle, now, at) })
  if (credit.add !== undefined && credit.once !== undefined)
    return own({ ...credit, once: lasting(credit.once, now, at) })
  return credit
}

function lasting<T extends { readonly until: number }>(kept: T, now: number, at = now): T {
  return { ...kept, until: Math.min(Number.MAX_SAFE_INTEGER, kept.until + at - now) }
}
