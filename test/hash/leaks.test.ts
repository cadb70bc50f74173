import { inspect } from 'node:util'
import { getHeapSnapshot, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createApiKeys, type Hasher, hmac, type KeyStore, memoryStore, sha256 } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { describe, expect, it } from 'vitest'
import { listener } from '../support/outcome.ts'

const PEPPER = 'Wd4vHq8ZsNx2TcJb6RmYk9Pf'
const FORMS = [
  PEPPER,
  Buffer.from(PEPPER).toString('hex'),
  Buffer.from(PEPPER).toString('base64'),
  `${[...Buffer.from(PEPPER)].slice(0, 6)}`,
]

/** Everything that a program may print of a value by accident. */
function printed(value: unknown): string {
  const whole = inspect(value, {
    depth: 20,
    showHidden: true,
    getters: true,
    maxStringLength: null,
    maxArrayLength: null,
  })
  const error = value instanceof Error ? [value.message, value.stack, String(value)] : []
  return [whole, String(value), JSON.stringify(value), ...error].join('\n')
}

async function thrownBy(act: () => unknown): Promise<unknown> {
  try {
    await act()
  } catch (error) {
    return error
  }
  throw new Error('it threw nothing')
}

describe('G. A pepper is in nothing that can be printed', () => {
  const hasher = hmac({ current: 'p1', peppers: { p1: PEPPER } })

  it('of a hasher, an instance, what it makes and what it tells', async () => {
    const { events, onEvent } = listener()
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 'hp_', store, hasher, onEvent })
    const made = await keys.create({ owner: 'acct_1' })
    const verdict = await keys.verify(made.key)
    const explained = await keys.explain(made.key)
    const stored = await store.find(made.record.id)
    const text = [hasher, keys, made, verdict, explained, stored, events].map(printed).join('\n')
    expect(text).toContain(made.record.id)
    for (const form of FORMS) expect(text).not.toContain(form)
  })

  it.each<readonly [string, () => unknown]>([
    ['a pepper that ends with NUL', () => hmac({ current: 'p1', peppers: { p1: `${PEPPER}\0` } })],
    ['a pepper with a placeholder in it', () => hmac({ current: 'p1', peppers: { p1: `${PEPPER}changeme` } })],
    ['a pepper that is too short', () => hmac({ current: 'p1', peppers: { p1: PEPPER.slice(0, 15) } })],
    ['peppers that are text', () => hmac({ current: 'p1', peppers: PEPPER as never })],
    ['a twin', () => hmac({ current: 'p1', peppers: { p1: PEPPER, p2: PEPPER } })],
    ['an unknown current version', () => hmac({ current: 'p2', peppers: { p1: PEPPER } })],
    ['a pepper for the current version', () => hmac({ current: PEPPER, peppers: { p1: PEPPER } })],
    ['a pepper for a hasher', () => createApiKeys({ prefix: 'hp_', hasher: PEPPER as never })],
    [
      'options of hmac() for a hasher',
      () => createApiKeys({ prefix: 'hp_', hasher: { current: 'p1', peppers: { p1: PEPPER } } as never }),
    ],
    [
      'options of hmac() in a list of hashers',
      () => createApiKeys({ prefix: 'hp_', hasher: [{ peppers: { p1: PEPPER } }] as never }),
    ],
    [
      'a hasher that carries its pepper, and another option that is wrong',
      () => createApiKeys({ prefix: 'HP', hasher: Object.assign({ pepper: PEPPER }, sha256()) }),
    ],
  ])('of an error about %s', async (_, act) => {
    const error = await thrownBy(act)
    expect(error).toMatchObject({ code: 'CONFIG' })
    const text = printed(error)
    for (const form of [...FORMS, PEPPER.slice(0, 15)]) expect(text).not.toContain(form)
  })

  it('of an error of a hasher: the request is unavailable, and listeners hear no key', async () => {
    const { events, onEvent } = listener()
    const store: KeyStore = memoryStore()
    const { key } = await createApiKeys({ prefix: 'hp_', store }).create({ owner: 'acct_1' })
    const broken: Hasher = {
      ...sha256(),
      check: async (text) => {
        throw new Error(`cannot hash ${text}`)
      },
    }
    const keys = createApiKeys({ prefix: 'hp_', store, hasher: broken, onEvent })
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'unavailable', status: 503 })
    expect(events.map(({ type }) => type)).toEqual(['fault', 'denied'])
    expect(printed(events)).not.toContain(key.slice(-38))
  })
})

/** All strings that this process still holds, as V8 writes them down, after everything that can go has gone. */
async function heap(): Promise<string> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  const chunks: Buffer[] = []
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('latin1')
}

/** Calls with the text of a fresh key, and gives that text backwards, so that it is not itself what is found. */
async function backwards(
  make: () => Promise<{ key: string; secret?: string }>,
  use: (key: string, secret: string | undefined) => Promise<void>,
): Promise<string> {
  const { key, secret } = await make()
  await use(key, secret)
  return Array.from(secret ?? key)
    .slice(-38)
    .reverse()
    .join('')
}

describe('F-37 A key does not outlive its request', () => {
  it('in the memory of the process, whichever way it was proved, refused or kept', async () => {
    const slow = argon2id({ memory: 7168, passes: 1 })
    const hashers: readonly Hasher[] = [sha256(), hmac({ current: 'p1', peppers: { p1: PEPPER } }), slow]
    const open = [false, true].flatMap((pair) =>
      hashers.map((hasher) => createApiKeys({ prefix: 'hp_', pair, hasher, failures: { limit: 1000, window: '1m' } })),
    )
    const held = await createApiKeys({ prefix: 'held_' }).create({ owner: 'acct_1' })
    const marks = await Promise.all(
      open.map((keys) =>
        backwards(
          () => keys.create({ owner: 'acct_1' }),
          async (key, secret) => {
            const headers = { 'x-api-key': key, ...(secret !== undefined && { 'x-api-secret': secret }) }
            const credential = secret === undefined ? { key } : { key, secret }
            for (let i = 0; i < 3; i++) {
              expect(await keys.verify({ headers, request: {} })).toMatchObject({ ok: true })
              expect(await keys.verify(credential)).toMatchObject({ ok: true })
            }
            expect(await keys.verify({ ...credential, key: `${key}x` })).toMatchObject({ ok: false })
            await keys.explain(credential)
          },
        ),
      ),
    )
    const snapshot = await heap()
    // What is still held is found: the search is able to find.
    expect(snapshot).toContain(held.key.slice(-38))
    const found = marks.filter((mark) => snapshot.includes(Array.from(mark).reverse().join('')))
    expect(found).toEqual([])
    await Promise.all(open.map((keys) => keys.close()))
  })
})
