import { own } from '../model/own.ts'
import type { Spend, SpendWindow } from '../model/store.ts'

/** What everything inherits that somebody put there. */
const POLLUTED: Partial<SpendWindow> = Object.prototype

/** A spend as it is by itself, without what someone put on a prototype. Windows of requests have no cost of their own. */
export function ownSpend(spend: Spend): Spend {
  const { windows, cost, credits } = spend
  const isClean = POLLUTED.cost === undefined
  // Nearly always: nothing has to be made for it.
  if (isClean && credits === undefined) return spend
  return {
    windows: isClean ? windows : windows.map(own),
    cost,
    credits: credits && Object.hasOwn(spend, 'credits') ? own(credits) : undefined,
  }
}
