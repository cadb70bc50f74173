import { expect, it } from 'vitest'
import { LITTLE_LEASES, leases } from '../../drills/leases.ts'

const { processes, requests, limit } = LITTLE_LEASES

/** On the other stores test/storage/leases-servers.test.ts shows the same; `npm run drill` does on all four. */
it(`${processes} processes that lease a key never admit it more often than its limit`, async () => {
  const [found] = await leases({ ...LITTLE_LEASES, engines: ['Redis'] })
  const { 200: admitted = 0, 429: refused = 0 } = found?.statuses[0] ?? {}
  expect(admitted + refused).toBe(processes * requests)
  expect(admitted).toBeGreaterThan(0)
  expect(admitted).toBeLessThanOrEqual(limit)
}, 60_000)
