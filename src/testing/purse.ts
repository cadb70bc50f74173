import type { StoredKey } from '../model/key.ts'
import type { CreditAccount, CreditMove, CreditSpend, Moved, Taken } from '../model/store.ts'
import type { Bench } from './check-bench.ts'
import { spendOf, takes } from './spend.ts'

/** Far from any clock of a store. */
const AGE = 600_000

type Ask = Partial<Omit<CreditSpend, 'amount'>>
type Deed =
  | Pick<Extract<CreditMove, { readonly add: number }>, 'add' | 'once'>
  | Pick<CreditMove, 'settle'>
  | Pick<CreditMove, 'release'>

/** A key with a balance, and short ways to both. */
export interface Purse {
  readonly key: StoredKey
  readonly credit: CreditAccount
  /** Whether it was served, and what is free then. */
  take(amount: number, more?: Ask): Promise<readonly [served: boolean, free: number | undefined]>
  /** Holds an amount until long after the check, or, with `over`, until long before it. */
  hold(amount: number, id: string, over?: 'over'): Promise<readonly [served: boolean, free: number | undefined]>
  add(amount: number): Promise<Moved>
  /** The same under one id gives once. */
  addOnce(amount: number, id: string): Promise<Moved>
  settle(id: string, amount: number): Promise<Moved>
  release(id: string): Promise<Moved>
  free(more?: Partial<CreditAccount>): Promise<number>
}

/** A new key with a balance of its own, or with that of `account`. */
export async function purseOf({ store, added }: Bench, amount: number, account?: string): Promise<Purse> {
  const at = Date.now() - AGE
  const key = await added(account === undefined ? { credits: { remaining: amount, opened: at } } : {})
  return purse(store, key, { account: account ?? `${key.id}:${at}`, opening: { amount, at } })
}

/** The same for a key that is there. */
export function purse(store: Bench['store'], key: StoredKey, credit: CreditAccount): Purse {
  const take: Purse['take'] = async (amount, more) => {
    const spend = { ...spendOf([]), credits: { ...credit, ...more, amount } }
    return paid(await store.take(key.id, key.version, spend, Date.now()))
  }
  const move = async (deed: Deed): Promise<Moved> => store.move({ ...credit, ...deed } as CreditMove, Date.now())
  return {
    key,
    credit,
    take,
    hold: (amount, id, over) => take(amount, { hold: { id, until: Date.now() + (over ? -AGE : AGE) } }),
    add: (amount) => move({ add: amount }),
    addOnce: (amount, id) => move({ add: amount, once: { id, until: Date.now() + AGE } }),
    settle: (id, amount) => move({ settle: { id, amount, until: Date.now() + AGE } }),
    release: (id) => move({ release: id }),
    free: async (more) => (await store.move({ ...credit, ...more }, Date.now())).balance,
  }
}

/** Whether it was served, and what is free then; a stale answer is a failure of the check. */
export function paid(taken: Taken): readonly [served: boolean, free: number | undefined] {
  return [takes(taken), taken.ok === undefined ? undefined : taken.balance]
}
