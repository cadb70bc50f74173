import { createApiKeys, type Hasher, sha256 } from 'keyward'
import { describe, expect, it } from 'vitest'
import { judged } from '../support/outcome.ts'
import { wrongSecretFor } from '../support/stores.ts'

/** What some libraries give in place of a promise. */
function thenable<T>(value: T): Promise<Awaited<T>> {
  const promise = Promise.resolve(value)
  // biome-ignore lint/suspicious/noThenProperty: a thenable that is no promise
  return { then: promise.then.bind(promise) } as never
}

const fast = sha256()
const LATE: Hasher = {
  ...fast,
  make: (text) => thenable(fast.make(text)),
  check: (text, kept) => thenable(fast.check(text, kept)),
  waste: (text) => thenable(fast.waste(text)),
}

describe.each([
  ['cheap', { ...LATE, cheap: true }],
  ['slow', { ...LATE, cheap: false }],
])('a %s hasher that answers with thenables', (_, hasher) => {
  it.each([
    ['alone', hasher],
    ['before another', [hasher, { ...sha256(), scheme: 'other' }]],
  ])('%s proves a key, and refuses what is none', async (_, hashers) => {
    const keys = createApiKeys({ prefix: 'th_', hasher: hashers as Hasher })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key)).toBe('admitted')
    for (const id of [record.id, '000000000000']) {
      expect(await judged(keys, (await wrongSecretFor(id, 'th_')).key)).toBe('invalid_key')
    }
  })
})
