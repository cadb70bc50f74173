import Module from 'node:module'
import { createApiKeys, memoryStore, sha256 } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { heldArgon2, LIGHT, nativeArgon2, turns, wrongSecrets } from '../support/argon2.ts'
import { codeOf, failure, judged, listener } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { kept, spiedStore } from '../support/stores.ts'
import { unknownKeys } from '../support/strangers.ts'

/** How the native function may fail while a program runs. */
const FAILURES: readonly (readonly [string, () => unknown])[] = [
  ['rejects', () => Promise.reject(new Error('cannot allocate memory'))],
  [
    'throws at once',
    () => {
      throw new Error('napi: no thread')
    },
  ],
  ['resolves with nothing', async () => undefined],
]

/** Instances on argon2 whose native function fails from some time on, with a key of before. */
async function failing(pair: boolean, fail: () => unknown) {
  let broken = false
  nativeArgon2(
    (real) =>
      (...args) =>
        broken ? (fail() as Promise<Buffer>) : real(...args),
  )
  const heard = listener()
  const { store, asked } = spiedStore(memoryStore())
  const hasher = [argon2id({ ...LIGHT, concurrency: 1, queue: 3 }), sha256()]
  const keys = createApiKeys({ prefix: 'ag_', pair, store, hasher, onEvent: heard.onEvent })
  const created = await keys.create({ owner: 'acct_1' })
  return { keys, created, store, asked, heard, break: () => (broken = true), mend: () => (broken = false) }
}

