import fc from 'fast-check'
import { createApiKeys, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { crc32, sealed, sixDigits } from '../support/forge.ts'
import { failure, judged, listener } from '../support/outcome.ts'
import { openSite } from '../support/site.ts'
import { spiedStore } from '../support/stores.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SAMPLE = 'agk_live_3kTMd9xQ2pLwZq8sVb1nYc4hRt7mKj2gXf5dWa0pLe6u2UClr9'
const ID = fc.stringMatching(/^[0-9A-Za-z]{12}$/)
const PREFIX = fc.stringMatching(/^[a-z][a-z0-9_-]{0,30}[_-]$/)

/** An instance with one key, whose store is watched. */
async function open(prefix = 'agk_live_') {
  const { store, asked } = spiedStore()
  const keys = createApiKeys({ prefix, store })
  return { keys, ...(await keys.create({ owner: 'acct_1' })), finds: () => asked('find') }
}

describe('F. Key format', () => {
  it('the sample of the contract is well formed: the store is asked for its id', async () => {
    const { store, calls } = spiedStore()
    const keys = createApiKeys({ prefix: 'agk_live_', store })
    expect(sealed(SAMPLE.slice(0, -6))).toBe(SAMPLE)
    expect(await judged(keys, SAMPLE)).toBe('invalid_key')
    expect(calls.map(({ verb, args }) => [verb, args])).toEqual([['find', ['3kTMd9xQ2pLw']]])
  })

  it('any legal prefix makes keys that can be told apart, proved and shown', async () => {
    await fc.assert(
      fc.asyncProperty(PREFIX, ID, async (prefix, id) => {
        const keys = createApiKeys({ prefix, generateId: () => id })
        const { key, secret, record } = await keys.create({ owner: 'acct_1' })
        expect(secret).toBeUndefined()
        expect(key.length).toBe(prefix.length + 50)
        expect(key.startsWith(prefix + id)).toBe(true)
        expect(key.slice(prefix.length)).toMatch(/^[0-9A-Za-z]{50}$/)
        expect(sealed(key.slice(0, -6))).toBe(key)
        expect(record).toMatchObject({ id, prefix, display: `${prefix}${id}…` })
        expect(await keys.verify(key)).toMatchObject({ ok: true, access: { id, prefix } })
      }),
    )
  })

  it('any legal prefix makes pairs of which each half carries its own checksum', async () => {
    await fc.assert(
      fc.asyncProperty(PREFIX, ID, async (prefix, id) => {
        const keys = createApiKeys({ prefix, pair: true, generateId: () => id })
        const { key, secret = '' } = await keys.create({ owner: 'acct_1' })
        expect(key).toBe(sealed(prefix + id))
        expect(secret).toBe(sealed(secret.slice(0, -6)))
        expect(secret.startsWith(`${prefix}sec_`)).toBe(true)
        expect(secret.slice(prefix.length + 4)).toMatch(/^[0-9A-Za-z]{38}$/)
        expect(await keys.verify({ key, secret })).toMatchObject({ ok: true, access: { id } })
      }),
    )
  })

  it.each([
    '',
    'agk',
    'Agk_',
    '1agk_',
    '_agk_',
    '-agk_',
    'agk live_',
    'agk.',
    'agk_é_',
    'agk_\n',
    `${'a'.repeat(32)}_`,
  ])('refuses the prefix %j at construction', async (prefix) => {
    expect(await failure(() => createApiKeys({ prefix }))).toMatchObject({ code: 'CONFIG' })
  })

  it('F-07 a forged checksum gets as far as the store and the hash, and no further', async () => {
    const { keys, record, key, finds } = await open()
    const before = finds()
    const strangers = [sealed(`agk_live_${'0'.repeat(44)}`), sealed(`agk_live_${'z'.repeat(44)}`)]
    const wrong = sealed(`agk_live_${record.id}${'A'.repeat(32)}`)
    const near = sealed(`${key.slice(0, -7)}${key.at(-7) === 'a' ? 'b' : 'a'}`)
    for (const text of [...strangers, wrong, near]) expect(await judged(keys, text)).toBe('invalid_key')
    expect(finds() - before).toBe(4)
  })

  it('F-07 a refused forgery tells listeners nothing of the key whose id it carries', async () => {
    const { events, onEvent } = listener()
    const keys = createApiKeys({ prefix: 'agk_live_', onEvent })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.verify(sealed(`agk_live_${record.id}${'A'.repeat(32)}`))).not.toHaveProperty('record')
    expect(events.at(-1)).toEqual({ type: 'denied', at: expect.any(String), code: 'invalid_key' })
  })

  it.each([
    [['a2a_', 'a2a_live_']],
    [['a2a_live_', 'a2a_']],
    [['a2a_', 'a2a_']],
    [{ live: 'a2a_', test: 'a2a_test_' }],
    [{ live: ['new_', 'a2a-'], test: ['a2a-x_'] }],
  ])('F-10 refuses prefixes of which one begins another: %j', async (prefix) => {
    expect(await failure(() => createApiKeys({ prefix }))).toMatchObject({ code: 'CONFIG' })
  })

  it("F-10 refuses one guard for instances of which one's prefix begins another's", async () => {
    const instances = [createApiKeys({ prefix: 'a2a_' }), createApiKeys({ prefix: 'a2a_live_' })]
    expect(await failure(() => guard(instances))).toMatchObject({ code: 'CONFIG' })
  })

  it('F-10 a text that only begins or ends like a key of ours is none', async () => {
    const { keys, key, finds } = await open('a2a_')
    const body = key.slice('a2a_'.length)
    const texts = ['a2a_evil_', 'a2a__', '_a2a_', 'a2a', 'A2A_', 'a2a-', ' a2a_', 'xa2a_', 'a2a_a2a_', 'a2a_.'].map(
      (start) => start + body,
    )
    for (const text of [...texts, body, 'a2a_', 'a2a_live_']) {
      expect(await judged(keys, text)).toBe('invalid_key')
      expect(await judged(keys, sealed(text.slice(0, -6)))).toBe('invalid_key')
    }
    expect(finds()).toBe(0)
  })

  it('F-10 a key of another instance is foreign, even on the same store', async () => {
    const store = memoryStore()
    const [one, two] = [createApiKeys({ prefix: 'one_', store }), createApiKeys({ prefix: 'two_', store })]
    const { key } = await one.create({ owner: 'acct_1' })
    const renamed = sealed(`two_${key.slice(4, -6)}`)
    for (const text of [key, renamed]) expect(await judged(two, text)).toBe('invalid_key')
    expect(await judged(one, key)).toBe('admitted')
  })
})

