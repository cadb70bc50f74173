import { createApiKeys, type Hasher, hmac, memoryStore, type StoredKey, sha256 } from 'keyward'
import { describe, expect, it } from 'vitest'
import { judged, listener } from '../support/outcome.ts'
import { openSite } from '../support/site.ts'
import { alteredStore, kept, wrongSecretFor } from '../support/stores.ts'

const PEPPERS = { p1: 'k8Jq2vTz5RwXn9BfLm4HsC7d', p2: 'Zt6pWc3YgNb8QxEj1VrSu5Ka' }
const HASHERS: readonly (readonly [string, readonly Hasher[]])[] = [
  ['sha256()', [sha256()]],
  ['hmac()', [hmac({ current: 'p1', peppers: PEPPERS })]],
  ['hmac() and sha256()', [hmac({ current: 'p1', peppers: PEPPERS }), sha256()]],
]

/** The digest in a kept hash. */
const digestOf = (hash: string) => hash.slice(hash.lastIndexOf('$') + 1)

/** What has been done to a kept hash by hand, by another program, or by an attacker with the database. */
const ALTERED: readonly (readonly [string, (hash: string) => string])[] = [
  ['F-24 argon2id with the least of everything', () => 'argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA'],
  ['F-24 argon2id with 4 TiB', () => '$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAA$AAAA'],
  ['F-24 argon2id with negative memory', () => 'argon2id$v=19$m=-1,t=-1,p=-1$AAAA$AAAA'],
  ['F-24 argon2id with NaN', () => 'argon2id$v=19$m=NaN,t=NaN,p=NaN$AAAA$AAAA'],
  ['F-24 an unknown algorithm', (hash) => `md5$${digestOf(hash)}`],
  ['F-24 an algorithm that every object has', (hash) => `toString$${digestOf(hash)}`],
  ['F-24 no algorithm', (hash) => digestOf(hash)],
  ['F-24 an empty algorithm', (hash) => `$${digestOf(hash)}`],
  ['F-24 a version that nobody has', (hash) => `hmac$p9$${digestOf(hash)}`],
  ['F-24 a version that every object has', (hash) => `hmac$constructor$${digestOf(hash)}`],
  ['F-24 no version', (hash) => `hmac$${digestOf(hash)}`],
  ['F-24 another version', (hash) => `hmac$p2$${digestOf(hash)}`],
  ['F-24 more parts', (hash) => `${hash}$x`],
  ['F-25 no digest', (hash) => hash.slice(0, -64)],
  ['F-25 half a digest', (hash) => hash.slice(0, -32)],
  ['F-25 one digit less', (hash) => hash.slice(0, -1)],
  ['F-25 one digit more', (hash) => `${hash}0`],
  ['F-25 another digit', (hash) => hash.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
  ['F-25 upper case', (hash) => hash.replace(/[0-9a-f]{64}$/, (digest) => digest.toUpperCase())],
  ['F-25 what is no hex', (hash) => hash.replace(/[0-9a-f]{64}$/, 'zz'.repeat(32))],
  ['F-25 base64', (hash) => hash.replace(/[0-9a-f]{64}$/, (digest) => Buffer.from(digest, 'hex').toString('base64'))],
  ["F-25 zeros, which nobody's key has", (hash) => hash.replace(/[0-9a-f]{64}$/, '0'.repeat(64))],
  ['F-25 letters outside ASCII', (hash) => hash.replace(/[0-9a-f]{64}$/, 'é'.repeat(64))],
  ['F-25 white space after it', (hash) => `${hash}\n`],
  ['F-25 white space before it', (hash) => ` ${hash}`],
  ['F-25 a megabyte', (hash) => hash + '0'.repeat(1 << 20)],
]

describe.each(HASHERS)('F. Damaged hashes, %s', (_, hasher) => {
  it.each(ALTERED)('%s is an invalid key', async (_called, alter) => {
    const store = alteredStore((stored) => ({ ...stored, hash: alter(stored.hash) }))
    const keys = createApiKeys({ prefix: 'hp_', store, hasher })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('invalid_key')
    expect(await judged(keys, (await wrongSecretFor(record.id, 'hp_')).key)).toBe('invalid_key')
  })

  it.each([
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['a number', 42],
    ['true', true],
    ['a list', ['sha256$x']],
    ['a Buffer', Buffer.from('sha256$x')],
    ['an object', { scheme: 'sha256' }],
  ])('F-25 a hash that is %s is an invalid key and a fault, never an error', async (_called, hash) => {
    const { onEvent, of } = listener()
    const store = alteredStore((stored) => ({ ...stored, hash }))
    const { send, issue } = await openSite({ keys: { store, hasher, onEvent } })
    const { key } = await issue()
    expect(await send([['X-API-Key', key]])).toBe('401 invalid_key')
    expect(of('fault')).toMatchObject([{ code: 'record', message: expect.stringContaining('hash') }])
  })

  it('F-25 a previous secret that is damaged opens nothing, and does not take the other along', async () => {
    const damaged = (hash: unknown) => (stored: StoredKey) =>
      stored.previous === undefined ? stored : { ...stored, previous: { ...stored.previous, hash } }
    for (const hash of ['', 'x', 'sha256$', `sha256$${'0'.repeat(64)}`, `hmac$p9$${'0'.repeat(64)}`]) {
      const keys = createApiKeys({ prefix: 'hp_', store: alteredStore(damaged(hash)), hasher })
      const { key, record } = await keys.create({ owner: 'acct_1' })
      const { key: next } = await keys.rotate(record.id, { overlap: '1h' })
      expect(await judged(keys, key)).toBe('invalid_key')
      expect(await judged(keys, next)).toBe('admitted')
    }
  })

  it('D-28 the record of another key proves nothing', async () => {
    const inner = memoryStore()
    const makers = createApiKeys({ prefix: 'hp_', store: inner, hasher })
    const [mine, other] = [await makers.create({ owner: 'acct_1' }), await makers.create({ owner: 'acct_2' })]
    const theirs = await kept(inner, other.record.id)
    const { onEvent, of } = listener()
    for (const alter of [() => theirs, () => ({ ...theirs, id: mine.record.id })]) {
      const keys = createApiKeys({ prefix: 'hp_', store: alteredStore(alter, inner), hasher, onEvent })
      expect(await judged(keys, mine.key)).toBe('invalid_key')
    }
    expect(of('fault').map(({ code }) => code)).toEqual(['record'])
  })
})
