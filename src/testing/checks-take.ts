import type { Taken } from '../model/store.ts'
import { type Draft, next, randomText, same, winners } from './check-bench.ts'
import { HOUR, readings, remaining, spendOf, takes, window } from './spend.ts'

/** `take` on one key: what it takes, when it refuses, and the version that it proves. */
export const TAKE_CHECKS: readonly Draft[] = [
  {
    id: 'take-exact',
    name: 'take() admits exactly limit times, and tells what remains',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      for (const left of [2, 1, 0]) {
        const taken = await store.take(id, version, spendOf([window('hour', 3)]), Date.now())
        same(takes(taken), true, 'admit until the limit is reached')
        const shown = readings(taken).map(({ name, limit, remaining }) => [name, limit, remaining])
        same(shown, [['hour', 3, left]], 'answer each window as it is after the take')
      }
      const refused = await store.take(id, version, spendOf([window('hour', 3)]), Date.now())
      same(takes(refused), false, 'refuse what exceeds the limit')
      same(remaining(refused), [0], 'answer the readings with a refusal, too')
    },
  },
  {
    id: 'take-race',
    name: 'take() admits exactly limit when many come at once',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const spend = spendOf([window('hour', 7), window('day', 150)])
      const won = await winners(40, async () => takes(await store.take(id, version, spend, Date.now())))
      same(won, 7, 'look and take in one atomic step')
    },
  },
  {
    id: 'take-large-limit',
    name: 'take() admits exactly limit also where the limit is large',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const spend = spendOf([window('hour', 1_000)], 250)
      const won = await winners(8, async () => takes(await store.take(id, version, spend, Date.now())))
      same(won, 4, 'admit exactly what fits')
    },
  },
  {
    id: 'take-all-or-none',
    name: 'take() takes from all windows or from none',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const wide = window('wide', 10)
      const ask = async (limit: number, name: string): Promise<Taken> =>
        store.take(id, version, spendOf([wide, window(name, limit)]), Date.now())
      same(takes(await ask(1, 'narrow')), true, 'admit what fits every window')
      for (let again = 0; again < 3; again++)
        same(takes(await ask(1, 'narrow')), false, 'refuse when one window is full')
      const after = await ask(5, 'other')
      same(remaining(after), [8, 4], 'take from all windows or from none, in any order')
    },
  },
  {
    id: 'take-version',
    name: 'take() under a version that is not current takes nothing, and answers the key as it is now',
    hold: async ({ store, added }) => {
      const key = await added()
      const current = next(key, { name: 'changed' })
      const spend = spendOf([window('hour', 2)])
      // A store may remember that it proved a version, but not for longer than the key stays at it.
      await store.take(key.id, key.version, spendOf([window('day', 2)]), Date.now())
      await store.replace(current, key.version)
      const taken = await store.take(key.id, key.version, spend, Date.now())
      same(taken, { stale: current }, 'answer { stale } with the current key when the version is another')
      const after = await store.take(key.id, current.version, spend, Date.now())
      same(remaining(after), [1], 'take nothing under a version that is not current')
    },
  },
  {
    id: 'take-version-unlimited',
    name: 'take() proves the version even when there is nothing to take',
    hold: async ({ store, added }) => {
      const key = await added()
      const taken = await store.take(key.id, key.version + 1, spendOf([], 0), Date.now())
      same(taken, { stale: key }, 'prove the version also without windows and with cost 0')
    },
  },
  {
    id: 'take-gone',
    name: 'take() for a key that is gone takes nothing, and answers { stale: undefined }',
    hold: async ({ store, added, newKey }) => {
      const spend = spendOf([window('hour', 2)])
      const unknown = await store.take(randomText(), 1, spend, Date.now())
      same(unknown, { stale: undefined }, 'answer { stale: undefined } for an unknown id')
      const key = await added()
      await store.remove(key.id)
      const gone = await store.take(key.id, key.version, spend, Date.now())
      same(gone, { stale: undefined }, 'answer { stale: undefined } for an unknown id')
      await store.insert(newKey({ id: key.id, version: key.version }))
      const fresh = await store.take(key.id, key.version, spend, Date.now())
      same(remaining(fresh), [1], 'count nothing for a key that is not there')
    },
  },
  {
    id: 'take-replace',
    name: 'replace() leaves what was taken as it is',
    hold: async ({ store, added }) => {
      const key = await added()
      const spend = spendOf([window('hour', 3)])
      await store.take(key.id, key.version, spend, Date.now())
      const second = next(key, { hash: 'check$rotated' })
      await store.replace(second, key.version)
      const after = await store.take(key.id, second.version, spend, Date.now())
      same(remaining(after), [1], 'keep the counters by id, not by version or hash')
    },
  },
  {
    id: 'take-remove',
    name: 'remove() forgets what was taken: an id that comes back starts afresh',
    hold: async ({ store, added, newKey }) => {
      const key = await added()
      const spend = spendOf([window('hour', 3), window('day', 500)])
      await store.take(key.id, key.version, spend, Date.now())
      await store.remove(key.id)
      const again = newKey({ id: key.id })
      await store.insert(again)
      const after = await store.take(again.id, again.version, spend, Date.now())
      same(remaining(after), [2, 499], 'remove the counters together with the key')
    },
  },
  {
    id: 'take-apart',
    name: 'take() counts every key apart, and every window by name and length',
    hold: async ({ store, added }) => {
      const [one, two] = [await added(), await added()]
      const windows = [window('a', 5), window('b', 5), window('A', 5)]
      await store.take(one.id, one.version, spendOf(windows), Date.now())
      const other = await store.take(two.id, two.version, spendOf(windows), Date.now())
      same(remaining(other), [4, 4, 4], 'count every key apart')
      const longer = [window('b', 5), window('a', 5, 2 * HOUR), window('c', 5)]
      const after = await store.take(one.id, one.version, spendOf(longer), Date.now())
      same(remaining(after), [3, 4, 4], 'know a window by its exact name and its length, in any order')
    },
  },
]
