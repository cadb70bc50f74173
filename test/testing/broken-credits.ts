import type { CreditAccount, CreditMove, CreditSpend, Moved, Spend } from '../../src/model/store.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

/** Mistakes with balances, and with windows that have a cost of their own. */
export const BROKEN_CREDITS: readonly BrokenStore[] = [
  {
    mistake: 'a balance is opened anew by every take',
    found: ['credits-open', 'credits-exact', 'credits-race', 'move-reads'],
    change: (good) => {
      let takes = 0
      return onTake(good, (credits) => ({ ...credits, account: `${credits.account}${++takes}` }))
    },
  },
  {
    mistake: 'what is settled after its key was removed opens the balance again',
    found: ['move-removed'],
    change: (good) => {
      const gone = new Set<string>()
      const named = (account: string) => (gone.has(account.split(':')[0] ?? '') ? `:late ${account}` : account)
      return {
        ...onCredit(good, (credit) => ({ ...credit, account: named(credit.account) })),
        remove: (id) => {
          gone.add(id)
          return good.remove(id)
        },
      }
    },
  },
  {
    mistake: 'take takes from the windows, then from the balance',
    found: ['credits-poor-windows', 'credits-race-windows'],
    change: (good) => ({
      take: (id, version, { credits, ...spend }, now) => {
        const taken = at(good.take(id, version, spend, now))
        if (credits === undefined || taken.ok !== true) return taken
        const paid = at(good.take(id, version, { windows: [], cost: 0, credits }, now))
        return { ...paid, readings: taken.readings } as typeof taken
      },
    }),
  },
  {
    mistake: 'take takes from the balance, then from the windows',
    found: ['credits-full-window'],
    change: (good) => ({
      take: (id, version, { credits, ...spend }, now) => {
        if (credits === undefined) return good.take(id, version, spend, now)
        const paid = at(good.take(id, version, { windows: [], cost: 0, credits }, now))
        if (paid.ok === undefined) return paid
        const taken = at(good.take(id, version, { ...spend, cost: paid.ok ? spend.cost : 0 }, now))
        return { ...paid, ...taken, ok: paid.ok && taken.ok } as typeof taken
      },
    }),
  },
  {
    mistake: 'take looks at the balance first, and spends later',
    found: ['credits-race', 'credits-race-windows', 'credits-shared', 'credits-refill-race'],
    change: spendsLater,
  },
  {
    mistake: 'take looks at the balance first, and holds later',
    found: ['move-hold-race'],
    change: (good) => {
      const { take } = spendsLater(good)
      return { take: (id, version, spend, now) => (spend.credits?.hold ? take : good.take)(id, version, spend, now) }
    },
  },
  {
    mistake: 'a balance may fall below zero',
    found: ['credits-exact'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const taken = at(good.take(id, version, spend, now))
        if (taken.ok !== false || spend.credits === undefined || taken.balance === undefined) return taken
        return { ...taken, ok: true, balance: taken.balance - spend.credits.amount }
      },
    }),
  },
  {
    mistake: 'take spends the cost of the windows in place of the amount',
    found: ['credits-amount-apart'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        if (spend.credits === undefined) return good.take(id, version, spend, now)
        return good.take(id, version, { ...spend, credits: { ...spend.credits, amount: spend.cost } }, now)
      },
    }),
  },
  {
    mistake: 'take spends before it proves the version',
    found: ['credits-version'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const taken = at(good.take(id, version, spend, now))
        const current = taken.stale?.version
        if (current !== undefined) good.take(id, current, spend, now)
        return taken
      },
    }),
  },
  {
    mistake: 'a balance goes with the version of its key',
    found: ['credits-replace'],
    change: (good) => {
      const named = <C extends CreditAccount>(credit: C): C => {
        const id = credit.account.split(':')[0] ?? ''
        const key = at(good.find(id))
        return key === undefined ? credit : { ...credit, account: `${credit.account}:${key.version}` }
      }
      return onCredit(good, named)
    },
  },
  {
    mistake: 'an owner has a balance for each key',
    found: ['credits-shared'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        if (spend.credits === undefined) return good.take(id, version, spend, now)
        const credits = { ...spend.credits, account: `${spend.credits.account} ${id}` }
        return good.take(id, version, { ...spend, credits }, now)
      },
    }),
  },
  {
    mistake: 'a refill is made whenever it is seen',
    found: ['credits-refill', 'credits-refill-race'],
    change: (good) => {
      let seen = 0
      return onCredit(good, (credit) =>
        credit.refill === undefined ? credit : { ...credit, refill: { ...credit.refill, due: Date.now() + ++seen } },
      )
    },
  },
  {
    mistake: 'a refill is made whenever it is due at another time than the last one',
    found: ['credits-refill'],
    change: (good) => {
      const last = new Map<string, number>()
      let later = 0
      return onCredit(good, (credit) => {
        const { account, opening, refill } = credit
        if (refill === undefined || refill.due === last.get(account)) return withoutRefill(credit)
        if (refill.due > opening.at) last.set(account, refill.due)
        const due = refill.due > opening.at ? opening.at + ++later : refill.due
        return { ...credit, refill: { ...refill, due } }
      })
    },
  },
  {
    mistake: 'a refill forgets what is held',
    found: ['credits-refill-held'],
    change: (good) => ({
      move: (credit, now) => {
        const before = at(good.move(withoutRefill(credit), now)).balance
        const { balance } = at(good.move(credit, now))
        const lost = credit.refill !== undefined && balance !== before ? credit.refill.to - balance : 0
        return lost > 0 ? good.move({ ...accountOf(credit), add: lost }, now) : { balance }
      },
    }),
  },
  {
    mistake: 'a refill only ever raises a balance',
    found: ['credits-refill'],
    change: (good) => ({
      move: (credit, now) => {
        const { balance } = at(good.move(withoutRefill(credit), now))
        return credit.refill === undefined || balance > credit.refill.to ? { balance } : good.move(credit, now)
      },
    }),
  },
  {
    mistake: 'balances are 32-bit integers',
    found: ['credits-large'],
    change: (good) =>
      onCredit(good, (credit) => {
        const amount = Math.min(credit.opening.amount, 2 ** 31 - 1)
        return { ...credit, opening: { ...credit.opening, amount } }
      }),
  },
  {
    mistake: 'a window takes the common cost, whatever its own',
    found: ['window-own-cost', 'window-own-cost-zero'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const windows = spend.windows.map(({ name, limit, ms }) => ({ name, limit, ms }))
        return good.take(id, version, { ...spend, windows }, now)
      },
    }),
  },
  {
    mistake: 'a window whose own cost is 0 takes the common one',
    found: ['window-own-cost-zero'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const windows = spend.windows.map((window) => ({ ...window, cost: window.cost || spend.cost }))
        return good.take(id, version, { ...spend, windows }, now)
      },
    }),
  },
  {
    mistake: 'own costs are not looked at when the common cost is 0',
    found: ['window-own-cost'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const windows = spend.cost > 0 ? spend.windows : spend.windows.map((window) => ({ ...window, cost: 0 }))
        return good.take(id, version, { ...spend, windows }, now)
      },
    }),
  },
]

