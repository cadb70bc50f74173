import { createApiKeys, type Hasher, hmac, sha256 } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { describe, expect, it } from 'vitest'
import { heldArgon2, LIGHT, wrongSecrets } from '../support/argon2.ts'
import { judged, listener } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { alteredStore } from '../support/stores.ts'

const PEPPERED = hmac({ current: 'p1', peppers: { p1: 'k8Jq2vTz5RwXn9BfLm4HsC7d' } })
const HASHERS: readonly (readonly [string, () => Hasher])[] = [
  ['sha256()', sha256],
  ['hmac()', () => PEPPERED],
  ['argon2id()', () => argon2id(LIGHT)],
]
const SALT = 'A'.repeat(22)
const HASH = 'A'.repeat(43)

/** What no hasher of these instances can have made. */
const FOREIGN = [
  'md5$900150983cd24fb0d6963f7d28e17f72',
  'toString$900150983cd24fb0d6963f7d28e17f72',
  'plain',
  '$',
  'hmac$p9$0000000000000000000000000000000000000000000000000000000000000000',
  'sha256$',
  'sha256$beef',
  'hmac$p1$',
  `argon2id$v=19$m=1,t=1,p=1$${SALT}$${HASH}`,
  `argon2id$v=19$m=4294967295,t=1,p=1$${SALT}$${HASH}`,
  `argon2id$v=19$m=7168,t=4294967295,p=1$${SALT}$${HASH}`,
  `argon2id$v=19$m=7168,t=1,p=255$${SALT}$${HASH}`,
  `argon2id$v=19$m=-1,t=-1,p=-1$${SALT}$${HASH}`,
  `argon2id$v=19$m=NaN,t=NaN,p=NaN$${SALT}$${HASH}`,
  `argon2id$v=16$m=7168,t=1,p=1$${SALT}$${HASH}`,
  `argon2d$v=19$m=7168,t=1,p=1$${SALT}$${HASH}`,
  'argon2id$v=19$m=7168,t=1,p=1$$',
]

describe.each(SOURCES)('F. Hashes that were altered in the store ($source)', (source) => {
  describe.each(HASHERS)('%s', (_name, make) => {
    it.each(FOREIGN)('F-24 %s is an invalid key, and the host is told of a fault', async (hash) => {
      const { onEvent, of, events } = listener()
      const store = alteredStore((stored) => ({ ...stored, hash }))
      const keys = createApiKeys({ prefix: 'alt_', pair: source.pair, store, hasher: make(), onEvent })
      const created = await keys.create({ owner: 'acct_1' })
      expect(await judged(keys, carried(source, created))).toBe('invalid_key')
      expect(of('fault')).toMatchObject([{ code: 'record', message: expect.stringContaining(created.record.id) }])
      expect(JSON.stringify(events)).not.toContain((created.secret ?? created.key).slice(-38))
      expect(JSON.stringify(events)).not.toContain(hash.slice(-20))
    })
  })

  it('F-24 parameters out of bounds reach no native code: only a hash of the present ones is computed', async () => {
    const argon2 = heldArgon2()
    for (const hash of FOREIGN.filter((each) => each.startsWith('argon2'))) {
      const store = alteredStore((stored) => ({ ...stored, hash }))
      const keys = createApiKeys({ prefix: 'alt_', pair: source.pair, store, hasher: argon2id(LIGHT) })
      const created = await keys.create({ owner: 'acct_1' })
      const [wrong = created] = await wrongSecrets(created.record.id, 'alt_', 1, source.pair)
      for (const texts of [created, wrong]) expect(await judged(keys, carried(source, texts))).toBe('invalid_key')
    }
    const costs = argon2.asked.map(([, options]) => [options?.memoryCost, options?.timeCost, options?.parallelism])
    expect(new Set(costs.map(String))).toEqual(new Set(['7168,1,1']))
  })

  it('F-24 a hash that is sound, and of another secret, is no fault', async () => {
    const { onEvent, of } = listener()
    for (const [, make] of HASHERS) {
      const keys = createApiKeys({ prefix: 'alt_', pair: source.pair, hasher: make(), onEvent })
      const created = await keys.create({ owner: 'acct_1' })
      const [wrong = created] = await wrongSecrets(created.record.id, 'alt_', 1, source.pair)
      expect(await judged(keys, carried(source, wrong))).toBe('invalid_key')
    }
    expect(of('fault')).toEqual([])
  })
})
