import { flawedAt } from '../model/errors.ts'
import { isWhole } from '../model/whole.ts'

/** A wrong amount must not reach a counter or a balance, where it would stay: NaN would disarm it. @throws KeywardError `INPUT` */
export function checkWhole(path: string, amount: number): void {
  if (!isWhole(amount)) throw flawedAt('INPUT', path, 'must be a whole number ≥ 0')
}
