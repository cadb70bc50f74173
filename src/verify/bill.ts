import type { StoredKey } from '../model/key.ts'
import type { Window } from '../model/limits.ts'
import type { CreditSpend, MeterReading, Spend, SpendWindow } from '../model/store.ts'

/** What a request takes, or took. */
export interface Bill {
  /** From each window. */
  readonly cost: number
  /** From the balance: the cost, for which also what is held stands; 0 where nothing is held in its place. */
  readonly charged: number
  /** What is held of the balance, in place of the cost; 0 where nothing is. */
  readonly held: number
  readonly windows: readonly Window[]
  /** What the windows read, one for one. */
  readonly readings: readonly MeterReading[]
  /** What is free of the balance; `undefined` where there is none. */
  readonly balance: number | undefined
  /** What is held and may be settled. */
  readonly hold: CreditSpend | undefined
  /** When it was decided, by the clock that the windows are counted by. */
  readonly at: number
  /** When there would be room, where there was none; `undefined` where no wait helps. */
  readonly retryAt: number | undefined
  /** The store failed, and what was due was not counted. */
  readonly isUnmetered?: boolean
}

/** What came of taking. */
export type Metered =
  | (Bill & { readonly type: 'admitted' | 'limited' | 'poor' })
  | { readonly type: 'stale'; readonly stored: StoredKey | undefined }
  | { readonly type: 'failed'; readonly error: unknown }

/** What is to be taken. */
export interface Order extends Spend {
  readonly credits: CreditSpend | undefined
  /** From so much on, what is there of the credit will do, where the whole is not. */
  readonly least: number | undefined
}

/** Every member its own, so that nothing shines through from `Object.prototype`. */
export function orderFor(cost: number, windows: readonly SpendWindow[], credits?: CreditSpend, least?: number): Order {
  return { cost, windows, credits, least }
}

export function billFor(
  type: 'admitted' | 'limited' | 'poor',
  { cost, windows, credits }: Order,
  readings: readonly MeterReading[],
  balance: number | undefined,
  at: number,
  retryAt: number | undefined,
): Extract<Metered, Bill> {
  const hold = credits?.hold === undefined ? undefined : credits
  const charged = hold === undefined || hold.amount > 0 ? cost : 0
  return { type, cost, charged, held: hold?.amount ?? 0, windows, readings, balance, hold, at, retryAt }
}
