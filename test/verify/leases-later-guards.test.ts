import { createApiKeys, type Demand, type KeyStore, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, judged } from '../support/outcome.ts'

/** An instance that leases, of whose store another process changes what it does not hear of. */
async function leasing(store: KeyStore = memoryStore()) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'le_', store, clock, limits: { lease: 100 } })
  const elsewhere = createApiKeys({ prefix: 'le_', store: { ...store }, clock })
  const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 1_000 } })
  const use = async (times: number) => {
    for (let n = 0; n < times; n++) await keys.verify(key)
  }
  /** One request that meets several guards, one after the other. */
  const oneRequest = () => {
    const request = { rawHeaders: ['X-API-Key', key] }
    return (demand?: Demand) => judged(keys, request, demand)
  }
  const remaining = async () => accessIn(await elsewhere.verify(key, { cost: 0 })).readings.map((r) => r.remaining)
  return { clock, elsewhere, id: record.id, use, oneRequest, remaining }
}

describe('a later guard on a request', () => {
  it.each([
    ['was taken singly', 0],
    ['was of a lease that is over', 100],
  ])('asks the store where what the first took %s: a key that was revoked meanwhile is refused', async (_, uses) => {
    const { clock, elsewhere, id, use, oneRequest } = await leasing()
    await use(uses)
    const ask = oneRequest()
    expect(await ask()).toBe('admitted')
    await elsewhere.revoke(id)
    clock.advance(800)
    expect(await ask()).toBe('revoked')
  })

  it('takes from windows of its own, though a lease covers the rest', async () => {
    const { use, oneRequest } = await leasing()
    await use(100)
    const told: string[] = []
    for (let n = 0; n < 3; n++) {
      const ask = oneRequest()
      await ask()
      told.push(await ask({ limits: [{ name: 'route', limit: 2, window: '1h' }] }))
    }
    expect(told).toEqual(['admitted', 'admitted', 'rate_limited'])
  })
})

describe('what is left of a lease', () => {
  it('is given back when the store tells that any key may have changed', async () => {
    const told = new Set<(id: string | '*') => void>()
    const watch: KeyStore['watch'] = async (hear) => {
      told.add(hear)
      return async () => {}
    }
    const { use, remaining } = await leasing({ ...memoryStore(), watch })
    await use(100)
    expect(Number(await remaining())).toBeLessThan(900)
    for (const hear of told) hear('*')
    expect(await remaining()).toEqual([900])
  })
})
