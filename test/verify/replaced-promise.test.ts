import { createApiKeys, memoryStore } from 'keyward'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { accessIn, judged } from '../support/outcome.ts'
import { distantStore } from '../support/stores.ts'

/** As zone.js and bluebird do it: what an `async` function gives is not one of these. */
class Replaced<T> extends Promise<T> {}

beforeEach(() => void vi.stubGlobal('Promise', Replaced))
afterEach(() => void vi.unstubAllGlobals())

/** Whether the engine's promises are strangers here, as they are behind such a library. */
const isReplaced = () => !((async () => {})() instanceof Promise)

for (const [where, storeOf] of [
  ['memory', () => memoryStore()],
  ['a distant store', () => distantStore()],
] as const) {
  it(`two guards on one request hold and charge once, in ${where}, with another Promise`, async () => {
    expect(isReplaced()).toBe(true)
    const keys = createApiKeys({ prefix: 'rp_', store: storeOf(), limits: { default: { minute: 10 } } })
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
    const request = { headers: { 'x-api-key': key } }
    expect(await judged(keys, request)).toBe('admitted')
    const access = accessIn(await keys.verify(request, { reserve: 60, cost: 4 }))
    expect(access.readings).toMatchObject([{ remaining: 6 }])
    expect(await access.settle(5)).toEqual({ charged: 5, short: 0 })
    // The first took 1, the second holds in place of the rest of its cost.
    expect(await keys.balance({ id: record.id })).toBe(94)
    expect(await judged(keys, request, { reserve: 1000 })).toBe('insufficient_balance')
  })
}

it('callers who wait for a lease go on, with another Promise', async () => {
  const limits = { default: { minute: 10_000 }, lease: 100 }
  const keys = createApiKeys({ prefix: 'rp_', store: distantStore(), limits })
  const { key } = await keys.create({ owner: 'acct_1' })
  for (let round = 0; round < 5; round++) {
    const codes = await Promise.all(Array.from({ length: 32 }, () => judged(keys, key)))
    expect(new Set(codes)).toEqual(new Set(['admitted']))
  }
  await keys.close()
})
