import { createHash, createHmac } from 'node:crypto'
import { createApiKeys, type Hasher, type HmacOptions, hmac, type KeyStore, memoryStore, sha256 } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, judged } from '../support/outcome.ts'
import { kept, spiedStore, wrongSecretFor } from '../support/stores.ts'

const OLD = 'k8Jq2vTz5RwXn9BfLm4HsC7d'
const NEW = 'Zt6pWc3YgNb8QxEj1VrSu5Ka'
const LONG = 'q7Lw'.concat('Rb3xTn9Zk2Vd8Hf5Mc1Sg6Yj4Pp0Aa'.repeat(3))

const PEPPERED = hmac({ current: 'p1', peppers: { p1: OLD } })

/** An instance on a store, whose keys are kept by these hashers. */
function opened(store: KeyStore, hasher: Hasher | readonly Hasher[], pair = false) {
  return createApiKeys({ prefix: 'hp_', store, hasher, pair })
}

describe('hmac', () => {
  it('F-18 keeps the HMAC of the whole text, which is no plain hash of pepper and key', async () => {
    const store = memoryStore()
    const { key, record } = await opened(store, PEPPERED).create({ owner: 'acct_1' })
    const { hash } = await kept(store, record.id)
    expect(hash).toBe(`hmac$p1$${createHmac('sha256', OLD).update(key).digest('hex')}`)
    for (const text of [OLD + key, key + OLD, key]) {
      expect(hash).not.toContain(createHash('sha256').update(text).digest('hex'))
    }
    expect(hash).not.toContain(key.slice(-38))
  })

  it('F-18 keeps a pair as the HMAC of both halves, and sha256() as SHA-256', async () => {
    const store = memoryStore()
    const { key, secret, record } = await opened(store, PEPPERED, true).create({ owner: 'acct_1' })
    const digest = createHmac('sha256', OLD).update(`${key}${secret}`).digest('hex')
    expect((await kept(store, record.id)).hash).toBe(`hmac$p1$${digest}`)
    const plain = await opened(store, sha256()).create({ owner: 'acct_1' })
    const expected = `sha256$${createHash('sha256').update(plain.key).digest('hex')}`
    expect((await kept(store, plain.record.id)).hash).toBe(expected)
  })

  it('a leaked record is worth nothing under another pepper of the same version', async () => {
    const store = memoryStore()
    const { key } = await opened(store, PEPPERED).create({ owner: 'acct_1' })
    expect(await judged(opened(store, hmac({ current: 'p1', peppers: { p1: NEW } })), key)).toBe('invalid_key')
    expect(await judged(opened(store, sha256()), key)).toBe('invalid_key')
    expect(await judged(opened(store, PEPPERED), key)).toBe('admitted')
  })

  it('a pepper is copied: the caller may wipe its bytes', async () => {
    const bytes = Buffer.from(OLD)
    const keys = createApiKeys({ prefix: 'hp_', hasher: hmac({ current: 'p1', peppers: { p1: bytes } }) })
    const { key } = await keys.create({ owner: 'acct_1' })
    bytes.fill(0)
    expect(await judged(keys, key)).toBe('admitted')
  })
})

describe('hmac: upgrade on use', () => {
  const BOTH = { p1: OLD, p2: NEW }

  it.each<readonly [string, Hasher, Hasher | readonly Hasher[], string]>([
    ['sha256()', sha256(), [PEPPERED, sha256()], 'hmac$p1$'],
    ['an older pepper', PEPPERED, hmac({ current: 'p2', peppers: BOTH }), 'hmac$p2$'],
    [
      'a newer pepper, on the way back',
      hmac({ current: 'p2', peppers: BOTH }),
      hmac({ current: 'p1', peppers: BOTH }),
      'hmac$p1$',
    ],
    ['hmac() to sha256()', PEPPERED, [sha256(), PEPPERED], 'sha256$'],
  ])('from %s', async (_, before, after, start) => {
    for (const pair of [false, true]) {
      const store = memoryStore()
      const { key, secret, record } = await opened(store, before, pair).create({ owner: 'acct_1', name: 'x' })
      const credential = secret === undefined ? key : { key, secret }
      const old = await kept(store, record.id)
      const keys = opened(store, after, pair)
      expect(await judged(keys, credential)).toBe('admitted')
      await expect.poll(async () => (await kept(store, record.id)).hash).toMatch(start)
      // Nothing but the hash has changed: a use is no change of the key.
      const upgraded = await kept(store, record.id)
      expect({ ...upgraded, hash: old.hash, version: old.version, lastUsedAt: 0, uses: 0 }).toEqual({
        ...old,
        lastUsedAt: 0,
        uses: 0,
      })
      expect(upgraded.version).toBeGreaterThan(old.version)
      // The old hasher may go now.
      const first = [after].flat()[0] ?? sha256()
      expect(await judged(opened(store, first, pair), credential)).toBe('admitted')
    }
  })

  it('happens once, and never for what is refused', async () => {
    const { store, asked } = spiedStore()
    const { key, record } = await opened(store, sha256()).create({ owner: 'acct_1' })
    const keys = opened(store, [PEPPERED, sha256()])
    const { key: wrong } = await wrongSecretFor(record.id, 'hp_')
    expect(await judged(keys, wrong)).toBe('invalid_key')
    await keys.disable(record.id)
    const changes = asked('replace')
    expect(await judged(keys, key)).toBe('disabled')
    expect(asked('replace')).toBe(changes)
    await keys.enable(record.id)
    for (let i = 0; i < 3; i++) expect(await judged(keys, key)).toBe('admitted')
    await expect.poll(async () => (await kept(store, record.id)).hash).toMatch(/^hmac\$p1\$/)
    for (let i = 0; i < 3; i++) expect(await judged(keys, key)).toBe('admitted')
    expect(asked('replace')).toBe(changes + 2)
  })

  it('a pepper that was taken away refuses its keys and breaks no others', async () => {
    const store = memoryStore()
    const { key, record } = await opened(store, PEPPERED).create({ owner: 'acct_1' })
    const keys = opened(store, [hmac({ current: 'p2', peppers: { p2: NEW } }), sha256()])
    expect(await judged(keys, key)).toBe('invalid_key')
    expect((await kept(store, record.id)).hash).toMatch(/^hmac\$p1\$/)
    expect(await judged(keys, (await keys.create({ owner: 'acct_1' })).key)).toBe('admitted')
  })
})

