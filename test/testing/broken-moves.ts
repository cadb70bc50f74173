import { accountOf, onCredit, onTake } from './broken-credits.ts'
import { at, type BrokenStore } from './broken-store.ts'

/** Mistakes with moving credit: adding, holding, settling, releasing; and with what becomes of it when a key goes. */
export const BROKEN_MOVES: readonly BrokenStore[] = [
  {
    mistake: 'adding reads the balance, and writes it later',
    found: ['move-add', 'move-add-once'],
    change: (good) => ({
      move: async (credit, now) => {
        if (credit.add === undefined) return good.move(credit, now)
        const before = at(good.move(accountOf(credit), now)).balance
        await null
        const meanwhile = at(good.move(accountOf(credit), now)).balance - before
        return good.move({ ...accountOf(credit), add: credit.add - meanwhile }, now)
      },
    }),
  },
  {
    mistake: 'adding answers the balance before',
    found: ['move-add', 'move-add-once'],
    change: (good) => ({
      move: (credit, now) => {
        const moved = at(good.move(credit, now))
        return credit.add === undefined ? moved : { balance: moved.balance - credit.add }
      },
    }),
  },
  {
    mistake: 'what is to be given once is given each time',
    found: ['move-add-once'],
    change: (good) => ({
      move(credit, now) {
        if (credit.add === undefined || credit.once === undefined) return good.move(credit, now)
        const moved = at(good.move({ ...accountOf(credit), add: credit.add }, now))
        return { ...moved, added: credit.add }
      },
    }),
  },
  {
    mistake: 'a hold is not taken off what is free',
    found: ['move-hold'],
    change: (good) => onTake(good, ({ hold, ...credits }) => (hold ? { ...credits, amount: 0 } : credits)),
  },
  {
    mistake: 'a hold is spent, and settling charges once more',
    found: ['move-hold', 'move-settle-zero', 'move-release'],
    change: (good) => onTake(good, ({ hold: _, ...credits }) => credits),
  },
  {
    mistake: 'settling charges at most what was held',
    found: ['move-settle-more'],
    change: (good) => {
      const held = new Map<string, number>()
      return {
        ...onTake(good, (credits) => {
          if (credits.hold !== undefined) held.set(credits.hold.id, credits.amount)
          return credits
        }),
        move: (credit, now) => {
          if (credit.settle === undefined) return good.move(credit, now)
          const amount = Math.min(credit.settle.amount, held.get(credit.settle.id) ?? 0)
          return good.move({ ...credit, settle: { ...credit.settle, amount } }, now)
        },
      }
    },
  },
  {
    mistake: 'settling charges more than there is',
    found: ['move-settle-more', 'move-settle-gone', 'move-hold-ends'],
    change: (good) => ({
      move: (credit, now) => {
        const moved = at(good.move(credit, now))
        const short = (credit.settle?.amount ?? 0) - (moved.charged ?? 0)
        return short > 0 ? { balance: moved.balance - short, charged: (moved.charged ?? 0) + short } : moved
      },
    }),
  },
  {
    mistake: 'settling charges every time',
    found: ['move-settle-again', 'move-settle-gone'],
    change: (good) => {
      const settled = new Map<string, number>()
      return {
        move: (credit, now) => {
          if (credit.settle === undefined) return good.move(credit, now)
          const times = settled.get(credit.settle.id) ?? 0
          settled.set(credit.settle.id, times + 1)
          const id = times === 0 ? credit.settle.id : `${credit.settle.id} ${times}`
          return good.move({ ...credit, settle: { ...credit.settle, id } }, now)
        },
      }
    },
  },
  {
    mistake: 'settling again answers that nothing was charged',
    found: ['move-settle-again', 'move-settle-gone'],
    change: (good) => {
      const settled = new Set<string>()
      return {
        move: (credit, now) => {
          const moved = at(good.move(credit, now))
          if (credit.settle === undefined) return moved
          const isFirst = !settled.has(credit.settle.id)
          settled.add(credit.settle.id)
          return isFirst ? moved : { ...moved, charged: 0 }
        },
      }
    },
  },
  {
    mistake: 'settling at 0 is taken for settling what was held',
    found: ['move-settle-zero'],
    change: (good) => ({
      move: (credit, now) =>
        good.move(
          credit.settle === undefined
            ? credit
            : { ...credit, settle: { ...credit.settle, amount: credit.settle.amount || 6 } },
          now,
        ),
    }),
  },
  {
    mistake: 'releasing gives back every time',
    found: ['move-release'],
    change: (good) => {
      const released = new Set<string>()
      return {
        move: (credit, now) => {
          if (credit.release === undefined) return good.move(credit, now)
          const add = released.has(credit.release) ? 6 : 0
          released.add(credit.release)
          const { balance } = at(good.move(credit, now))
          return add > 0 ? good.move({ ...accountOf(credit), add }, now) : { balance }
        },
      }
    },
  },
  {
    mistake: 'a hold never runs out',
    found: ['move-hold-ends'],
    change: (good) =>
      onTake(good, ({ hold, ...credits }) =>
        hold === undefined ? credits : { ...credits, hold: { ...hold, until: Number.MAX_SAFE_INTEGER } },
      ),
  },
  {
    mistake: 'holds run out in the order in which they were made',
    found: ['move-hold-ends-first'],
    change: (good) => {
      const latest = new Map<string, number>()
      return onTake(good, ({ hold, ...credits }) => {
        if (hold === undefined) return credits
        const until = Math.max(hold.until, latest.get(credits.account) ?? 0)
        latest.set(credits.account, until)
        return { ...credits, hold: { ...hold, until } }
      })
    },
  },
  {
    mistake: 'settling late charges nothing',
    found: ['move-settle-gone', 'move-hold-ends'],
    change: (good) => ({
      move: (credit, now) => {
        if (credit.settle === undefined) return good.move(credit, now)
        const before = at(good.move(accountOf(credit), now)).balance
        const { balance } = at(good.move({ ...accountOf(credit), release: credit.settle.id }, now))
        return balance === before ? { balance, charged: 0 } : good.move(credit, now)
      },
    }),
  },
  {
    mistake: 'a hold is known by its id alone',
    found: ['move-holds-apart'],
    change: (good) => {
      const holders = new Map<string, string>()
      return {
        ...onTake(good, (credits) => {
          if (credits.hold !== undefined) holders.set(credits.hold.id, credits.account)
          return credits
        }),
        move: (credit, now) => {
          const holder = holders.get(credit.settle?.id ?? credit.release ?? '')
          return good.move(holder === undefined ? credit : { ...credit, account: holder }, now)
        },
      }
    },
  },
  {
    mistake: 'remove keeps the balances',
    found: ['move-remove', 'move-removed'],
    change: (good) => onCredit(good, (credit) => ({ ...credit, account: `:kept ${credit.account}` })),
  },
  {
    mistake: 'remove ends every balance that has the id in its name',
    found: ['move-remove-others'],
    change: (good) => {
      const gone = new Map<string, number>()
      const named = (account: string): string =>
        [...gone].reduce((name, [id, times]) => (account.includes(id) ? `${name} ${times}` : name), account)
      return {
        ...onCredit(good, (credit) => ({ ...credit, account: named(credit.account) })),
        remove: (id) => {
          gone.set(id, (gone.get(id) ?? 0) + 1)
          return good.remove(id)
        },
      }
    },
  },
  {
    mistake: 'accounts are compared without regard to case',
    found: ['move-apart'],
    change: (good) => onCredit(good, (credit) => ({ ...credit, account: credit.account.toLowerCase() })),
  },
  {
    mistake: 'accounts are trimmed',
    found: ['move-apart'],
    change: (good) => onCredit(good, (credit) => ({ ...credit, account: credit.account.trim() })),
  },
  {
    mistake: 'reading a balance before it is opened answers 0',
    found: ['move-reads'],
    change: (good) => {
      const known = new Set<string>()
      const spent = onTake(good, (credits) => {
        known.add(credits.account)
        return credits
      })
      return { ...spent, move: (credit, now) => (known.has(credit.account) ? good.move(credit, now) : { balance: 0 }) }
    },
  },
  {
    mistake: 'settling reads the balance, and writes it later',
    found: ['move-settle-race'],
    change: (good) => {
      let writes = 0
      return {
        move: async (credit, now) => {
          if (credit.settle === undefined) return good.move(credit, now)
          const read = () => at(good.move(accountOf(credit), now)).balance
          const before = read()
          await null
          // What others freed meanwhile is overwritten.
          const lost = { id: `lost ${++writes}`, amount: Math.max(0, read() - before), until: now + 1_000 }
          good.move({ ...accountOf(credit), settle: lost }, now)
          return good.move(credit, now)
        },
      }
    },
  },
]
