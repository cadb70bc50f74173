import express from 'express'
import { bearer, createApiKeys, type Found, header, memoryStore, pair, type Source } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failure, judged } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { openSite } from '../support/site.ts'

const MINE = 'x-mine'
const LINE = [['X-Mine', 'x']] as const

/** A source of the host's own, which answers as JavaScript may. */
function sourceThat(read: (values: readonly (string | undefined)[]) => unknown): Source {
  return { headers: [MINE], read: (values) => read(values) as Found }
}

/** Nonsense that holds a valid key: nothing may dig it out. */
const NONSENSE: readonly (readonly [string, (key: string) => unknown])[] = [
  ['a promise', (key) => Promise.resolve(key)],
  ['a thenable', (key) => Object.fromEntries([['then', (settle: (value: string) => void) => settle(key)]])],
  ['a list', (key) => [key]],
  ['a list of two', (key) => [key, key]],
  ['a list-like object', (key) => ({ 0: key, length: 1 })],
  ['a number', () => 42],
  ['true', () => true],
  ['null', () => null],
  ['a String object', (key) => Object(key)],
  ['a Buffer', (key) => Buffer.from(key)],
  ['a function', (key) => () => key],
  ['an object that turns into text', (key) => ({ toString: () => key })],
  ['a Map', (key) => new Map([['key', key]])],
  ['halves that are lists', (key) => ({ key: [key], secret: undefined })],
  ['halves that are promises', (key) => ({ key: Promise.resolve(key), secret: undefined })],
  ['a secret that is no text', (key) => ({ key, secret: 42 })],
]

describe("H-54 a source of the host's own", () => {
  it('admits the key that it finds, and is given the value of each header that it names', async () => {
    const { send, issue } = await openSite({
      keys: { sources: [{ headers: [MINE, 'x-part'], read: ([first, second]) => first && second && first + second }] },
    })
    const { key } = await issue()
    expect(
      await send([
        ['X-Mine', key.slice(0, 20)],
        ['X-Part', `  ${key.slice(20)} `],
      ]),
    ).toBe('admitted')
    expect(
      await send([
        ['X-Mine', key],
        ['X-Part', ''],
      ]),
    ).toBe('401 missing_credentials')
    expect(
      await send([
        ['X-Mine', key],
        ['X-Mine', key],
        ['X-Part', ''],
      ]),
    ).toBe('400 ambiguous_credentials')
  })

  it.each(['', undefined])('that finds %j has found nothing', async (found) => {
    for (const optional of [false, true]) {
      const { send } = await openSite({ keys: { sources: [sourceThat(() => found)] }, demand: { optional } })
      expect(await send(LINE)).toBe('401 missing_credentials')
    }
  })

  it.each(NONSENSE)('that answers with %s is refused, on optional routes too', async (_, make) => {
    for (const optional of [false, true]) {
      let key = ''
      const { send, issue, finds } = await openSite({
        keys: { sources: [sourceThat(() => make(key))] },
        demand: { optional },
      })
      key = (await issue()).key
      expect(await send(LINE)).toMatch(/^401 (missing_credentials|invalid_key)$/)
      expect(finds()).toBe(0)
    }
  })

  it.each(NONSENSE)('that answers with %s is refused on an instance with pairs', async (_, make) => {
    let key = ''
    const { send, issue } = await openSite({ keys: { pair: true, sources: [sourceThat(() => make(key))] } })
    key = (await issue()).key
    expect(await send(LINE)).toMatch(/^401 /)
  })

  it('that rejects late ends neither the request nor the process', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    const { send } = await openSite({ keys: { sources: [sourceThat(() => Promise.reject(new Error('late')))] } })
    expect(await send(LINE)).toMatch(/^401 /)
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  })

  it('that throws reaches the error path of Express and admits nothing', async () => {
    const mine = new Error('mine')
    const keys = createApiKeys({
      prefix: 'agk_live_',
      sources: [
        sourceThat(() => {
          throw mine
        }),
        bearer(),
      ],
    })
    const { key } = await keys.create({ owner: 'acct_1' })
    const seen: unknown[] = []
    let reached = false
    const app = express()
    app.use(guard(keys, { optional: true }), () => {
      reached = true
    })
    app.use((error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      seen.push(error)
      res.status(500).end()
    })
    const { port } = await serve(app)
    const answer = await raw(port, request(['X-Mine: x', `Authorization: Bearer ${key}`]))
    expect(answer.status).toBe(500)
    expect(seen).toEqual([mine])
    expect(reached).toBe(false)
    await expect(async () => keys.verify({ headers: { [MINE]: 'x' } })).rejects.toBe(mine)
  })

  it('is not asked while none of its headers is there', async () => {
    let asked = 0
    const keys = createApiKeys({
      prefix: 'agk_live_',
      sources: [
        sourceThat(() => {
          asked++
          return undefined
        }),
        header('x-api-key'),
      ],
    })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, { headers: { 'x-api-key': key } })).toBe('admitted')
    expect(asked).toBe(0)
  })

  it('may ignore what is foreign to it', async () => {
    const source: Source = { ...sourceThat(([value]) => value), foreign: 'ignore' }
    const { send, issue } = await openSite({ keys: { sources: [source] }, demand: { optional: true } })
    expect(await send(LINE)).toBe('anonymous')
    expect(await send([['X-Mine', (await issue()).key]])).toBe('admitted')
    expect(await send([['X-Mine', 'agk_live_x']])).toBe('401 invalid_key')
  })

  it('may find halves, and a key alone where keys do not come in pairs', async () => {
    const store = memoryStore()
    const whole = createApiKeys({
      prefix: 'agk_live_',
      store,
      sources: [sourceThat(([key]) => ({ key, secret: undefined }))],
    })
    const { key } = await whole.create({ owner: 'acct_1' })
    expect(await judged(whole, { headers: { [MINE]: key } })).toBe('admitted')
    const halves = createApiKeys({
      prefix: 'agp_',
      pair: true,
      sources: [
        sourceThat(([both = '']) => {
          const [key, secret] = both.split('.')
          return { key, secret }
        }),
      ],
    })
    const made = await halves.create({ owner: 'acct_1' })
    expect(await judged(halves, { headers: { [MINE]: `${made.key}.${made.secret}` } })).toBe('admitted')
    expect(await judged(halves, { headers: { [MINE]: made.key } })).toBe('incomplete_credentials')
  })

  it.each([
    ['a name with a space', () => header('x api key')],
    ['an empty name', () => header('')],
    ['a name that is no text', () => header(42 as unknown as string)],
    ['a pair in one header', () => pair('x-key', 'X-Key')],
    ['an empty list of sources', () => createApiKeys({ prefix: 'a_', sources: [] })],
    [
      'a source without headers',
      () => createApiKeys({ prefix: 'a_', sources: [{ headers: [], read: () => undefined }] }),
    ],
    [
      'a source without read',
      () => createApiKeys({ prefix: 'a_', sources: [{ headers: [MINE] } as unknown as Source] }),
    ],
    [
      'a header of which nobody knows the name',
      () => createApiKeys({ prefix: 'a_', sources: [{ headers: [42 as unknown as string], read: () => undefined }] }),
    ],
  ])('is refused at construction: %s', async (_, make) => {
    expect(await failure(make)).toMatchObject({ code: 'CONFIG' })
  })

  it('finds its headers however the host wrote their names', async () => {
    const { send, issue } = await openSite({ keys: { sources: [{ headers: ['X-Mine'], read: ([value]) => value }] } })
    expect(await send([['x-mine', (await issue()).key]])).toBe('admitted')
  })
})
