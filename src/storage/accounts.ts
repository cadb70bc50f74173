import { KeywardError } from '../model/errors.ts'
import type { CreditAccount, CreditMove, CreditSpend, Moved, Spend } from '../model/store.ts'
import { type Metered, type Outcome, take } from './counters.ts'

/** A balance as it is kept. What is held is not free any more, and not spent yet. */
export interface Account {
  free: number
  refilledAt: number
  readonly holds: Map<string, Hold>
}

/** What is held until `until`; or, once settled, what was charged, so that the same again charges nothing. */
interface Hold {
  readonly amount: number
  readonly until: number
  readonly charged?: number
}

export function openAccount({ opening }: CreditAccount): Account {
  return { free: opening.amount, refilledAt: opening.at, holds: new Map() }
}

/** Brings an account to `now`: holds whose time is over are given back, a refill that is due is made. */
export function bringUp(account: Account, { refill }: CreditAccount, now: number): void {
  for (const [id, { amount, until }] of account.holds) {
    if (until > now) continue
    account.free += amount
    account.holds.delete(id)
  }
  if (refill === undefined || account.refilledAt >= refill.due) return
  account.free = Math.max(0, refill.to - held(account))
  account.refilledAt = refill.due
}

function held({ holds }: Account): number {
  let sum = 0
  for (const { amount } of holds.values()) sum += amount
  return sum
}

/** Takes from all windows and from an account that was brought up, or from none. */
export function takeWith(account: Account, credits: CreditSpend, metered: Metered, spend: Spend, now: number): Paid {
  const { amount, hold } = credits
  // A wrong amount must not reach the balance, where it would stay.
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError('the amount of a spend is a whole number ≥ 0')
  if (amount > account.free) return { ...look(metered, spend, now), ok: false, balance: account.free }
  const outcome = take(metered, spend, now)
  if (!outcome.ok) return { ...outcome, balance: account.free }
  account.free -= amount
  if (hold !== undefined) account.holds.set(hold.id, { amount, until: hold.until })
  return { ...outcome, balance: account.free }
}

type Paid = Outcome & { readonly balance: number }

/** The windows as they are. */
function look(metered: Metered, { windows }: Spend, now: number): Outcome {
  return take(metered, { windows: windows.map(({ name, limit, ms }) => ({ name, limit, ms })), cost: 0 }, now)
}

/** Moves credit on an account that was brought up. */
export function move(account: Account, { add, settle, release }: CreditMove): Moved {
  if (add !== undefined) give(account, add)
  if (release !== undefined) end(account, release)
  if (settle === undefined) return { balance: account.free }
  const hold = account.holds.get(settle.id)
  if (hold !== undefined && isSettled(hold)) return { balance: account.free, charged: hold.charged }
  end(account, settle.id)
  const charge = Math.min(settle.amount, account.free)
  account.free -= charge
  account.holds.set(settle.id, { amount: 0, until: settle.until, charged: charge })
  return { balance: account.free, charged: charge }
}

/** @throws KeywardError `INPUT` for more than a whole number can count */
function give(account: Account, add: number): void {
  if (!Number.isSafeInteger(account.free + held(account) + add)) {
    const message = `must not lift the balance above ${Number.MAX_SAFE_INTEGER}`
    throw new KeywardError('INPUT', `amount ${message}`, { issues: [{ path: 'amount', message }] })
  }
  account.free += add
}

function isSettled(hold: Hold): hold is Hold & { readonly charged: number } {
  return Object.hasOwn(hold, 'charged')
}

/** What was held is free again. */
function end(account: Account, id: string): void {
  const hold = account.holds.get(id)
  if (hold === undefined || isSettled(hold)) return
  account.free += hold.amount
  account.holds.delete(id)
}

/** An account as JSON. */
export function encodeAccount({ free, refilledAt, holds }: Account): string {
  return JSON.stringify({ free, refilledAt, holds: [...holds] })
}

/** Throws on text that is not of `encodeAccount`: nobody's balance is guessed. */
export function decodeAccount(text: string): Account {
  const { free, refilledAt, holds } = JSON.parse(text) as { free: unknown; refilledAt: unknown; holds: unknown }
  if (!Number.isSafeInteger(free) || typeof refilledAt !== 'number' || !Array.isArray(holds))
    throw new SyntaxError('no account')
  return { free: free as number, refilledAt, holds: new Map(holds as [string, Hold][]) }
}
