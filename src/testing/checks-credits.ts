import type { Moved } from '../model/store.ts'
import { type Draft, next, same, winners } from './check-bench.ts'
import { paid, purseOf } from './purse.ts'
import { remaining, spendOf, window } from './spend.ts'

/** `take` with credit: what it spends, with the windows all or none. */
export const CREDIT_CHECKS: readonly Draft[] = [
  {
    id: 'credits-open',
    name: 'take() opens a balance with its opening amount, once, and tells what is free',
    hold: async (bench) => {
      const { take } = await purseOf(bench, 5)
      same(await take(2), [true, 3], 'open a new balance with opening.amount, and answer what is left')
      same(
        await take(1, { opening: { amount: 100, at: 0 } }),
        [true, 2],
        'ignore the opening of a balance that is there',
      )
    },
  },
  {
    id: 'credits-exact',
    name: 'take() spends a balance down to 0 and refuses what exceeds it, whole',
    hold: async (bench) => {
      const { take, free } = await purseOf(bench, 5)
      same(await take(6), [false, 5], 'spend nothing above the balance, and answer what is free')
      same(await take(5), [true, 0], 'admit what takes the balance to exactly 0')
      same(await take(1), [false, 0], 'never take a balance below 0')
      same(await take(0), [true, 0], 'admit an amount of 0 on an empty balance')
      same(await free(), 0, 'keep what was spent')
    },
  },
  {
    id: 'credits-large',
    name: 'balances are exact up to 2^53 - 1',
    hold: async (bench) => {
      const { take, add, free } = await purseOf(bench, Number.MAX_SAFE_INTEGER)
      same(await take(2), [true, Number.MAX_SAFE_INTEGER - 2], 'keep balances as 64-bit integers or doubles')
      await add(1)
      same(await free(), Number.MAX_SAFE_INTEGER - 1, 'add exactly to large balances')
    },
  },
  {
    id: 'credits-poor-windows',
    name: 'take() takes nothing from the windows when the balance is too low',
    hold: async (bench) => {
      const { key, credit } = await purseOf(bench, 1)
      const ask = async (amount: number) => {
        const spend = { ...spendOf([window('hour', 3), window('day', 500)]), credits: { ...credit, amount } }
        return bench.store.take(key.id, key.version, spend, Date.now())
      }
      const refused = await ask(2)
      same(paid(refused), [false, 1], 'refuse when the balance is too low')
      same(remaining(refused), [3, 500], 'take from windows and balance all or nothing: prove the balance first')
      same(remaining(await ask(1)), [2, 499], 'take from windows and balance all or nothing: prove the balance first')
    },
  },
  {
    id: 'credits-full-window',
    name: 'take() spends and holds nothing when a window is full',
    hold: async (bench) => {
      const { key, credit, free, release } = await purseOf(bench, 9)
      const ask = async (hold?: { id: string; until: number }) => {
        const credits = { ...credit, amount: 2, ...(hold && { hold }) }
        const spend = { ...spendOf([window('day', 500), window('hour', 1)]), credits }
        return paid(await bench.store.take(key.id, key.version, spend, Date.now()))
      }
      same(await ask(), [true, 7], 'admit what fits the windows and the balance')
      same(await ask(), [false, 7], 'spend nothing when a window has no room')
      same(await ask({ id: 'hold', until: Date.now() + 60_000 }), [false, 7], 'hold nothing when a window has no room')
      await release('hold')
      same(await free(), 7, 'keep no hold of a take that was refused')
    },
  },
  {
    id: 'credits-amount-apart',
    name: 'take() spends the amount, whatever the cost of the windows',
    hold: async (bench) => {
      const { key, credit } = await purseOf(bench, 100)
      const ask = async (cost: number, amount: number) => {
        const spend = { ...spendOf([window('hour', 10)], cost), credits: { ...credit, amount } }
        const taken = await bench.store.take(key.id, key.version, spend, Date.now())
        return [...paid(taken), ...remaining(taken)]
      }
      same(await ask(3, 50), [true, 50, 7], 'spend `credits.amount`, not `cost`')
      same(await ask(4, 0), [true, 50, 3], 'spend nothing at amount 0')
      same(await ask(0, 20), [true, 30, 3], 'spend the amount also at cost 0')
    },
  },
  {
    id: 'credits-race',
    name: 'of many at once for the last credit exactly one is served',
    hold: async (bench) => {
      const { take, free } = await purseOf(bench, 1)
      same(await winners(40, async () => (await take(1))[0]), 1, 'look and spend in one atomic step')
      same(await free(), 0, 'never take a balance below 0')
    },
  },
  {
    id: 'credits-race-windows',
    name: 'take() serves exactly what fits both balance and windows when many come at once',
    hold: async (bench) => {
      const { key, credit, free } = await purseOf(bench, 25)
      const windows = [window('hour', 30), window('day', 150)]
      const spend = { ...spendOf(windows), credits: { ...credit, amount: 2 } }
      const ask = async () => bench.store.take(key.id, key.version, spend, Date.now())
      same(await winners(40, async () => paid(await ask())[0]), 12, 'admit exactly what the balance pays for')
      const after = await bench.store.take(key.id, key.version, spendOf(windows, 0), Date.now())
      same([await free(), ...remaining(after)], [1, 18, 138], 'count only what was served, on every window')
    },
  },
  {
    id: 'credits-shared',
    name: 'keys of one owner spend from one balance, exactly',
    hold: async (bench) => {
      const account = `:${bench.owner}`
      const [one, two] = [await purseOf(bench, 0, account), await purseOf(bench, 0, account)]
      same(await one.take(1), [false, 0], 'open the balance of an owner who was never credited with 0')
      await two.add(7)
      const won = await winners(30, async (index) => (await (index % 2 ? one : two).take(1))[0])
      same([won, await one.free(), await two.free()], [7, 0, 0], 'keep a balance by its account, not by the key')
    },
  },
  {
    id: 'credits-version',
    name: 'take() under a version that is not current spends nothing',
    hold: async (bench) => {
      const { key, credit, free } = await purseOf(bench, 4)
      const spend = { ...spendOf([]), credits: { ...credit, amount: 3 } }
      const taken = await bench.store.take(key.id, key.version + 1, spend, Date.now())
      same(taken, { stale: key }, 'prove the version before anything is spent')
      same(await free(), 4, 'take nothing under a version that is not current')
    },
  },
  {
    id: 'credits-replace',
    name: 'replace() leaves balances as they are',
    hold: async (bench) => {
      const { key, take, free } = await purseOf(bench, 4)
      await take(3)
      await bench.store.replace(next(key, { hash: 'check$rotated' }), key.version)
      same(await free(), 1, 'keep a balance by its account, not by version or hash of the key')
    },
  },
  {
    id: 'credits-refill',
    name: 'a refill that is due sets the balance to its amount, once',
    hold: async (bench) => {
      const { take, free, credit } = await purseOf(bench, 5)
      const { at } = credit.opening
      await take(4)
      const refills = [
        { refill: { to: 10, due: at }, free: 1, mend: 'refill only what was opened before `due`' },
        { refill: { to: 10, due: at + 1 }, free: 10, mend: 'set the balance to `to` when a refill is due' },
        { refill: { to: 20, due: at + 1 }, free: 10, mend: 'refill once for each `due`' },
        { refill: { to: 3, due: at + 3 }, free: 3, mend: 'set the balance to `to`, also when that is less' },
        { refill: { to: 7, due: at + 2 }, free: 3, mend: 'refill only when `due` is later' },
      ]
      for (const { refill, free: expected, mend } of refills) same(await free({ refill }), expected, mend)
      same(await take(7, { refill: { to: 8, due: at + 4 } }), [true, 1], 'refill in take() before the amount is taken')
      same(await take(7, { refill: { to: 8, due: at + 4 } }), [false, 1], 'refill once for each `due`')
    },
  },
  {
    id: 'credits-refill-race',
    name: 'of many that find a refill due at once one refills',
    hold: async (bench) => {
      const { take, credit } = await purseOf(bench, 0)
      const refill = { to: 5, due: credit.opening.at + 1 }
      const won = await winners(30, async () => (await take(1, { refill }))[0])
      same(won, 5, 'refill in the atomic step in which it is spent')
    },
  },
  {
    id: 'credits-refill-held',
    name: 'a refill counts what is held',
    hold: async (bench) => {
      const { hold, settle, release, free, credit } = await purseOf(bench, 10)
      const due = credit.opening.at + 1
      await hold(4, 'one')
      await hold(3, 'two')
      same(await free({ refill: { to: 12, due } }), 5, 'let free and held together become `to`')
      const settled: Moved = await settle('one', 1)
      same([settled.balance, settled.charged], [8, 1], 'charge a hold from before a refill as any other')
      same((await release('two')).balance, 11, 'give back a hold from before a refill as any other')
      await hold(6, 'three')
      same(await free({ refill: { to: 2, due: due + 1 } }), 0, 'never take a balance below 0')
    },
  },
]
