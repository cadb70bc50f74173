import { inspect } from 'node:util'
import { createApiKeys, type Hasher, memoryStore, sha256 } from 'keyward'
import { describe, expect, it } from 'vitest'
import { turns } from '../support/argon2.ts'
import { failure, judged, listener } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { kept, spiedStore } from '../support/stores.ts'

type Make = (text: string) => unknown

/** Hashers that fail to make a hash; what they say may hold the very text. */
const FAILURES: readonly (readonly [string, Make])[] = [
  [
    'throws',
    (text) => {
      throw new Error(`cannot hash ${text}`)
    },
  ],
  ['rejects', (text) => Promise.reject(new Error(`cannot hash ${text}`))],
  ['rejects with text', (text) => Promise.reject(`cannot hash ${text}`)],
  ['rejects with a chain', (text) => Promise.reject(new Error('no', { cause: new Error(`cannot hash ${text}`) }))],
]

const NONSENSE: readonly (readonly [string, Make])[] = [
  ['makes nothing', () => undefined],
  ['makes no text', () => 42],
  ['makes empty text', () => ''],
  ['makes the text of the key itself', (text) => text],
  ['makes a hash of another scheme', () => `md5$${'0'.repeat(32)}`],
  ['makes nothing, later', async () => undefined],
  ['makes the text of the key itself, later', async (text) => text],
]

/** A hasher that makes hashes until it is broken. */
async function breakable(pair: boolean, make: Make) {
  let broken = false
  const good = sha256()
  const hasher = { ...good, make: (text: string) => (broken ? make(text) : good.make(text)) } as Hasher
  const spied = spiedStore(memoryStore())
  const keys = createApiKeys({ prefix: 'hf_', pair, store: spied.store, hasher })
  const created = await keys.create({ owner: 'acct_1' })
  const before = await kept(spied.store, created.record.id)
  spied.forget()
  broken = true
  /** What is thrown by what makes a secret, and everything that could be printed of it. */
  const errors = async () => {
    const { id } = created.record
    const thrown = [
      await failure(() => keys.create({ owner: 'acct_1' })),
      await failure(() => keys.rotate(id, { overlap: 0 })),
    ]
    const text = thrown.map((error) => `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`)
    return { thrown, text: text.join('\n') }
  }
  return { keys, created, spied, before, errors }
}

describe.each(SOURCES)('A. Hashers that fail when a key is made ($source)', (source) => {
  it.each(FAILURES)('A-07 one that %s is an error of ours, which shows no key: nothing is kept', async (_, make) => {
    const { keys, created, spied, before, errors } = await breakable(source.pair, make)
    const { thrown, text } = await errors()
    expect(thrown.map(({ code }) => code)).toEqual(['STORE', 'STORE'])
    expect(text).not.toMatch(/[0-9A-Za-z]{32}/)
    expect([spied.asked('insert'), spied.asked('replace')]).toEqual([0, 0])
    expect(await kept(spied.store, created.record.id)).toEqual(before)
    expect(await judged(keys, carried(source, created))).toBe('admitted')
  })

  it.each(NONSENSE)(
    'A-07 one that %s is CONFIG: nothing is kept, least of all a key in plain text',
    async (_, make) => {
      const { keys, created, spied, before, errors } = await breakable(source.pair, make)
      const { thrown, text } = await errors()
      expect(thrown.map(({ code }) => code)).toEqual(['CONFIG', 'CONFIG'])
      expect(text).toContain('hasher')
      expect(text).not.toMatch(/[0-9A-Za-z]{32}/)
      expect([spied.asked('insert'), spied.asked('replace')]).toEqual([0, 0])
      expect(await kept(spied.store, created.record.id)).toEqual(before)
      expect(await judged(keys, carried(source, created))).toBe('admitted')
    },
  )

  it.each([...FAILURES, ...NONSENSE])(
    'A-07 one that %s puts no upgrade in the place of a hash that works',
    async (_, make) => {
      const spied = spiedStore(memoryStore())
      const options = { prefix: 'hf_', pair: source.pair, store: spied.store }
      const created = await createApiKeys({ ...options, hasher: sha256() }).create({ owner: 'acct_1' })
      const { hash } = await kept(spied.store, created.record.id)
      const other = { ...sha256(), scheme: 'other', make } as Hasher
      const { onEvent, events, of } = listener()
      const keys = createApiKeys({ ...options, hasher: [other, sha256()], onEvent })
      for (let use = 0; use < 3; use++) {
        expect(await judged(keys, carried(source, created))).toBe('admitted')
        await turns()
      }
      expect((await kept(spied.store, created.record.id)).hash).toBe(hash)
      expect(spied.asked('replace')).toBe(0)
      expect(of('fault').map(({ code }) => code)).toContain('upgrade')
      expect(JSON.stringify(events)).not.toMatch(/[0-9A-Za-z]{32}/)
    },
  )
})
