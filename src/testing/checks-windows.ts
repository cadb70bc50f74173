import type { SpendWindow } from '../model/store.ts'
import { type Draft, same } from './check-bench.ts'
import { HOUR, metering, readings, remaining, spendOf, takes, window } from './spend.ts'

/** What a window is: costs, limits that change, and the time after which it admits again. */
export const WINDOW_CHECKS: readonly Draft[] = [
  {
    id: 'window-cost',
    name: 'take() takes the whole cost or nothing',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const ask = async (cost: number): Promise<boolean> =>
        takes(await store.take(id, version, spendOf([window('hour', 10)], cost), Date.now()))
      const answers = [await ask(7), await ask(4), await ask(3), await ask(1)]
      same(answers, [true, false, true, false], 'take `cost` units at once, and nothing when they do not fit')
    },
  },
  {
    id: 'window-cost-zero',
    name: 'take() at cost 0 takes nothing, is always ok, and answers the readings',
    hold: async (bench) => {
      const { take } = await metering(bench)
      const look = () => take(spendOf([window('hour', 1)], 0))
      same([await look(), await look()], Array(2).fill([true, 1]), 'take nothing at cost 0')
      same(await take(spendOf([window('hour', 1)])), [true, 0], 'keep the limit free')
      same(await look(), [true, 0], 'answer ok at cost 0 even when the window is full')
    },
  },
  {
    id: 'window-cost-too-high',
    name: 'take() refuses a cost above the limit without a retryAt, and takes nothing',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const windows = [window('hour', 5), window('day', 500)]
      const refused = await store.take(id, version, spendOf(windows, 6), Date.now())
      same(takes(refused), false, 'refuse a cost above the limit')
      same(refused.ok === false && refused.retryAt, undefined, 'leave retryAt out when no wait can help')
      const after = await store.take(id, version, spendOf(windows, 5), Date.now())
      same(remaining(after), [0, 495], 'take nothing when the cost is refused')
    },
  },
  {
    id: 'window-own-cost',
    name: 'take() takes from a window that has a cost of its own that, and the common cost from the others',
    hold: async (bench) => {
      const { take } = await metering(bench)
      const ask = (own: number, cost: number) =>
        take(spendOf([window('common', 10), { ...window('own', 10), cost: own }, window('large', 500)], cost))
      same(await ask(4, 1), [true, 9, 6, 499], 'let the cost of a window override the common one')
      same(await ask(7, 1), [false, 9, 6, 499], 'refuse when the own cost of a window does not fit, and take nothing')
      same(await ask(1, 9), [true, 0, 5, 490], 'let the cost of a window override the common one')
      same(await ask(2, 0), [true, 0, 3, 490], 'let the cost of a window override the common one')
    },
  },
  {
    id: 'window-own-cost-zero',
    name: 'take() reads a window whose own cost is 0, and takes from the others',
    hold: async (bench) => {
      const { take } = await metering(bench)
      const read = { ...window('read', 1), cost: 0 }
      const ask = (...windows: SpendWindow[]) => take(spendOf(windows))
      same(await ask(read, window('other', 5)), [true, 1, 4], 'take nothing from a window whose own cost is 0')
      same(await ask(window('read', 1)), [true, 0], 'keep the limit of a window whose own cost was 0')
      same(await ask(read, window('other', 5)), [true, 0, 3], 'answer ok at cost 0 even when the window is full')
    },
  },
  {
    id: 'window-limit-zero',
    name: 'take() admits nothing under a limit of 0',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const taken = await store.take(id, version, spendOf([window('hour', 0)]), Date.now())
      same(takes(taken), false, 'treat limit 0 as a limit, not as none')
      same(taken.ok === false && taken.retryAt, undefined, 'leave retryAt out under a limit of 0')
    },
  },
  {
    id: 'window-limit-changes',
    name: 'take() counts on through a change of the limit, up and down, small and large',
    hold: async (bench) => {
      const { take } = await metering(bench)
      const steps = [
        { limit: 20, cost: 10, ok: true, left: 10 },
        { limit: 500, cost: 100, ok: true, left: 390 },
        { limit: 50, cost: 1, ok: false, left: 0 },
        { limit: 110, cost: 1, ok: false, left: 0 },
        { limit: 111, cost: 1, ok: true, left: 0 },
        { limit: 112, cost: 1, ok: true, left: 0 },
      ]
      for (const { limit, cost, ok, left } of steps) {
        same(
          await take(spendOf([window('hour', limit)], cost)),
          [ok, left],
          `keep what was counted when the limit becomes ${limit}`,
        )
      }
    },
  },
  {
    id: 'window-times',
    name: 'take() tells when one more, and when the whole cost, will be free',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const now = Date.now()
      const untouched = await store.take(id, version, spendOf([window('hour', 2)], 0), now)
      const from = (untouched.ok && untouched.at) || now
      const start = readings(untouched)[0]?.resetsAt ?? 0
      same(Math.abs(start - from) <= 1, true, 'answer now as resetsAt of a window that is untouched')
      await store.take(id, version, spendOf([window('hour', 2)], 2), now)
      const refused = await store.take(id, version, spendOf([window('hour', 2)]), now)
      if (refused.ok !== false) throw new Error('refuse what exceeds the limit')
      const { retryAt = 0 } = refused
      const resetsAt = refused.readings[0]?.resetsAt ?? 0
      // A window that counts in parts may let go of them a part later; the store's clock goes on between the calls.
      for (const time of [retryAt - from, resetsAt - from]) {
        same(
          time >= HOUR && time <= HOUR * 1.02 + 5_000,
          true,
          `answer a time one window after the first use, not ${time} ms`,
        )
      }
    },
  },
  {
    id: 'window-slides',
    name: 'take() admits again at retryAt, and not a window later',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const spend = spendOf([window('second', 2, 1_000), window('also-second', 200, 1_000)], 2)
      const start = Date.now()
      const first = await store.take(id, version, spend, start)
      same(takes(first), true, 'admit what fits')
      const refused = await store.take(id, version, spend, Date.now())
      if (refused.ok !== false) throw new Error('refuse what exceeds the limit')
      const { retryAt = 0 } = refused
      const wait = retryAt - ((first.ok && first.at) || start)
      same(wait >= 1_000 && wait <= 1_020, true, `let it fit one window after the use before, not after ${wait} ms`)
      await new Promise((resolve) => setTimeout(resolve, retryAt - (refused.at ?? Date.now()) + 5))
      same(takes(await store.take(id, version, spend, Date.now())), true, 'admit again at the time of retryAt')
      same(takes(await store.take(id, version, spend, Date.now())), false, 'count from the latest use again')
    },
  },
]