describe('F. Checksums', () => {
  it('F-13 there is one spelling: none beyond 2^32, none with other padding', async () => {
    const { keys, key, finds } = await open()
    const start = key.slice(0, -6)
    const beyond = [1, 2, 12].map((times) => sixDigits(crc32(start) + times * 2 ** 32))
    for (const sum of [...beyond, '4gfFC4', 'zzzzzz', '000000', '      ', '++++++']) {
      expect(await judged(keys, start + sum)).toBe('invalid_key')
    }
    expect(finds()).toBe(0)
  })

  it('F-13 a leading zero can neither be left out nor replaced', async () => {
    const { keys, finds } = await open()
    let key = ''
    while (key.at(-6) !== '0') key = (await keys.create({ owner: 'acct_1' })).key
    const [start, digits] = [key.slice(0, -6), key.slice(-5)]
    for (const sum of [
      digits,
      ` ${digits}`,
      `00${digits}`,
      `${digits} `,
      `O${digits}`,
      `o${digits}`,
      `-${digits}`,
      `+${digits}`,
    ]) {
      expect(await judged(keys, start + sum)).toBe('invalid_key')
    }
    expect(finds()).toBe(0)
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('the digits are in the order 0-9A-Za-z', async () => {
    const { key } = await open()
    const value = Array.from(key.slice(-6)).reduce((sum, char) => sum * 62 + DIGITS.indexOf(char), 0)
    expect(value).toBe(crc32(key.slice(0, -6)))
  })
})

/** Ways in which a key arrives when somebody wrapped it. */
const WRAPPED: readonly (readonly [string, (key: string) => string])[] = [
  ['F-14 a NUL after it', (key) => `${key}\0`],
  ['F-14 a NUL and more after it', (key) => `${key}\0garbage`],
  ['F-14 a NUL inside', (key) => key.replace(/.{20}$/, (end) => `\0${end}`)],
  ['F-14 an encoded NUL', (key) => `${key}%00`],
  ['F-14 a written NUL', (key) => `${key}\\u0000`],
  ['F-15 percent-encoding of one letter', (key) => key.replace('a', '%61')],
  ['F-15 percent-encoding throughout', (key) => key.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`)],
  ['F-15 double percent-encoding', (key) => key.replace('a', '%2561')],
  ['F-15 an HTML entity', (key) => key.replace('a', '&#97;')],
  ['F-15 quoted-printable', (key) => key.replace('a', '=61')],
  ['F-15 a soft line break', (key) => key.replace(/.{20}$/, (end) => `=\r\n${end}`)],
  ['F-15 an escape of JavaScript', (key) => key.replace('a', '\\x61')],
  ['F-16 base64', (key) => Buffer.from(key).toString('base64')],
  ['F-16 base64url', (key) => Buffer.from(key).toString('base64url')],
  ['F-16 hex', (key) => Buffer.from(key).toString('hex')],
  ['F-16 padding', (key) => `${key}=`],
  ['F-16 more padding', (key) => `${key}==`],
  ['F-16 a plus sign for its last character', (key) => key.replace(/.$/, '+')],
  ['F-16 a minus sign for its last character', (key) => key.replace(/.$/, '-')],
  ['F-16 a space inside', (key) => key.replace(/.{20}$/, (end) => ` ${end}`)],
  ['F-16 exclamation marks after it', (key) => `${key}!!!`],
  ['F-40 the secret-token: form', (key) => `secret-token:${key}`],
  ['F-40 the secret-token: form, encoded', (key) => `secret-token:${encodeURIComponent(key)}`],
  ['a URN', (key) => `urn:${key}`],
  ['quotes', (key) => JSON.stringify(key)],
]

describe('F. A key is never decoded', () => {
  it.each(WRAPPED)('%s is refused without asking the store', async (_, wrap) => {
    const { keys, key, finds } = await open()
    expect(await judged(keys, wrap(key))).toBe('invalid_key')
    expect(await judged(keys, { headers: { authorization: `Bearer ${wrap(key)}` } })).toBe('invalid_key')
    expect(finds()).toBe(0)
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('F-20 neither id nor display nor any part that is shown opens anything', async () => {
    const { send, keys, issue, finds } = await openSite()
    await issue()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const shown = [
      record.id,
      record.display,
      record.display.slice(0, -1),
      record.prefix,
      record.prefix + record.id,
      key.slice(-4),
      key.slice(-6),
      sealed(record.prefix + record.id),
    ]
    for (const text of shown) {
      expect(await judged(keys, text)).toBe('invalid_key')
      expect(await send([['X-API-Key', Buffer.from(text).toString('latin1')]])).toBe('401 invalid_key')
    }
    expect(finds()).toBe(0)
  })

  it('F-20 nothing that is shown of a pair opens anything', async () => {
    const keys = createApiKeys({ prefix: 'agk_live_', pair: true })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    for (const secret of [record.id, record.display, key, sealed(`agk_live_sec_${record.id}`)]) {
      expect(await judged(keys, { key, secret })).toBe('invalid_key')
    }
  })
})
