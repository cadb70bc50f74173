import { own } from '../model/own.ts'
import type { Spend, SpendWindow } from '../model/store.ts'

/** A spend as it is by itself, without what someone put on a prototype. */
export function ownSpend(spend: Spend): Spend {
  const { windows, cost } = spend
  const credits = spend.credits && Object.hasOwn(spend, 'credits') ? own(spend.credits) : undefined
  return { windows: windows.some(inheritsCost) ? windows.map(own) : windows, cost, credits }
}

function inheritsCost(window: SpendWindow): boolean {
  return window.cost !== undefined && !Object.hasOwn(window, 'cost')
}