/** Peppers that guard nothing. */
const WEAK: readonly (readonly [string, unknown])[] = [
  ['empty', ''],
  ['no bytes', new Uint8Array(0)],
  ['white space', ' '.repeat(32)],
  ['tabs and line ends', '\t\r\n \t\r\n \t\r\n \t\r\n \t\r\n '],
  ['too short', 'kJq2vTz5RwXn9Bf'],
  ['too few bytes', Buffer.from(OLD).subarray(0, 15)],
  ['changeme', 'changeme'],
  ['changeme, often', 'changemechangemechangeme'],
  ['a placeholder', 'CHANGE_ME-before-production-1'],
  ['one character', 'a'.repeat(64)],
  ['zeros', new Uint8Array(32)],
  ['F-38 a NUL at its end', `${OLD}\0`],
  ['F-38 a NUL byte at its end', Buffer.from(`${OLD}\0`)],
  ['F-38 half a surrogate pair', `${OLD}\ud83d`],
  ['undefined, as from a missing variable of the environment', undefined],
  ['null', null],
  ['a number', 1234567890],
  ['a list of numbers', Array.from(Buffer.from(OLD))],
]

describe('hmac: configuration', () => {
  it.each(WEAK)('F-26 refuses a pepper that is %s, and does not show it', async (_, pepper) => {
    const peppers = { good: NEW, weak: pepper as string }
    for (const current of ['good', 'weak']) {
      const error = await failure(() => hmac({ current, peppers }))
      expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringContaining('peppers.weak') })
      if (typeof pepper === 'string' && pepper.trim().length > 1) expect(error.message).not.toContain(pepper.trim())
    }
  })

  it.each<readonly [string, unknown]>([
    ['no options', undefined],
    ['no peppers', { current: 'p1' }],
    ['no pepper at all', { current: 'p1', peppers: {} }],
    ['text for peppers', { current: 'p1', peppers: OLD }],
    ['a current version that is not there', { current: 'p2', peppers: { p1: OLD } }],
    ['no current version', { peppers: { p1: OLD } }],
    ['a version that every object has', { current: 'toString', peppers: { p1: OLD } }],
    ['an option that there is not', { current: 'p1', peppers: { p1: OLD }, rotate: true }],
    ['a version with a dollar sign', { current: 'p$1', peppers: { p$1: OLD } }],
    ['an empty version', { current: '', peppers: { '': OLD } }],
    ['F-29 one pepper under two versions', { current: 'p1', peppers: { p1: OLD, p2: OLD } }],
    [
      'F-29 one pepper under two versions, as text and bytes',
      { current: 'p1', peppers: { p1: OLD, p2: Buffer.from(OLD) } },
    ],
  ])('F-26 F-29 refuses %s', async (_, options) => {
    const error = await failure(() => hmac(options as HmacOptions))
    expect(error).toMatchObject({ code: 'CONFIG' })
    expect(error.message).not.toContain(OLD)
  })

  it('F-29 refuses two hashers of one scheme: a version would mean two peppers', async () => {
    const hasher = [PEPPERED, hmac({ current: 'p1', peppers: { p1: NEW } })]
    expect(await failure(() => createApiKeys({ prefix: 'hp_', hasher }))).toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('hasher'),
    })
  })

  it('F-38 a pepper of up to 64 bytes is itself, and a longer one equals its SHA-256', async () => {
    const store = memoryStore()
    const { key } = await opened(store, hmac({ current: 'p1', peppers: { p1: LONG } })).create({ owner: 'acct_1' })
    const digest = createHash('sha256').update(LONG).digest()
    expect(await judged(opened(store, hmac({ current: 'p1', peppers: { p1: digest } })), key)).toBe('admitted')
    expect(await judged(opened(store, hmac({ current: 'p1', peppers: { p1: LONG.slice(0, 64) } })), key)).toBe(
      'invalid_key',
    )
  })

  it('F-38 text counts as UTF-8', async () => {
    const store = memoryStore()
    const text = `${OLD}é\u{1f511}`
    const { key } = await opened(store, hmac({ current: 'p1', peppers: { p1: text } })).create({ owner: 'acct_1' })
    expect(await judged(opened(store, hmac({ current: 'p1', peppers: { p1: Buffer.from(text) } })), key)).toBe(
      'admitted',
    )
    expect(await judged(opened(store, hmac({ current: 'p1', peppers: { p1: text.normalize('NFD') } })), key)).toBe(
      'invalid_key',
    )
  })
})
