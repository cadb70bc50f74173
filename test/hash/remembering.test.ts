import { createApiKeys, type Hasher, memoryStore, sha256 } from 'keyward'
import { describe, expect, it } from 'vitest'
import { countingHasher, judged } from '../support/outcome.ts'
import { wrongSecretFor } from '../support/stores.ts'

const fast = sha256()

/** A hasher that is dear, and takes a turn of the loop. */
const dear: Hasher = {
  ...fast,
  cheap: false,
  async check(text, kept) {
    await new Promise((resolve) => setImmediate(resolve))
    return fast.check(text, kept)
  },
  async waste(text) {
    await new Promise((resolve) => setImmediate(resolve))
    await fast.waste(text)
  },
}

describe('proofs of slow hashes', () => {
  it('are remembered for as many keys as the cache has room for', async () => {
    const { hasher, calls } = countingHasher(dear)
    const keys = createApiKeys({ prefix: 're_', hasher, cache: { maxKeys: 12_000 } })
    const made = await Promise.all(Array.from({ length: 11_000 }, () => keys.create({ owner: 'acct_1' })))
    const round = async () => {
      for (const { key } of made) await keys.verify(key)
    }
    await round()
    calls.check = 0
    await round()
    expect(calls.check).toBe(0)
  })

  it('cost one wrong text that comes many times at once the same, whether its id exists or not', async () => {
    const { hasher, computed } = countingHasher(dear)
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 're_', store, hasher })
    const { record } = await keys.create({ owner: 'acct_1' })
    const counts: number[] = []
    for (const id of [record.id, '000000000000']) {
      const { key } = await wrongSecretFor(id, 're_')
      const before = computed()
      await Promise.all(Array.from({ length: 40 }, () => judged(keys, key)))
      counts.push(computed() - before)
    }
    expect(counts[0]).toBe(counts[1])
  })
})
