import { createHmac } from 'node:crypto'
import { createApiKeys, type Hasher, hmac, memoryStore, sha256 } from 'keyward'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { countingHasher, judged } from '../support/outcome.ts'
import { alteredStore, wrongSecretFor } from '../support/stores.ts'

// Nothing but the work that is done tells a trial of every pepper from the use of the right one.
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>()
  return { ...crypto, createHmac: vi.fn(crypto.createHmac) }
})

const PEPPERS = {
  p1: 'k8Jq2vTz5RwXn9BfLm4HsC7d',
  p2: 'Zt6pWc3YgNb8QxEj1VrSu5Ka',
  p3: 'Hn5wRt9XkQs2LzVc7MfBd3Gj',
}

const hmacs = () => vi.mocked(createHmac).mock.calls.length

/** What a call costs, in HMACs. */
async function cost(act: () => Promise<unknown>): Promise<number> {
  const before = hmacs()
  await act()
  return hmacs() - before
}

beforeEach(() => void vi.mocked(createHmac).mockClear())

describe('F-31 The work for a credential', () => {
  const hasher = () => hmac({ current: 'p3', peppers: PEPPERS })

  it('is one HMAC, however many peppers there are, for an unknown id as for a wrong secret', async () => {
    const store = memoryStore()
    const { record } = await createApiKeys({ prefix: 'hp_', store, hasher: hasher() }).create({ owner: 'acct_1' })
    const old = await createApiKeys({ prefix: 'hp_', store, hasher: hmac({ current: 'p1', peppers: PEPPERS }) }).create(
      { owner: 'acct_1' },
    )
    for (const cache of [undefined, false] as const) {
      const keys = createApiKeys({ prefix: 'hp_', store, hasher: [hasher(), sha256()], cache })
      for (const id of ['000000000000', record.id, old.record.id]) {
        const { key } = await wrongSecretFor(id, 'hp_')
        expect(await cost(() => judged(keys, key))).toBe(1)
        expect(await cost(() => judged(keys, key))).toBe(1)
      }
    }
  })

  it('is one HMAC for a wrong secret while two secrets are live', async () => {
    const keys = createApiKeys({ prefix: 'hp_', hasher: hasher() })
    const { record } = await keys.create({ owner: 'acct_1' })
    await keys.rotate(record.id, { overlap: '1h' })
    const { key } = await wrongSecretFor(record.id, 'hp_')
    expect(await cost(() => judged(keys, key))).toBe(1)
  })

  it.each([
    'hmac$p9$0000000000000000000000000000000000000000000000000000000000000000',
    'argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA',
    'garbage',
  ])('is one HMAC for a key that is kept as %s: it is not told from an unknown one', async (hash) => {
    const store = alteredStore((stored) => ({ ...stored, hash }))
    for (const hashers of [[hasher()], [hasher(), sha256()]]) {
      const keys = createApiKeys({ prefix: 'hp_', store, hasher: hashers })
      const { key } = await keys.create({ owner: 'acct_1' })
      expect(await cost(() => judged(keys, key))).toBe(1)
    }
  })

  it('is none for what is malformed', async () => {
    const keys = createApiKeys({ prefix: 'hp_', hasher: hasher() })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await cost(() => judged(keys, `${key}x`))).toBe(0)
    expect(await cost(() => judged(keys, 'somebody-elses'))).toBe(0)
  })

  it('falls to the first of several hashers for an unknown id, and to no other', async () => {
    const other: Hasher = { ...sha256(), scheme: 'other' }
    const [first, second, third] = [countingHasher(hasher()), countingHasher(), countingHasher(other)]
    const keys = createApiKeys({ prefix: 'hp_', hasher: [first.hasher, second.hasher, third.hasher] })
    expect(await judged(keys, (await wrongSecretFor('000000000000', 'hp_')).key)).toBe('invalid_key')
    expect([first.calls, second.calls, third.calls].map(({ check, waste }) => check + waste)).toEqual([1, 0, 0])
  })
})