describe.each(SOURCES)('A. Argon2 that fails at run time ($source)', (source) => {
  it.each(FAILURES)('A-07 it %s: everybody is unavailable, known or not, and nobody is admitted', async (_, fail) => {
    const { keys, created, heard, break: begin } = await failing(source.pair, fail)
    const [stranger] = await unknownKeys('ag_', 1, source.pair)
    const [wrong] = await wrongSecrets(created.record.id, 'ag_', 1, source.pair)
    begin()
    const texts = [created, stranger, wrong].map((each) => each ?? created)
    // More than may wait, so that a place that is not given back would show.
    for (let round = 0; round < 4; round++) {
      const verdicts = await Promise.all(texts.map((each) => keys.verify(carried(source, each))))
      expect(verdicts.map(codeOf)).not.toContain('admitted')
      expect(codeOf(await keys.verify(carried(source, created)))).toBe('unavailable')
    }
    expect(heard.of('fault').map(({ code }) => code)).toContain('hash')
    expect(JSON.stringify(heard.events)).not.toContain((created.secret ?? created.key).slice(-38))
  })

  it.each(FAILURES)('A-07 it %s: no key is made or rotated, and no other hasher takes its place', async (_, fail) => {
    const { keys, created, store, asked, break: begin } = await failing(source.pair, fail)
    const before = await kept(store, created.record.id)
    begin()
    await expect(keys.create({ owner: 'acct_1' })).rejects.toThrow()
    await expect(keys.rotate(created.record.id, { overlap: 0 })).rejects.toThrow()
    expect([asked('insert'), asked('replace')]).toEqual([1, 0])
    expect(await kept(store, created.record.id)).toEqual(before)
  })

  it.each(FAILURES)('A-07 it %s: when it is well again, all is as before', async (_, fail) => {
    const { keys, created, break: begin, mend } = await failing(source.pair, fail)
    begin()
    for (let n = 0; n < 10; n++) await judged(keys, carried(source, created))
    mend()
    expect(await judged(keys, carried(source, created))).toBe('admitted')
    const { key, secret } = await keys.create({ owner: 'acct_2' })
    expect(await judged(keys, carried(source, secret === undefined ? { key } : { key, secret }))).toBe('admitted')
  })

  it('A-06 what is hashed is always as long as a key: anything shorter or longer costs nothing', async () => {
    const argon2 = heldArgon2()
    const keys = createApiKeys({ prefix: 'ag_', pair: source.pair, hasher: argon2id(LIGHT) })
    const created = await keys.create({ owner: 'acct_1' })
    const [made] = argon2.asked
    const length = String(made?.[0]).length
    const [wrong, stranger] = [
      ...(await wrongSecrets(created.record.id, 'ag_', 1, source.pair)),
      ...(await unknownKeys('ag_', 1, source.pair)),
    ]
    for (const texts of [created, wrong, stranger]) if (texts) await judged(keys, carried(source, texts))
    expect(argon2.asked.map(([text]) => String(text).length)).toEqual(Array(4).fill(length))
    // Alike in every cost, too.
    const costs = argon2.asked.map(([, options]) => ({ ...options, salt: undefined }))
    expect(new Set(costs.map((each) => JSON.stringify(each))).size).toBe(1)

    argon2.asked.length = 0
    for (const size of [0, 1, 2, 31, 33, 100, 400, 512, 4096, 1 << 20]) {
      const grown = { key: `ag_${'a'.repeat(size)}`, secret: `ag_sec_${'a'.repeat(size)}` }
      await judged(keys, carried(source, source.pair ? grown : { key: grown.key }))
    }
    expect(argon2.asked).toEqual([])
  })

  it('T-06 a key of older parameters costs, once it was used, what an unknown id costs', async () => {
    const argon2 = heldArgon2()
    const store = memoryStore()
    const options = { prefix: 'ag_', pair: source.pair, store }
    const old = await createApiKeys({ ...options, hasher: argon2id({ ...LIGHT, passes: 3 }) }).create({ owner: 'a' })
    const keys = createApiKeys({ ...options, hasher: argon2id(LIGHT) })
    expect(await judged(keys, carried(source, old))).toBe('admitted')
    await expect.poll(async () => (await kept(store, old.record.id)).hash).toContain('t=1')
    argon2.asked.length = 0
    for (const texts of [
      ...(await wrongSecrets(old.record.id, 'ag_', 1, source.pair)),
      ...(await unknownKeys('ag_', 1, source.pair)),
    ]) {
      expect(await judged(keys, carried(source, texts))).toBe('invalid_key')
    }
    expect(argon2.asked.map(([, given]) => [given?.memoryCost, given?.timeCost, given?.parallelism])).toEqual([
      [7168, 1, 1],
      [7168, 1, 1],
    ])
  })

  it('T-06 while the queue is full, an unknown id is answered as a wrong secret is', async () => {
    const argon2 = heldArgon2()
    const hasher = argon2id({ ...LIGHT, concurrency: 1, queue: 4 })
    const keys = createApiKeys({ prefix: 'ag_', pair: source.pair, hasher })
    const created = await keys.create({ owner: 'acct_1' })
    const wrong = await wrongSecrets(created.record.id, 'ag_', 20, source.pair)
    const strangers = await unknownKeys('ag_', 5, source.pair)
    argon2.hold()
    const first = wrong.slice(0, 15).map((texts) => keys.verify(carried(source, texts)))
    await turns()
    const told = new Set<string>()
    for (const texts of [...wrong.slice(15), ...strangers]) told.add(await judged(keys, carried(source, texts)))
    argon2.release()
    await Promise.all(first)
    expect([...told]).toEqual(['unavailable'])
  })
})

describe('A. Argon2 that is not there', () => {
  /** As where the package was not installed, or has no binary for this machine. */
  function withoutPackage(message: string): void {
    const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown }
    const load = loader._load
    loader._load = (request, ...rest) => {
      if (request !== '@node-rs/argon2') return load(request, ...rest)
      throw new Error(message)
    }
    onTestFinished(() => {
      loader._load = load
    })
  }

  it.each(["Cannot find module '@node-rs/argon2'", 'Failed to load native binding'])(
    'A-07 is CONFIG when the hasher is made, with what to do, and nothing takes its place: %s',
    async (message) => {
      withoutPackage(message)
      const error = await failure(() => createApiKeys({ prefix: 'ag_', hasher: [argon2id(), sha256()] }))
      expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringContaining('npm install @node-rs/argon2') })
    },
  )
})
