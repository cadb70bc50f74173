import { describe, expect, it } from 'vitest'
import type { KeyStore } from '../../src/model/store.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { storeChecks } from '../../src/testing/index.ts'
import { BROKEN_EXACTLY } from './broken-exactly.ts'
import { BROKEN_METERS_EXACTLY } from './broken-exactly-meters.ts'
import { broken } from './broken-store.ts'

const STORES = [...BROKEN_EXACTLY, ...BROKEN_METERS_EXACTLY]
const NAMES = new Map(storeChecks(() => memoryStore()).map(({ id, name }) => [id, name]))

/** What each check that fails promises. */
async function brokenPromises(store: KeyStore): Promise<readonly string[]> {
  const runs = storeChecks(() => store).map(({ name, run }) =>
    run().then(
      () => [],
      () => [name],
    ),
  )
  return (await Promise.all(runs)).flat()
}

/** What a lease does follows from what a take does: its checks have mistakes of their own. */
function withoutLeases({ lease: _, ...store }: KeyStore): KeyStore {
  return store
}

// They only wait, so that they can wait together.
describe.concurrent('of all checks, those fail that promise what is broken, and no other', () => {
  it.each(STORES)('where $mistake', async (store) => {
    const promises = store.found.map((id) => NAMES.get(id))
    expect([...(await brokenPromises(withoutLeases(broken(store))))].sort()).toEqual(promises.sort())
  })

  it('and none where nothing is', async () => {
    expect(await brokenPromises(memoryStore())).toEqual([])
  })

  it('which is shown for more than twenty mistakes', () => {
    expect(new Set(STORES.map(({ mistake }) => mistake)).size).toBeGreaterThan(20)
  })
})
