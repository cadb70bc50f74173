import { expect, it } from 'vitest'
import { exactness, LITTLE_EXACTNESS } from '../../drills/exactness.ts'

const { engines, processes, requests, limit, lastCredits, callers } = LITTLE_EXACTNESS

it.each(engines)(
  `L-05, L-22: ${processes} processes on one %s admit exactly the limit of a key, and one caller with its last credit`,
  async (engine) => {
    const [found] = await exactness({ ...LITTLE_EXACTNESS, engines: [engine] })
    expect(found?.statuses).toEqual({ 200: limit, 429: processes * requests - limit })
    expect(found?.lastCredits).toEqual(Array(lastCredits).fill({ 200: 1, 402: callers - 1 }))
  },
  60_000,
)
