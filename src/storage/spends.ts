import { flawedAt } from '../model/errors.ts'
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

/** A wrong amount must not reach a counter or a balance, where it would stay: NaN would disarm it. @throws KeywardError `INPUT` */
export function checkWhole(path: string, amount: number): void {
  if (!isWhole(amount)) throw flawedAt('INPUT', path, 'must be a whole number ≥ 0')
}

export function isWhole(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0
}
