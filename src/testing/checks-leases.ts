import { type Draft, next, randomText, same, winners } from './check-bench.ts'
import { HOUR, leaseOf, metering, readings, remaining, spendOf, takes, window } from './spend.ts'

/** What `lease` takes, and when it counts. What comes back is in `checks-leases-ended.ts`. */
export const LEASE_CHECKS: readonly Draft[] = [
  {
    id: 'lease-counts',
    name: 'lease() takes from all windows or from none, and counts at once',
    hold: async (bench) => {
      const { lease, take } = await metering(bench)
      const windows = [window('hour', 10), window('day', 500)]
      same(await lease(leaseOf(windows, 7)), [true, 3, 493], 'take the whole cost from every window')
      same(await lease(leaseOf(windows, 4)), [false, 3, 493], 'lease nothing when one window has no room for all of it')
      same(await lease(leaseOf([window('hour', 10)], 4)), [false, 3], 'refuse a lease that does not fit')
      same(await take(spendOf(windows, 4)), [false, 3, 493], 'count what is leased as used, for take() too')
      same(await take(spendOf(windows, 3)), [true, 0, 490], 'count what is leased once')
      same(await lease({ windows, cost: 0 }), [true, 0, 490], 'read at cost 0, without a lease')
    },
  },
  {
    id: 'lease-race',
    name: 'lease() leases exactly what fits when many come at once',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const windows = [window('hour', 100), window('day', 1_000)]
      const won = await winners(40, async () => takes(await store.lease(id, version, leaseOf(windows, 3), Date.now())))
      same(won, 33, 'look and take in one atomic step')
    },
  },
  ...[
    { kind: 'small', limit: 3 },
    { kind: 'large', limit: 130 },
  ].map(
    ({ kind, limit }): Draft => ({
      id: `lease-later-${kind}`,
      name: `lease() counts what it leased as if it were used when the lease is over (${kind} limit)`,
      hold: async ({ store, added }) => {
        const { id, version } = await added()
        const windows = [window('second', limit, 1_000)]
        const start = Date.now()
        const leased = await store.lease(id, version, leaseOf(windows, limit, 600), start)
        same(takes(leased), true, 'lease what fits')
        const from = (leased.ok && leased.at) || start
        const refused = await store.take(id, version, spendOf(windows), Date.now())
        if (refused.ok !== false) throw new Error('count what is leased at once')
        const { retryAt = 0 } = refused
        const wait = retryAt - from
        same(wait >= 1_600 && wait <= 1_632, true, `let go of a lease one window after its end, not after ${wait} ms`)
        await new Promise((resolve) => setTimeout(resolve, 1_050))
        const late = Date.now()
        const early = await store.take(id, version, spendOf(windows), late)
        const when = (early.ok !== undefined && early.at) || late
        const mend = 'count a lease until one window after its end'
        same(takes(early) && when < from + 1_600, false, mend)
        await new Promise((resolve) => setTimeout(resolve, retryAt - when + 5))
        if (takes(early)) return
        same(takes(await store.take(id, version, spendOf(windows, limit), Date.now())), true, 'admit at retryAt again')
      },
    }),
  ),
  {
    id: 'lease-ahead',
    name: 'lease() does not push out of a window what was used before it',
    hold: async (bench) => {
      const { lease, take } = await metering(bench)
      for (const [at, limit] of [10, 1_000].entries()) {
        const windows = [window(`window-${at}`, limit)]
        await take(spendOf(windows, 5))
        await lease(leaseOf(windows, 1, HOUR))
        const mend = 'keep the clock of a window apart from leases'
        same(await take(spendOf(windows)), [true, limit - 7], mend)
      }
    },
  },
  {
    id: 'lease-times',
    name: 'lease() tells when one more will be free',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const now = Date.now()
      const leased = await store.lease(id, version, leaseOf([window('hour', 10)], 4, 60_000), now)
      const from = (leased.ok && leased.at) || now
      const wait = (readings(leased)[0]?.resetsAt ?? 0) - from
      same(Math.abs(wait - HOUR - 60_000) <= 1, true, `answer a time one window after the lease, not ${wait} ms`)
    },
  },
  {
    id: 'lease-version',
    name: 'lease() under a version that is not current takes nothing, and answers the key as it is now',
    hold: async ({ store, added }) => {
      const key = await added()
      const current = next(key, { name: 'changed' })
      await store.take(key.id, key.version, spendOf([window('day', 6)]), Date.now())
      await store.replace(current, key.version)
      const spend = leaseOf([window('hour', 5)], 3)
      const leased = await store.lease(key.id, key.version, spend, Date.now())
      same(leased, { stale: current }, 'answer { stale } with the current key when the version is another')
      const again = leaseOf([window('hour', 5)], 3)
      const after = await store.lease(key.id, current.version, again, Date.now())
      same(remaining(after), [2], 'take nothing under a version that is not current')
      const unknown = await store.lease(randomText(), 1, again, Date.now())
      same('stale' in unknown && unknown.stale === undefined, true, 'answer { stale: undefined } for an unknown id')
    },
  },
  {
    id: 'lease-replace',
    name: 'replace() keeps what is leased, remove() forgets it',
    hold: async ({ store, added, newKey }) => {
      const key = await added()
      const spend = leaseOf([window('hour', 5)], 3)
      await store.lease(key.id, key.version, spend, Date.now())
      const second = next(key, { hash: 'check$rotated' })
      await store.replace(second, key.version)
      const ended = { windows: spend.windows, cost: 0, ended: { id: spend.lease?.id ?? '', unused: 2 } }
      const after = await store.lease(key.id, second.version, ended, Date.now())
      same(remaining(after), [4], 'keep leases by id, not by version')
      await store.remove(key.id)
      const again = newKey({ id: key.id })
      await store.insert(again)
      const fresh = await store.take(again.id, again.version, spendOf(spend.windows), Date.now())
      same(remaining(fresh), [4], 'remove what is leased together with the key')
    },
  },
  {
    id: 'lease-limit-changes',
    name: 'lease() counts on through a change of the limit, up and down',
    hold: async (bench) => {
      const { lease, take } = await metering(bench)
      const first = leaseOf([window('hour', 100)], 60)
      same(await lease(first), [true, 40], 'lease what fits')
      same(await take(spendOf([window('hour', 500)])), [true, 439], 'keep what is leased when the limit grows')
      same(await take(spendOf([window('hour', 50)])), [false, 0], 'keep what is leased when the limit shrinks')
      const ended = { id: first.lease?.id ?? '', unused: 59 }
      same(await lease({ windows: [window('hour', 50)], cost: 0, ended }), [true, 48], 'end a lease at any limit')
    },
  },
]