function spendsLater(good: Verbs): Pick<Verbs, 'take'> {
  return {
    take: async (id, version, spend, now) => {
      const { credits } = spend
      if (credits === undefined) return good.take(id, version, spend, now)
      const { balance } = at(good.move(accountOf(credits), now))
      await null
      const short = credits.amount - at(good.move(accountOf(credits), now)).balance
      // What it writes is what it saw, so what others spent meanwhile is there again.
      if (balance >= credits.amount && short > 0) good.move({ ...accountOf(credits), add: short }, now)
      return good.take(id, version, spend, now)
    },
  }
}

/** A store whose `take` is given another account. */
export function onTake(good: Verbs, change: (credits: CreditSpend) => CreditSpend): Pick<Verbs, 'take'> {
  return {
    take: (id, version, spend: Spend, now) => {
      if (spend.credits === undefined) return good.take(id, version, spend, now)
      return good.take(id, version, { ...spend, credits: change(spend.credits) }, now)
    },
  }
}

/** The same for `move`, too. */
export function onCredit(good: Verbs, change: <C extends CreditAccount>(credit: C) => C): Pick<Verbs, 'take' | 'move'> {
  return { ...onTake(good, change), move: (credit: CreditMove, now: number) => good.move(change(credit), now) as Moved }
}

export function accountOf({ account, opening, refill }: CreditAccount): CreditAccount {
  return refill === undefined ? { account, opening } : { account, opening, refill }
}

function withoutRefill<C extends CreditAccount>({ refill: _, ...credit }: C): C {
  return credit as C
}
