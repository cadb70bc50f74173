import { createCipheriv, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { type ApiKeysOptions, createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { randomBase62 } from '../../src/key/base62.ts'
import { failure } from '../support/outcome.ts'
import { kept, spiedStore } from '../support/stores.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX = 'a_'

/** Keeps nothing, so that making many keys costs little but making them. */
const FORGETFUL: KeyStore = { ...memoryStore(), insert: () => {} }

/** Bytes that are as good as random and the same in every run: a test of chance must not fail by chance. */
function keystream(seed: number): (size: number) => Uint8Array {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16))
  return (size) => cipher.update(Buffer.alloc(size))
}

async function bodies(count: number, options: Partial<ApiKeysOptions> = {}): Promise<string[]> {
  const keys = createApiKeys({ prefix: PREFIX, store: FORGETFUL, ...options })
  const texts: string[] = []
  for (let i = 0; i < count; i++) texts.push((await keys.create({ owner: 'acct_1' })).key.slice(PREFIX.length, -6))
  return texts
}

/** Pearson's chi-square of how often each digit stands at one position, against equally often. */
function chiSquare(texts: readonly string[], position: number): number {
  const counts = new Map<string, number>(Array.from(DIGITS, (digit) => [digit, 0]))
  for (const text of texts) counts.set(text.charAt(position), (counts.get(text.charAt(position)) ?? 0) + 1)
  const expected = texts.length / DIGITS.length
  return Array.from(DIGITS).reduce((sum, digit) => sum + ((counts.get(digit) ?? 0) - expected) ** 2 / expected, 0)
}

describe('F. Key generation', () => {
  it('F-21 gives every digit the same chance at every position', async () => {
    const texts = await bodies(25_000, { random: keystream(1) })
    expect(texts.join('').length).toBeGreaterThan(1_000_000)
    // 61 degrees of freedom: by chance a position lies above 100.9 once in a thousand times, the worst of 44 above 123
    // once in ten thousand. A byte taken modulo 62 gives about 226 at each.
    const worst = Math.max(...Array.from({ length: 44 }, (_, position) => chiSquare(texts, position)))
    expect(worst).toBeLessThan(123)
  })

  it('F-21 takes each of the 256 values of a byte for a digit equally often, or not at all', async () => {
    let next = 0
    const random = (size: number) => Uint8Array.from({ length: size }, () => next++ % 256)
    const texts = await bodies(31 * 64, { random, generateId: () => '000000000000' })
    const counts = new Map<string, number>()
    for (const char of texts.map((text) => text.slice(12)).join('')) counts.set(char, (counts.get(char) ?? 0) + 1)
    expect([...counts.keys()].sort().join('')).toBe(DIGITS)
    const [fewest, most] = [Math.min(...counts.values()), Math.max(...counts.values())]
    // A bias of modulo would be 5 to 4.
    expect(most / fewest).toBeLessThan(1.1)
  })

  it('F-21 makes no id twice', () => {
    const ids = Array.from({ length: 100_000 }, () => randomBase62(12, randomBytes))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('F-21 a new secret shares nothing with the one before', async () => {
    const keys = createApiKeys({ prefix: PREFIX })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const { key: next } = await keys.rotate(record.id, { overlap: 0 })
    expect(next.slice(0, 14)).toBe(key.slice(0, 14))
    expect(next.slice(14, -6)).not.toBe(key.slice(14, -6))
  })
})

/** Sources of randomness that have failed. */
const BROKEN: readonly (readonly [string, (size: number) => unknown])[] = [
  ['too few bytes', (size) => new Uint8Array(size - 1)],
  ['no bytes', () => new Uint8Array(0)],
  ['too many bytes', (size) => new Uint8Array(size + 1)],
  ['undefined', () => undefined],
  ['null', () => null],
  ['a list of numbers', (size) => Array.from({ length: size }, () => 7)],
  ['text', (size) => 'x'.repeat(size)],
  ['an ArrayBuffer', (size) => new ArrayBuffer(size)],
  ['wider numbers', (size) => new Uint16Array(size)],
  ['a promise', async (size) => new Uint8Array(size)],
]

describe('F. A broken source of randomness', () => {
  it('F-22 never falls back to Math.random', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.ts') && !path.startsWith('testing/'),
    )
    expect(sources.length).toBeGreaterThan(50)
    expect(sources.filter((path) => readFileSync(`src/${path}`, 'utf8').includes('Math.random'))).toEqual([])
  })

  it.each(BROKEN)('F-22 that gives %s makes no key', async (_, random) => {
    const { store, asked } = spiedStore()
    const keys = createApiKeys({ prefix: PREFIX, store, random: random as (size: number) => Uint8Array })
    expect(await failure(() => keys.create({ owner: 'acct_1' }))).toMatchObject({ code: 'CONFIG' })
    expect(asked('insert')).toBe(0)
  })

  it('F-22 that throws makes no key, and says why', async () => {
    const { store, asked } = spiedStore()
    const random = () => {
      throw new Error('no entropy')
    }
    const keys = createApiKeys({ prefix: PREFIX, store, random })
    await expect(keys.create({ owner: 'acct_1' })).rejects.toThrow('no entropy')
    expect(asked('insert')).toBe(0)
  })

  it('F-22 that fails during a rotation changes nothing', async () => {
    const { store, asked } = spiedStore()
    let broken = false
    const random = (size: number) => (broken ? new Uint8Array(0) : keystream(size)(size))
    const keys = createApiKeys({ prefix: PREFIX, store, random })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    broken = true
    expect(await failure(() => keys.rotate(record.id, { overlap: 0 }))).toMatchObject({ code: 'CONFIG' })
    expect(asked('replace')).toBe(0)
    expect(await keys.verify(key)).toMatchObject({ ok: true })
  })

  it('F-22 that is stuck at bytes of no use gives up rather than hanging the process', async () => {
    let asked = 0
    const random = (size: number) => {
      // So that a loop without an end fails this test instead of hanging it.
      if (++asked > 100_000) throw new Error('asked without end')
      return new Uint8Array(size).fill(255)
    }
    const keys = createApiKeys({ prefix: PREFIX, random })
    expect(await failure(() => keys.create({ owner: 'acct_1' }))).toMatchObject({ code: 'CONFIG' })
  })
})

