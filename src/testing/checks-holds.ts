import { type Draft, randomText, same, winners } from './check-bench.ts'
import { type Purse, purse, purseOf } from './purse.ts'

/** `move`: credit that is read, given, held, settled and released; and what becomes of it when the key goes. */
export const MOVE_CHECKS: readonly Draft[] = [
  {
    id: 'move-reads',
    name: 'move() without a deed answers what is free, and changes nothing',
    hold: async (bench) => {
      const { take, free } = await purseOf(bench, 5)
      same([await free(), await free()], [5, 5], 'answer the opening amount')
      await take(2)
      same([await free(), await free()], [3, 3], 'answer what is free')
    },
  },
  {
    id: 'move-add',
    name: 'move() adds to what is there, exactly when many add at once',
    hold: async (bench) => {
      const { take, add, free } = await purseOf(bench, 5)
      same(await add(3), { balance: 8 }, 'open the balance, then add, and answer what is free afterwards')
      await take(8)
      await Promise.all(Array.from({ length: 30 }, () => add(2)))
      same(await free(), 60, 'add in one atomic step')
    },
  },
  {
    id: 'move-add-once',
    name: 'move() gives once what is to be given once, whoever asks again, and answers what it gave',
    hold: async (bench) => {
      const { take, hold, settle, addOnce, free } = await purseOf(bench, 5)
      const answers = await Promise.all(Array.from({ length: 12 }, () => addOnce(3, 'once')))
      same(answers, Array(12).fill({ balance: 8, added: 3 }), 'remember until `until` what was given under an id')
      await take(8)
      same(
        await addOnce(7, 'once'),
        { balance: 0, added: 3 },
        'answer what was given, and give nothing, for another amount',
      )
      same(await addOnce(4, 'another'), { balance: 4, added: 4 }, 'know what was given by its id')
      await hold(2, 'hold')
      await settle('hold', 1)
      same([(await addOnce(4, 'another')).added, await free()], [4, 3], 'remember it beside what is held and settled')
    },
  },
  {
    id: 'move-hold',
    name: 'what is held is not free until it is settled, and settling charges what was used',
    hold: async (bench) => {
      const { take, hold, settle, free } = await purseOf(bench, 10)
      same(await hold(11, 'large'), [false, 10], 'refuse to hold more than is free')
      same(await hold(6, 'hold'), [true, 4], 'take what is held off what is free')
      same([await take(5), await free()], [[false, 4], 4], 'spend nothing that is held')
      same(await settle('hold', 4), { balance: 6, charged: 4 }, 'charge what is settled, and free the rest of the hold')
      same(await free(), 6, 'keep what settling charged')
    },
  },
  {
    id: 'move-hold-race',
    name: 'of many at once that hold the last credit exactly one is served',
    hold: async (bench) => {
      const { hold, free } = await purseOf(bench, 1)
      same(await winners(40, async () => (await hold(1, randomText()))[0]), 1, 'look and hold in one atomic step')
      same(await free(), 0, 'keep what is held')
    },
  },
  {
    id: 'move-settle-more',
    name: 'settling charges more than was held from what is free, and never more than there is',
    hold: async (bench) => {
      const { hold, settle } = await purseOf(bench, 10)
      await hold(2, 'one')
      same(await settle('one', 5), { balance: 5, charged: 5 }, 'charge what exceeds the hold from what is free')
      await hold(2, 'two')
      await hold(1, 'other')
      same(await settle('two', 9), { balance: 0, charged: 4 }, 'charge at most what was held and what is free')
      same(await settle('other', 1), { balance: 0, charged: 1 }, 'leave what others hold to them')
    },
  },
  {
    id: 'move-settle-again',
    name: 'settling again answers the same, and charges nothing',
    hold: async (bench) => {
      const { add, hold, settle, free } = await purseOf(bench, 10)
      await hold(6, 'hold')
      const answers = await Promise.all(Array.from({ length: 12 }, () => settle('hold', 4)))
      same(answers, Array(12).fill({ balance: 6, charged: 4 }), 'remember until `until` what settling a hold charged')
      await add(5)
      same((await settle('hold', 4)).charged, 4, 'answer what was charged, also when credit came since')
      same(await free(), 11, 'charge a hold once')
    },
  },
  {
    id: 'move-settle-zero',
    name: 'settling at 0 frees the whole hold, and is not forgotten either',
    hold: async (bench) => {
      const { hold, settle } = await purseOf(bench, 10)
      await hold(6, 'hold')
      const answers = [await settle('hold', 0), await settle('hold', 0)]
      same(answers, Array(2).fill({ balance: 10, charged: 0 }), 'take 0 for an amount, not for none')
    },
  },
  {
    id: 'move-settle-race',
    name: 'many holds settled at once charge no more than there is, and each what it answers',
    hold: async (bench) => {
      const { hold, settle, free } = await purseOf(bench, 100)
      const ids = Array.from({ length: 12 }, () => randomText())
      for (const id of ids) await hold(7, id)
      const settled = await Promise.all(ids.map((id, at) => settle(id, at)))
      const charged = settled.reduce((sum, moved) => sum + (moved.charged ?? 0), 0)
      same([charged, await free()], [66, 34], 'settle in one atomic step: what was charged is what is missing')
    },
  },
  {
    id: 'move-release',
    name: 'releasing frees a hold, charges nothing, and is harmless again and for what is unknown',
    hold: async (bench) => {
      const { hold, settle, release } = await purseOf(bench, 10)
      await hold(6, 'hold')
      same((await release('hold')).balance, 10, 'free what was held')
      same((await release('hold')).balance, 10, 'free a hold once')
      same((await release('unknown')).balance, 10, 'take a hold that is not there for none')
      await hold(6, 'settled')
      await settle('settled', 4)
      same((await release('settled')).balance, 6, 'leave a hold that was settled as it is')
      same(await settle('settled', 4), { balance: 6, charged: 4 }, 'remember what was charged through a release')
    },
  },
  {
    id: 'move-settle-gone',
    name: 'settling a hold that was released charges what is free',
    hold: async (bench) => {
      const { hold, settle, release } = await purseOf(bench, 10)
      await hold(6, 'hold')
      await release('hold')
      const answers = [await settle('hold', 4), await settle('hold', 4)]
      same(answers, Array(2).fill({ balance: 6, charged: 4 }), 'charge what is free when the hold is gone, once')
      same(await settle('none', 9), { balance: 0, charged: 6 }, 'charge at most what is free when the hold is gone')
    },
  },
  {
    id: 'move-hold-ends',
    name: 'a hold that ran out is free again, and is charged from what is free when it is settled late',
    hold: async (bench) => {
      const { take, hold, settle, release, free } = await purseOf(bench, 10)
      await hold(6, 'one', 'over')
      same(await free(), 10, 'free a hold at its `until`, when the balance is next looked at')
      await hold(6, 'two', 'over')
      same(await take(9), [true, 1], 'free a hold at its `until`, also for take()')
      same(await settle('two', 4), { balance: 0, charged: 1 }, 'charge at most what is free when the hold is gone')
      same((await release('one')).balance, 0, 'free a hold that ran out once')
    },
  },
  {
    id: 'move-hold-ends-first',
    name: 'a hold runs out at its own time, also when an earlier one lasts longer',
    hold: async (bench) => {
      const { hold, settle, free } = await purseOf(bench, 10)
      await hold(2, 'long')
      await hold(6, 'short', 'over')
      same(await free(), 8, 'free each hold at its own `until`')
      same(await settle('long', 1), { balance: 9, charged: 1 }, 'keep what is held until later')
    },
  },
  {
    id: 'move-remove',
    name: "remove() ends a key's balances and holds: an id that comes back opens them anew",
    hold: async (bench) => {
      const { key, take, hold, credit } = await purseOf(bench, 10)
      await take(3)
      await hold(4, 'hold')
      await bench.store.remove(key.id)
      const again = bench.newKey({ id: key.id, ...(key.credits && { credits: key.credits }) })
      await bench.store.insert(again)
      const anew = purse(bench.store, again, credit)
      same(
        await anew.take(1),
        [true, 9],
        'remove the accounts that begin with the id and a colon, together with the key',
      )
      same((await anew.release('hold')).balance, 9, 'remove holds together with the key')
    },
  },
  {
    id: 'move-removed',
    name: 'move() leaves nothing of a key that was removed: an id that comes back opens its balance anew',
    hold: async (bench) => {
      const { key, hold, settle, release, credit } = await purseOf(bench, 10)
      await hold(4, 'first')
      await hold(2, 'second')
      await bench.store.remove(key.id)
      await settle('first', 3)
      await release('second')
      const again = bench.newKey({ id: key.id, ...(key.credits && { credits: key.credits }) })
      await bench.store.insert(again)
      const { free } = purse(bench.store, again, credit)
      same(await free(), 10, 'keep no account, hold or mark of a key that is gone, also of a late move')
    },
  },
  {
    id: 'move-remove-others',
    name: 'remove() leaves the balances of owners and of other keys as they are',
    hold: async (bench) => {
      const gone = await purseOf(bench, 5)
      const { id } = gone.key
      const others: Purse[] = []
      for (const account of [`:${id}`, `:${bench.owner}`]) others.push(await purseOf(bench, 5, account))
      for (const other of [`${id}0`, `0${id}`, `${id.toLowerCase()}_`]) {
        const key = await bench.added({ id: other, credits: { remaining: 5, opened: 1 } })
        others.push(purse(bench.store, key, { account: `${other}:1`, opening: { amount: 5, at: 1 } }))
      }
      for (const { take } of [gone, ...others]) await take(1)
      await bench.store.remove(id)
      const left = await Promise.all(others.map(({ free }) => free()))
      same(left, Array(others.length).fill(4), 'remove no other accounts')
    },
  },
  {
    id: 'move-apart',
    name: 'balances are known by the exact text of their accounts',
    hold: async (bench) => {
      const mark = `:${bench.owner}`
      const texts = ['Ab', 'ab', 'AB', 'Ab ', '\u00c5b', 'A\u030ab', 'A%', 'A_', "'", '__proto__', ':1', '']
      const purses: Purse[] = []
      for (const text of texts) purses.push(await purseOf(bench, 0, mark + text))
      for (const [at, { add }] of purses.entries()) await add(at + 1)
      const left = await Promise.all(purses.map(({ free }) => free()))
      same(
        left,
        texts.map((_, at) => at + 1),
        'compare accounts byte for byte: no collation, no pattern, no trimming',
      )
    },
  },
  {
    id: 'move-holds-apart',
    name: 'one id holds on several balances apart',
    hold: async (bench) => {
      const [one, two] = [await purseOf(bench, 10), await purseOf(bench, 10)]
      await one.hold(6, 'hold')
      await two.hold(3, 'hold')
      same(await two.settle('hold', 1), { balance: 9, charged: 1 }, 'know a hold by its account and its id')
      same(await one.release('hold'), { balance: 10 }, 'know a hold by its account and its id')
    },
  },
]
