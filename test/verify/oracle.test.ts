import { createApiKeys, hmac, memoryStore, sha256 } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { equalUnits, unitsOf } from '../../src/hash/equal.ts'
import { countingHasher, judged, refusalIn } from '../support/outcome.ts'
import { carried, SOURCES, type SourceCase } from '../support/presenting.ts'
import { alteredStore, sabotagedStore, spiedStore, wrongSecretFor } from '../support/stores.ts'

const HASHERS = [
  { name: 'sha256', make: sha256 },
  { name: 'hmac', make: () => hmac({ current: 'p1', peppers: { p1: 'v7Qm0z2LsE9rKc4TbXfY8nWd' } }) },
]

const CASES = SOURCES.flatMap((source) => HASHERS.map((hasher) => ({ ...source, hasher })))

/** An instance whose work is counted. */
function counted({ pair }: Pick<SourceCase, 'pair'>, make = sha256) {
  const clock = fakeClock()
  const { store, asked } = spiedStore()
  const { hasher, computed } = countingHasher(make())
  const keys = createApiKeys({ prefix: 'ora_', pair, store, hasher, clock })
  /** What judging a credential costs, and what came of it. */
  const cost = async (act: () => Promise<string>) => {
    const before = { finds: asked('find'), hashes: computed(), takes: asked('take') }
    const code = await act()
    return {
      code,
      finds: asked('find') - before.finds,
      hashes: computed() - before.hashes,
      takes: asked('take') - before.takes,
    }
  }
  return { keys, clock, cost }
}

