import { expect, it } from 'vitest'
import { exactness, LITTLE_EXACTNESS } from '../../drills/exactness.ts'

const { processes, requests, limit, lastCredits, callers } = LITTLE_EXACTNESS

/** On PostgreSQL and MariaDB test/storage/sql/processes.test.ts shows the same; `npm run drill` does on all four. */
const ENGINES = ['Redis', 'Redis Cluster'] as const

it.each(ENGINES)(
  `L-05, L-22: ${processes} processes on one %s admit exactly the limit of a key, and one caller with its last credit`,
  async (engine) => {
    const [found] = await exactness({ ...LITTLE_EXACTNESS, engines: [engine] })
    expect(found?.statuses).toEqual({ 200: limit, 429: processes * requests - limit })
    expect(found?.lastCredits).toEqual(Array(lastCredits).fill({ 200: 1, 402: callers - 1 }))
  },
  60_000,
)
