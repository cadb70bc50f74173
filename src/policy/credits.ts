import type { Refill, StoredKey } from '../model/key.ts'
import type { CreditAccount } from '../model/store.ts'

/** Whose balance is charged: each key's own, where it has one, or its owner's. */
export type CreditMode = 'key' | 'owner'

const HOUR = 3_600_000
const HOURS = /^([1-9]\d{0,3})h$/

/** The account that a key is charged to, `undefined` where it has none. */
export function accountOf(mode: CreditMode, stored: StoredKey, now: number): CreditAccount | undefined {
  if (mode === 'owner') return ownerAccount(stored.owner)
  const { credits } = stored
  if (credits === undefined) return undefined
  const account = {
    account: `${stored.id}:${credits.opened}`,
    opening: { amount: credits.remaining, at: credits.opened },
  }
  if (credits.refill === undefined) return account
  const due = lastDue(stored.createdAt, credits.refill.every, now)
  return due === undefined ? account : { ...account, refill: { to: credits.refill.amount, due } }
}

/** An owner who was never credited has nothing. The colon keeps owners apart from ids. */
export function ownerAccount(owner: string): CreditAccount {
  return { account: `:${owner}`, opening: { amount: 0, at: 0 } }
}

export function isInterval(every: unknown): every is Refill['every'] {
  return every === 'day' || every === 'week' || every === 'month' || (typeof every === 'string' && HOURS.test(every))
}

/** The last time from `anchor` on, by whole intervals, that is not after `now`; `undefined` before the first. */
export function lastDue(anchor: number, every: Refill['every'], now: number): number | undefined {
  if (every === 'month') return lastMonth(anchor, now)
  const ms = every === 'day' ? 24 * HOUR : every === 'week' ? 168 * HOUR : Number(HOURS.exec(every)?.[1]) * HOUR
  const whole = Math.floor((now - anchor) / ms)
  return whole >= 1 ? anchor + whole * ms : undefined
}

function lastMonth(anchor: number, now: number): number | undefined {
  const [from, to] = [new Date(anchor), new Date(now)]
  let months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
  if (addMonths(from, months) > now) months--
  return months >= 1 ? addMonths(from, months) : undefined
}

/** The same day and time in a later month, or the last day of a month that is too short for it. */
function addMonths(date: Date, months: number): number {
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const midnight = Date.UTC(year, month, Math.min(date.getUTCDate(), lastDay))
  return midnight + (date.getTime() % (24 * HOUR))
}
