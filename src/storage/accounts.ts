import { flawedAt } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import type { CreditAccount, CreditMove, CreditSpend, Moved, Spend } from '../model/store.ts'
import { type Counted, type Outcome, take } from './counters.ts'
import { checkWhole } from './spends.ts'

/** A balance as it is kept. What is held is not free any more, and not spent yet. */
export interface Account {
  free: number
  held: number
  refilledAt: number
  readonly holds: Holds
}

/**
 * What is held until `until`; or, once settled, what was charged, so that the same again charges nothing. What was given
 * once is kept as if it were charged.
 */
export interface Hold {
  readonly amount: number
  readonly until: number
  readonly charged: number | undefined
}

/** The holds of one account, wherever they are kept. An account in use has many: none of this may look at all of them. */
export interface Holds {
  get(id: string): Hold | undefined
  set(id: string, hold: Hold): void
  delete(id: string): void
  /** Those whose time is over. */
  over(now: number): readonly (readonly [id: string, hold: Hold])[]
}

/** Whether more is asked for than how the balance stands. */
export function isChange({ add, settle, release }: CreditMove): boolean {
  return add !== undefined || settle !== undefined || release !== undefined
}

/** Whether a key that is replaced has been given a balance with that, so that those that it had before are closed. */
export function opensAccount({ credits, updatedAt }: StoredKey): boolean {
  return credits !== undefined && credits.opened >= updatedAt
}

/** The key whose balance it is; `undefined` of an owner's, which begins with a colon. */
export function keyOfAccount(account: string): string | undefined {
  const colon = account.lastIndexOf(':')
  return colon > 0 && !account.startsWith(':') ? account.slice(0, colon) : undefined
}

export function openAccount({ opening }: CreditAccount, holds: Holds): Account {
  return { free: opening.amount, held: 0, refilledAt: opening.at, holds }
}

/** Brings an account to `now`: holds whose time is over are given back, a refill that is due is made. */
export function bringUp(account: Account, { refill }: CreditAccount, now: number): void {
  for (const [id, hold] of account.holds.over(now)) endHold(account, id, hold)
  if (refill === undefined || account.refilledAt >= refill.due) return
  account.free = Math.max(0, refill.to - account.held)
  account.refilledAt = refill.due
}

/** Takes from all windows and from an account that was brought up, or from none. */
export function takeWith(account: Account, credits: CreditSpend, metered: Counted, spend: Spend, now: number): Paid {
  const { amount, hold } = credits
  checkWhole('credits.amount', amount)
  if (amount > account.free) return { ...look(metered, spend, now), ok: false, balance: account.free }
  const outcome = take(metered, spend, now)
  if (!outcome.ok) return { ...outcome, balance: account.free }
  account.free -= amount
  if (hold !== undefined) {
    account.held += amount
    account.holds.set(hold.id, { amount, until: hold.until, charged: undefined })
  }
  return { ...outcome, balance: account.free }
}

type Paid = Outcome & { readonly balance: number }

/** The windows as they are. */
function look(metered: Counted, { windows }: Spend, now: number): Outcome {
  return take(metered, { windows: windows.map(({ name, limit, ms }) => ({ name, limit, ms })), cost: 0 }, now)
}

/** Moves credit on an account that was brought up. */
export function move(account: Account, credit: CreditMove): Moved {
  const { add, settle, release } = credit
  if (add !== undefined) return give(account, add, credit.once)
  if (release !== undefined) end(account, release)
  if (settle === undefined) return { balance: account.free }
  const before = account.holds.get(settle.id)?.charged
  if (before !== undefined) return { balance: account.free, charged: before }
  end(account, settle.id)
  const charged = Math.min(settle.amount, account.free)
  account.free -= charged
  account.holds.set(settle.id, { amount: 0, until: settle.until, charged })
  return { balance: account.free, charged }
}

/** @throws KeywardError `INPUT` for more than a whole number can count */
function give(account: Account, add: number, once: Extract<CreditMove, { readonly add: number }>['once']): Moved {
  const before = once && account.holds.get(once.id)?.charged
  if (before !== undefined) return { balance: account.free, added: before }
  if (!Number.isSafeInteger(account.free + account.held + add)) {
    throw flawedAt('INPUT', 'amount', `must not lift the balance above ${Number.MAX_SAFE_INTEGER}`)
  }
  account.free += add
  if (once === undefined) return { balance: account.free }
  account.holds.set(once.id, { amount: 0, until: once.until, charged: add })
  return { balance: account.free, added: add }
}

/** What was held is free again; what was settled stays. */
function end(account: Account, id: string): void {
  const hold = account.holds.get(id)
  if (hold !== undefined && hold.charged === undefined) endHold(account, id, hold)
}

function endHold(account: Account, id: string, { amount }: Hold): void {
  account.free += amount
  account.held -= amount
  account.holds.delete(id)
}

/** Of holds, of what was settled and of what was given: each lasts equally long. */
const KINDS = 3

/** Holds in memory: a list for each kind, so that those that end first are nearly always at its front already. */
export function memoryHolds(): Holds {
  const lists: Ordered[] = []
  return {
    get(id) {
      for (const { holds } of lists) if (holds.has(id)) return holds.get(id)
      return undefined
    },
    set: (id, hold) => listFor(hold.until).place(id, hold),
    delete(id) {
      for (const { holds } of lists) holds.delete(id)
    },
    over: (now) => lists.flatMap((list) => list.over(now)),
  }

  /** The one at whose end it stands, as near as can be to what is there. */
  function listFor(until: number): Ordered {
    const [nearest] = lists.filter(({ latest }) => latest <= until).sort((a, b) => b.latest - a.latest)
    if (nearest !== undefined) return nearest
    if (lists.length < KINDS) lists.push(inOrderOfEnd())
    return lists[lists.length - 1] as Ordered
  }
}

interface Ordered {
  readonly holds: Map<string, Hold>
  /** When the last of them ends, or ended. */
  readonly latest: number
  place(id: string, hold: Hold): void
  over(now: number): (readonly [string, Hold])[]
}

function inOrderOfEnd(): Ordered {
  const holds = new Map<string, Hold>()
  let latest = 0
  return {
    holds,
    get latest() {
      return latest
    },
    place(id, hold) {
      holds.set(id, hold)
      if (hold.until >= latest) latest = hold.until
      else sort(holds)
    },
    over(now) {
      const ended: [string, Hold][] = []
      for (const entry of holds) {
        if (entry[1].until > now) break
        ended.push(entry)
      }
      return ended
    },
  }
}

function sort(holds: Map<string, Hold>): void {
  const entries = [...holds].sort(([, a], [, b]) => a.until - b.until)
  holds.clear()
  for (const [id, hold] of entries) holds.set(id, hold)
}