describe('T. Timing and oracle: equal work', () => {
  it.each(CASES)('T-01 an unknown id costs what a wrong secret costs ($source, $hasher.name)', async (source) => {
    const { keys, cost } = counted(source, source.hasher.make)
    const { record } = await keys.create({ owner: 'acct_1' })
    const wrong = await wrongSecretFor(record.id, 'ora_', source.pair)
    const unknown = await wrongSecretFor('0'.repeat(12), 'ora_', source.pair)
    const ofWrong = await cost(() => judged(keys, carried(source, wrong)))
    const ofUnknown = await cost(() => judged(keys, carried(source, unknown)))
    expect(ofWrong).toEqual({ code: 'invalid_key', finds: 1, hashes: 1, takes: 0 })
    expect(ofUnknown).toEqual(ofWrong)
  })

  it.each(SOURCES)('T-01 nor does it tell an id that this process remembers ($source)', async (source) => {
    const { keys, cost } = counted(source)
    const { record, ...texts } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, carried(source, texts))).toBe('admitted')
    const wrong = await wrongSecretFor(record.id, 'ora_', source.pair)
    const unknown = await wrongSecretFor('0'.repeat(12), 'ora_', source.pair)
    const ofWrong = await cost(() => judged(keys, carried(source, wrong)))
    expect(await cost(() => judged(keys, carried(source, unknown)))).toEqual(ofWrong)
  })

  it('T-01 nor an id that this process remembers under another prefix, also where the store fails', async () => {
    const { store, asked, forget } = spiedStore()
    const { store: failing, break: sabotage } = sabotagedStore(store)
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: { live: 'orl_', test: 'ort_' }, store: failing, clock })
    const { key, record } = await keys.create({ owner: 'acct_1', environment: 'live' })
    expect(await judged(keys, key)).toBe('admitted')
    const texts = [(await wrongSecretFor(record.id, 'ort_')).key, (await wrongSecretFor('0'.repeat(12), 'ort_')).key]
    for (const text of texts) {
      forget()
      expect([await judged(keys, text), asked('find')]).toEqual(['invalid_key', 1])
    }
    sabotage('find', () => {
      throw new Error('down')
    })
    for (const text of texts) expect(await judged(keys, text)).toBe('unavailable')
    sabotage('find', undefined)
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('T-01 nor a key that is in the overlap of a rotation', async () => {
    const { keys, cost } = counted({ pair: false })
    const { record } = await keys.create({ owner: 'acct_1' })
    await keys.rotate(record.id, { overlap: '1h' })
    const { key: wrong } = await wrongSecretFor(record.id, 'ora_')
    const { key: unknown } = await wrongSecretFor('0'.repeat(12), 'ora_')
    const ofUnknown = await cost(() => judged(keys, unknown))
    expect(await cost(() => judged(keys, wrong))).toEqual(ofUnknown)
  })

  it.each(['revoked', 'disabled', 'expired', 'limited'] as const)(
    'T-03, T-04 nor a key that is %s, while its secret is not proved',
    async (state) => {
      const { keys, clock, cost } = counted({ pair: false })
      const { record } = await keys.create({
        owner: 'acct_1',
        limits: { minute: 0 },
        expiresAt: new Date(clock.now() + 1000),
      })
      if (state === 'revoked') await keys.revoke(record.id)
      if (state === 'disabled') await keys.disable(record.id)
      if (state === 'expired') clock.advance(1000)
      const { key: wrong } = await wrongSecretFor(record.id, 'ora_')
      const { key: unknown } = await wrongSecretFor('0'.repeat(12), 'ora_')
      const ofUnknown = await cost(() => judged(keys, unknown))
      expect(await cost(() => judged(keys, wrong))).toEqual(ofUnknown)
    },
  )

  it('T-01 a key that was made under a scheme that nobody knows costs what an unknown one costs', async () => {
    const { hasher, computed } = countingHasher()
    const store = alteredStore((stored) => ({ ...stored, hash: 'md5$0123456789abcdef' }))
    const keys = createApiKeys({ prefix: 'ora_', store, hasher })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('invalid_key')
    const ofStrange = computed()
    expect(await judged(keys, (await wrongSecretFor('0'.repeat(12), 'ora_')).key)).toBe('invalid_key')
    expect(computed()).toBe(2 * ofStrange)
  })

  it.each(SOURCES)('T-08 only what is malformed costs less: nothing at all ($source)', async (source) => {
    const { keys, cost } = counted(source)
    const { key, secret } = await keys.create({ owner: 'acct_1' })
    const flipped = (text: string) => `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`
    const malformed = [
      { key: flipped(key), secret },
      { key: `${key}0`, secret },
      { key: 'ora_', secret },
    ]
    if (secret !== undefined) malformed.push({ key, secret: flipped(secret) })
    for (const texts of malformed) {
      const given = texts.secret === undefined ? { key: texts.key } : { key: texts.key, secret: texts.secret }
      const spent = await cost(() => judged(keys, carried(source, given)))
      expect(spent).toEqual({ code: 'invalid_key', finds: 0, hashes: 0, takes: 0 })
    }
  })

  it('T-05 a refusal is not delayed: it is answered at once and sets no timer', async () => {
    const keys = createApiKeys({ prefix: 'ora_' })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const { key: wrong } = await wrongSecretFor(record.id, 'ora_')
    await keys.verify(key)
    onTestFinished(() => void vi.restoreAllMocks())
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const immediates = vi.spyOn(globalThis, 'setImmediate')
    const verdicts = [wrong, `${wrong}0`, (await wrongSecretFor('0'.repeat(12), 'ora_')).key].map((text) =>
      keys.verify(text),
    )
    expect(verdicts.map((verdict) => verdict instanceof Promise)).toEqual([false, false, false])
    expect([timers.mock.calls.length, immediates.mock.calls.length]).toEqual([0, 0])
  })

  it('T-11 managing a foreign id asks the store as often as managing an unknown one', async () => {
    const { store, asked } = spiedStore()
    const keys = createApiKeys({ prefix: 'ora_', store })
    const { record } = await keys.create({ owner: 'acct_1' })
    const finds = async (id: string) => {
      const before = asked('find')
      expect(await keys.get(id, { owner: 'acct_2' })).toBeUndefined()
      await expect(keys.remove(id, { owner: 'acct_2' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      return asked('find') - before
    }
    expect(await finds(record.id)).toBe(await finds('0'.repeat(12)))
    expect(asked('remove')).toBe(0)
  })
})

describe('T. Timing and oracle: comparing digests', () => {
  /** Units that count how often each of them is looked at. */
  function watched(units: Uint16Array) {
    const looks: number[] = []
    const get = (target: Uint16Array, name: string): unknown => {
      if (name !== 'length') looks.push(Number(name))
      return Reflect.get(target, name)
    }
    return { units: new Proxy(units, { get } as ProxyHandler<Uint16Array>), looks }
  }

  const digest = 'a'.repeat(16)

  it.each([
    ['equal', digest],
    ['different in the first byte', `b${digest.slice(1)}`],
    ['different in the second byte', `${String.fromCharCode(0x161)}${digest.slice(1)}`],
    ['different in the last byte', `${digest.slice(1)}b`],
    ['different throughout', 'b'.repeat(16)],
  ])('T-02 every byte is looked at once in digests that are %s', (_, other) => {
    const { units, looks } = watched(unitsOf(digest))
    expect(equalUnits(other, units)).toBe(other === digest)
    expect(looks).toEqual(Array.from({ length: 16 }, (_, at) => at))
  })

  it.each(['', 'a', digest.slice(1), `${digest}a`])(
    'T-12 digests of unequal length differ, and nothing is thrown: %j',
    (other) => {
      expect(equalUnits(other, unitsOf(digest))).toBe(false)
      expect(equalUnits(digest, unitsOf(other))).toBe(false)
    },
  )

  it.each(['sha256$', 'sha256$abc', `sha256$${'0'.repeat(63)}`, `sha256$${'0'.repeat(65)}`])(
    'T-12 a stored digest of the wrong length refuses: %j',
    async (hash) => {
      const keys = createApiKeys({
        prefix: 'ora_',
        store: alteredStore((stored) => ({ ...stored, hash }), memoryStore()),
      })
      const { key } = await keys.create({ owner: 'acct_1' })
      expect(refusalIn(await keys.verify(key))).not.toHaveProperty('record')
      expect(await judged(keys, key)).toBe('invalid_key')
    },
  )
})
