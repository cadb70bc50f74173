import { flawedAt } from '../model/errors.ts'
import { own } from '../model/own.ts'
import type { CreditSpend, Spend } from '../model/store.ts'

/** What a spend takes from a balance by itself, not what someone put on a prototype. */
export function creditsOf(spend: Spend): CreditSpend | undefined {
  return spend.credits && Object.hasOwn(spend, 'credits') ? own(spend.credits) : undefined
}

/** A wrong amount must not reach a counter or a balance, where it would stay: NaN would disarm it. @throws KeywardError `INPUT` */
export function checkWhole(path: string, amount: number): void {
  if (!isWhole(amount)) throw flawedAt('INPUT', path, 'must be a whole number ≥ 0')
}

export function isWhole(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0
}
