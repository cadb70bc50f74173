import type { LeaseSpend } from '../model/store.ts'
import { type Draft, next, randomText, same, throws } from './check-bench.ts'
import { HOUR, leaseOf, metering, remaining, spendOf, takes, window } from './spend.ts'

const HOURLY = [window('hour', 10)]

/** How a lease ends: what was not used is free again, once, and nothing else. */
export const ENDED_CHECKS: readonly Draft[] = [
  {
    id: 'lease-ended',
    name: 'lease() gives back what an ended lease did not use, in every window',
    hold: async (bench) => {
      const { lease, take } = await metering(bench)
      const windows = [window('hour', 10), window('day', 500)]
      const leased = leaseOf(windows, 8)
      same(await lease(leased), [true, 2, 492], 'lease what fits')
      await lease(endOf(leased, 5, []))
      same(await take(spendOf(windows, 0)), [true, 7, 497], 'free what was not used')
    },
  },
  {
    id: 'lease-ended-once',
    name: 'lease() gives back once, however often it is asked to',
    hold: async (bench) => {
      const { lease } = await metering(bench)
      const leased = leaseOf(HOURLY, 6)
      await lease(leased)
      const over = endOf(leased, 3)
      same(await lease(over), [true, 7], 'free what was not used')
      same(await lease(over), [true, 7], 'free nothing of a lease that has ended')
      same(await lease(endOf(leased, 6)), [true, 7], 'free nothing of a lease that has ended')
      const renewed = leaseOf(HOURLY, 4)
      await lease(renewed)
      same(await lease(endOf(leased, 4)), [true, 3], 'free nothing of another lease')
    },
  },
  {
    id: 'lease-ended-other',
    name: 'lease() gives back no more than the lease took, and nothing of another lease or key',
    hold: async (bench) => {
      const { lease, take } = await metering(bench)
      const other = await metering(bench)
      const [first, second] = [leaseOf(HOURLY, 3), leaseOf(HOURLY, 3)]
      await lease(first)
      await lease(second)
      await take(spendOf(HOURLY, 2))
      await other.lease(endOf(second, 3, []))
      const unknown = { id: randomText(), unused: 3 }
      same(
        await lease({ windows: HOURLY, cost: 0, ended: unknown }),
        [true, 2],
        'free nothing for a lease that is unknown',
      )
      same(await lease(endOf(first, 9)), [true, 5], 'free at most what the lease itself took')
    },
  },
  {
    id: 'lease-ended-over',
    name: 'lease() gives nothing back of a lease that is over',
    hold: async (bench) => {
      const { lease } = await metering(bench)
      const leased = leaseOf(HOURLY, 4, 30)
      await lease(leased)
      await new Promise((resolve) => setTimeout(resolve, 80))
      const after = await lease(endOf(leased, 4))
      same(after, [true, 6], 'let a lease run out: what it took is used when it is over')
    },
  },
  {
    id: 'lease-ended-now',
    name: 'lease() counts what an ended lease used as used when it ended',
    hold: async ({ store, added }) => {
      for (const limit of [10, 130]) {
        const { id, version } = await added()
        const leased = leaseOf([window('hour', limit)], limit, HOUR)
        await store.lease(id, version, leased, Date.now())
        await store.lease(id, version, endOf(leased, 0, []), Date.now())
        const refused = await store.take(id, version, spendOf(leased.windows), Date.now())
        if (refused.ok !== false) throw new Error('count what was used of a lease that has ended')
        const wait = (refused.retryAt ?? 0) - (refused.at ?? Date.now())
        same(
          wait > HOUR * 0.99 && wait <= HOUR * 1.02 + 5_000,
          true,
          `let go of it one window later, not in ${wait} ms`,
        )
      }
    },
  },
  {
    id: 'lease-renewed',
    name: 'lease() ends one lease before it decides on the next, also when it then refuses',
    hold: async (bench) => {
      const { lease } = await metering(bench)
      const [first, second] = [leaseOf(HOURLY, 8), leaseOf(HOURLY, 9)]
      await lease(first)
      same(
        await lease({ ...second, ended: ended(first, 7) }),
        [true, 0],
        'let what comes back be leased in the same step',
      )
      const refused = { ...leaseOf(HOURLY, 10), ended: ended(second, 9) }
      same(await lease(refused), [false, 9], 'end a lease also when the next one does not fit')
    },
  },
  {
    id: 'lease-ended-stale',
    name: 'lease() ends a lease under any version of the key',
    hold: async ({ store, added }) => {
      const key = await added()
      const leased = leaseOf(HOURLY, 6)
      await store.lease(key.id, key.version, leased, Date.now())
      const current = next(key)
      await store.replace(current, key.version)
      const answer = await store.lease(
        key.id,
        key.version,
        { ...leaseOf(HOURLY, 1), ended: ended(leased, 6) },
        Date.now(),
      )
      same(answer, { stale: current }, 'answer { stale } all the same')
      const after = await store.take(key.id, current.version, spendOf(HOURLY, 10), Date.now())
      same([takes(after), ...remaining(after)], [true, 0], 'free what was not used')
    },
  },
  {
    id: 'lease-many',
    name: 'lease() counts any number of leases at once, and ends at least sixteen of them',
    hold: async (bench) => {
      const { lease } = await metering(bench)
      const windows = [window('hour', 1_000)]
      const leases = Array.from({ length: 40 }, () => leaseOf(windows, 2))
      for (const each of leases) await lease(each)
      same(await lease({ windows, cost: 0 }), [true, 920], 'count every lease')
      for (const each of leases.slice(-15)) await lease(endOf(each, 2, windows))
      same(await lease({ windows, cost: 0 }), [true, 950], 'know the fifteen latest leases by their ids')
      for (const each of leases) await lease(endOf(each, 2, windows))
      const [, left] = await lease({ windows, cost: 0 })
      same(Number(left) >= 950 && Number(left) <= 1_000, true, `free no more than was leased (${left} of 1000 remain)`)
    },
  },
  {
    id: 'lease-wrong',
    name: 'lease() refuses with INPUT what it cannot count, and takes nothing',
    hold: async ({ store, added }) => {
      const { id, version } = await added()
      const good = leaseOf(HOURLY, 2)
      const wrong: readonly LeaseSpend[] = [
        { windows: HOURLY, cost: 2 },
        { ...good, cost: Number.NaN },
        { ...good, cost: -1 },
        { ...good, cost: 1.5 },
        { ...good, lease: { id: randomText(), ms: 0 } },
        { ...good, lease: { id: randomText(), ms: HOUR + 1 } },
        { ...good, lease: { id: randomText(), ms: Number.NaN } },
        { windows: HOURLY, cost: 0, ended: { id: randomText(), unused: -1 } },
        { windows: HOURLY, cost: 0, ended: { id: randomText(), unused: Number.NaN } },
      ]
      for (const spend of wrong) {
        await throws(
          'INPUT',
          async () => store.lease(id, version, spend, Date.now()),
          `refuse ${JSON.stringify(spend)}`,
        )
      }
      const after = await store.take(id, version, spendOf(HOURLY, 0), Date.now())
      same(remaining(after), [10], 'take nothing by what was refused')
    },
  },
]

/** Gives back what a lease did not use, and takes nothing. */
function endOf(leased: LeaseSpend, unused: number, windows = HOURLY): LeaseSpend {
  return { windows, cost: 0, ended: ended(leased, unused) }
}

function ended({ lease }: LeaseSpend, unused: number): NonNullable<LeaseSpend['ended']> {
  return { id: lease?.id ?? '', unused }
}