describe('F. Ids', () => {
  it('F-23 a taken id is tried again three times, and then CONFLICT', async () => {
    const { store, asked } = spiedStore()
    let made = 0
    const generateId = () => {
      made++
      return 'AAAAAAAAAAAA'
    }
    const keys = createApiKeys({ prefix: PREFIX, store, generateId })
    const { key, record } = await keys.create({ owner: 'acct_1', name: 'first' })
    const before = await kept(store, record.id)
    made = 0
    expect(await failure(() => keys.create({ owner: 'acct_2', name: 'second' }))).toMatchObject({ code: 'CONFLICT' })
    expect(made).toBe(4)
    expect(asked('replace')).toBe(0)
    expect(await kept(store, record.id)).toEqual(before)
    expect(await keys.verify(key)).toMatchObject({ ok: true, access: { owner: 'acct_1', name: 'first' } })
  })

  it('F-23 the third try may still succeed', async () => {
    const ids = ['AAAAAAAAAAAA', 'AAAAAAAAAAAA', 'AAAAAAAAAAAA', 'AAAAAAAAAAAA', 'BBBBBBBBBBBB']
    const keys = createApiKeys({ prefix: PREFIX, generateId: async () => ids.shift() ?? '' })
    const first = await keys.create({ owner: 'acct_1' })
    const second = await keys.create({ owner: 'acct_1' })
    expect([first.record.id, second.record.id]).toEqual(['AAAAAAAAAAAA', 'BBBBBBBBBBBB'])
    for (const { key } of [first, second]) expect(await keys.verify(key)).toMatchObject({ ok: true })
  })

  it('F-23 randomness that repeats itself makes one key, and then CONFLICT', async () => {
    const keys = createApiKeys({ prefix: PREFIX, random: (size) => new Uint8Array(size).fill(7) })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await failure(() => keys.create({ owner: 'acct_2' }))).toMatchObject({ code: 'CONFLICT' })
    expect(await keys.verify(key)).toMatchObject({ ok: true, access: { owner: 'acct_1' } })
  })

  it('F-34 the same text cannot be made for two owners: it carries its id', async () => {
    const store = memoryStore()
    const random = (size: number) => new Uint8Array(size).fill(9)
    const open = () => createApiKeys({ prefix: PREFIX, store, random })
    const { record } = await open().create({ owner: 'acct_1' })
    expect(await failure(() => open().create({ owner: 'acct_2' }))).toMatchObject({ code: 'CONFLICT' })
    expect((await kept(store, record.id)).owner).toBe('acct_1')
  })

  it.each([
    '',
    'short',
    'AAAAAAAAAAA',
    'AAAAAAAAAAAAA',
    'AAAAAA-AAAAA',
    'AAAAAA AAAAA',
    'AAAAAAéAAAAA',
    42,
    null,
    undefined,
    ['AAAAAAAAAAAA'],
  ])('F-23 generateId that gives %j is CONFIG, and nothing is stored', async (id) => {
    const { store, asked } = spiedStore()
    const keys = createApiKeys({ prefix: PREFIX, store, generateId: () => id as string })
    expect(await failure(() => keys.create({ owner: 'acct_1' }))).toMatchObject({ code: 'CONFIG' })
    expect(asked('insert')).toBe(0)
  })

  it('F-23 generateId that throws or rejects makes no key', async () => {
    const { store, asked } = spiedStore()
    const mine = new Error('mine')
    const throwing = () => {
      throw mine
    }
    for (const generateId of [throwing, () => Promise.reject(mine)]) {
      const keys = createApiKeys({ prefix: PREFIX, store, generateId })
      await expect(keys.create({ owner: 'acct_1' })).rejects.toBe(mine)
    }
    expect(asked('insert')).toBe(0)
  })
})

describe('F-35 A secret is told once', () => {
  it.each([false, true])('no verb tells it again, nor its hash (pair: %s)', async (pair) => {
    const { store } = spiedStore()
    const keys = createApiKeys({ prefix: PREFIX, pair, store })
    const { key, secret, record } = await keys.create({ owner: 'acct_1' })
    const { hash } = await kept(store, record.id)
    const shown = [
      record,
      await keys.get(record.id),
      await keys.list(),
      await keys.update(record.id, { name: 'x' }),
      await keys.disable(record.id),
      await keys.enable(record.id),
      await keys.verify(secret === undefined ? key : { key, secret }),
      await keys.revoke(record.id),
    ]
    const text = JSON.stringify(shown)
    expect(text).toContain(record.id)
    for (const kept of [(secret ?? key).slice(-38, -6), hash, hash.slice(7)]) expect(text).not.toContain(kept)
  })
})
