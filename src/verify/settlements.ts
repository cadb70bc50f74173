import type { Announcer } from '../model/event.ts'
import { iso } from '../model/iso.ts'
import type { CreditSpend, KeyStore } from '../model/store.ts'
import { accountOf, type CreditMode } from '../policy/credits.ts'
import type { Attempt } from './attempt.ts'
import type { Bill } from './bill.ts'
import type { Known } from './known.ts'
import { createSettlement, type Settlement } from './settlement.ts'
import type { Time } from './time.ts'

interface SettlementsOptions {
  readonly move: KeyStore['move']
  readonly credits: CreditMode
  readonly look: () => Time
  readonly events: Announcer
  readonly onFault: (error: unknown, whose: { readonly id: string; readonly owner: string }) => void
}

/** What requests hold of balances, each on the account that it was held on. */
interface Settlements {
  /** Notes what a request holds, where it holds anything. */
  hold(attempt: Attempt, known: Known, bill: Bill): Settlement | undefined
  /** Gives back what a request may hold whose take failed: nobody knows whether it was done. */
  giveBack(credits: CreditSpend): void
  /** When what is being given back has been. */
  released(): Promise<void>
}

export function createSettlements({ move, credits, look, events, onFault }: SettlementsOptions): Settlements {
  const releasing = new Set<Promise<void>>()
  return { hold, giveBack, released: async () => void (await Promise.all(releasing)) }

  function hold(attempt: Attempt, { stored }: Known, bill: Bill): Settlement | undefined {
    const earlier = attempt.earlier?.settlement
    if (move === undefined) return earlier
    const fresh = bill.hold?.hold
    // What is settled once stays so for all guards of the request, until another of them holds something.
    const going = fresh !== undefined && earlier?.isOver ? undefined : earlier
    const settlement =
      going ??
      createSettlement({
        move,
        account: () => accountOf(credits, stored, look().now),
        now: () => look().steady,
        onSettled(amount, balance) {
          const { id, owner } = stored
          if (events.wants('settled')) events.tell({ type: 'settled', at: iso(look().now), id, owner, amount, balance })
        },
        onRelease: follow,
        onFault: (error) => onFault(error, { id: stored.id, owner: stored.owner }),
      })
    if (fresh !== undefined) settlement.add(fresh.id, bill.hold?.amount ?? 0)
    return settlement
  }

  function giveBack({ hold: held, amount: _, ...account }: CreditSpend): void {
    if (move === undefined || held === undefined) return
    const release = async () => void (await move({ ...account, release: held.id }, look().steady))
    // The fault has been told. Where this fails, too, the hold ends by itself.
    follow(release().catch(() => {}))
  }

  function follow(release: Promise<void>): void {
    releasing.add(release)
    void release.finally(() => releasing.delete(release))
  }
}
