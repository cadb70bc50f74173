import Fastify from 'fastify'
import {
  type ApiKeysOptions,
  bearer,
  createApiKeys,
  type Demand,
  header,
  hmac,
  KeywardError,
  memoryStore,
} from 'keyward'
import { argon2id } from 'keyward/argon2'
import { consolePage } from 'keyward/console'
import { guard } from 'keyward/express'
import fastifyPlugin from 'keyward/fastify'
import { auditLog, describeGuards, management } from 'keyward/management'
import { describe, expect, it } from 'vitest'
import { failure } from './support/outcome.ts'

const keys = createApiKeys({ prefix: 'agk_live_' })
const paired = createApiKeys({ prefix: 'agk_pair_', pair: true })
const { key } = await keys.create({ owner: 'acct_1' })
const { secret = '' } = await paired.create({ owner: 'acct_1' })

type Given = Record<string, unknown>
const make = (options: Given) => createApiKeys({ prefix: 'set_', ...options } as ApiKeysOptions)
const authorize = () => undefined

/** Everywhere that somebody can put a text in the place of a name. */
const PLACES: readonly (readonly [string, (name: string) => unknown])[] = [
  ['an option', (name) => make({ [name]: 1 })],
  ['an option of limits', (name) => make({ limits: { [name]: 1 } })],
  ['an option of cache', (name) => make({ cache: { [name]: 1 } })],
  ['a window', (name) => make({ limits: { default: { [name]: 1 } } })],
  ['a window of the maximum', (name) => make({ limits: { max: [{ name: 'x', limit: 1, window: '1s', [name]: 1 }] } })],
  ['a resource of the vocabulary', (name) => make({ scopes: { [name]: 1 } })],
  ['an action of the vocabulary', (name) => make({ scopes: { contacts: [`${name} x`] } })],
  ['a code of answers', (name) => make({ answers: { [name]: {} } })],
  ['a field of answers', (name) => make({ answers: { revoked: { [name]: 1 } } })],
  ['a prefix', (name) => make({ prefix: { live: `${name} ` } })],
  ['a field of a demand', (name) => guard(keys, { [name]: 1 } as Demand)],
  ['a window of a demand', (name) => guard(keys, { limits: { [name]: 1 } as never })],
  ['a code of the answers of a demand', (name) => guard(keys, { answers: { [name]: {} } as never })],
  ['an option of management()', (name) => management(keys, { authorize, [name]: 1 })],
  ['an option of consolePage()', (name) => consolePage(keys, { authorize, baseUrl: 'https://a.test', [name]: 1 })],
  ['a text of the page', (name) => consolePage(keys, { authorize, baseUrl: 'https://a.test', texts: { [name]: {} } })],
  ['an option of auditLog()', (name) => auditLog(memoryStore(), { [name]: 1 })],
  ['an operation', (name) => describeGuards({ openapi: '3.1.0', info: {}, paths: {} } as never, keys, { [name]: {} })],
  ['a header', (name) => header(`${name} `)],
  ['a pepper', (name) => hmac({ current: name, peppers: { [name]: 'x' } })],
]

describe('CONFIG never shows text that looks like one of our keys', () => {
  it.each(PLACES)('in the place of %s', async (_, put) => {
    for (const text of [key, secret]) {
      const error = await failure(() => put(text))
      expect(error.code).toBe('CONFIG')
      const told = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error)}`
      expect(told).not.toContain(text.slice(-38))
      expect(told).not.toContain(text.slice(12, 44))
    }
  })

  it('in the place of an option of the plugin for Fastify', async () => {
    const error = await failure(() =>
      Fastify()
        .register(fastifyPlugin, { keys, [key]: 1 } as never)
        .ready(),
    )
    expect(error.code).toBe('CONFIG')
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(key.slice(-38))
  })

  it('nor does an error that a host makes with it', () => {
    const issues = [{ path: `limits.${key}`, message: `must not be ${key}` }]
    const error = new KeywardError('INPUT', `wrong: ${key}`, { issues })
    expect(`${error.message} ${JSON.stringify(error)} ${error.stack}`).not.toContain(key.slice(-38))
    expect(error.issues).toEqual([{ path: 'limits.agk_live_[redacted]', message: 'must not be agk_live_[redacted]' }])
  })
})

describe('CONFIG names the option and shows its value', () => {
  it.each([
    [{ colour: 'red' }, 'colour', '"red"'],
    [{ storeTimeOut: 77 }, 'storeTimeOut', '77'],
    [{ limits: { lim: 77 } }, 'limits.lim', '77'],
    [{ limits: { default: { minutes: 77 } } }, 'limits.default.minutes', '77'],
    [{ limits: { default: [{ name: 'x', limit: 1, window: '1s', burst: 77 }] } }, 'limits.default.0.burst', '77'],
    [{ limits: { default: { minute: 78 }, max: { minute: 77 } } }, 'limits.default.minute', '78'],
    [{ cache: { foo: 77 } }, 'cache.foo', '77'],
    [{ cache: { maxKeys: 77, maxlag: '10s' } }, 'cache.maxlag', '"10s"'],
    [{ cache: { maxKeys: -77 } }, 'cache.maxKeys', '-77'],
    [{ cache: { maxLag: '500' } }, 'cache.maxLag', '"500"'],
    [{ cache: { maxLag: Number.NaN } }, 'cache.maxLag', 'NaN'],
    [{ cache: { maxLag: 0 } }, 'cache.maxLag', 'for none say cache: false, not 0'],
    [{ failures: { limit: 5, window: '1m', per: 77 } }, 'failures.per', '77'],
    [{ scopes: {} }, 'scopes', '{}'],
    [{ answers: { gone: { status: 77 } } }, 'answers.gone', '77'],
    [{ pair: true, sources: [bearer(), header('x-key')] }, 'sources', 'pair()'],
    [{ answers: { revoked: { colour: 77 } } }, 'answers.revoked.colour', '77'],
    [{ answers: { revoked: { status: 77 } } }, 'answers.revoked.status', '77'],
  ])('%j', async (options, path, shown) => {
    const error = await failure(() => make(options))
    expect([error.code, error.issues?.map((issue) => issue.path)]).toEqual(['CONFIG', [path]])
    expect(error.issues?.[0]?.message).toContain(shown)
    expect(error.message).toContain(path)
    expect(error.message).toContain(shown)
  })

  it.each([
    ['a demand', () => guard(keys, { scope: 'red' } as Demand), 'scope'],
    ['a window of a demand', () => guard(keys, { limits: { minutes: 'red' } as never }), 'limits.minutes'],
    ['management()', () => management(keys, { authorize, colour: 'red' } as never), 'colour'],
    [
      'consolePage()',
      () => consolePage(keys, { authorize, baseUrl: 'https://a.test', colour: 'red' } as never),
      'colour',
    ],
    ['auditLog()', () => auditLog(memoryStore(), { colour: 'red' } as never), 'colour'],
  ])('of %s', async (_, given, path) => {
    const error = await failure(given)
    expect([error.code, error.issues?.map((issue) => issue.path)]).toEqual(['CONFIG', [path]])
    expect(error.message).toContain('"red"')
  })

  it('but not what may be a store or a hasher under a name that there is not', async () => {
    const peppers = { p1: 'correct horse battery staple' }
    for (const value of [{ current: 'p1', peppers }, [{ password: 'hunter2' }]]) {
      const error = await failure(() => make({ hash: value }))
      const message = 'is not an option, given an object; there is hasher'
      expect(error.issues).toEqual([{ path: 'hash', message }])
    }
  })

  it('and what was meant, maybe', async () => {
    const told = async (options: Given) => (await failure(() => make(options))).issues?.[0]?.message
    expect(await told({ limits: { minute: 60 } })).toBe('is not an option, given 60; write limits.default.minute')
    expect(await told({ onEvents: 7 })).toBe('is not an option, given 7; there is onEvent')
    for (const store of [Promise.resolve(memoryStore()), memoryStore, 'redis://db', {}])
      expect(await told({ store })).toMatch(
        /^must be a store, such as redisStore\(client\), .* was it called, and awaited\?$/,
      )
  })
})

describe('CONFIG is what would be left out in silence', () => {
  class Limits {
    get minute() {
      return 1
    }
  }
  class Options {
    get requireTls() {
      return true
    }
  }
  it.each<readonly [string, string, () => unknown]>([
    ['a maximum that is null', 'limits.max', () => make({ limits: { max: null } })],
    ['a default that is null', 'limits.default', () => make({ limits: { default: null } })],
    ['a maximum in a Map', 'limits.max', () => make({ limits: { max: new Map([['minute', 1]]) } })],
    ['a maximum of a class', 'limits.max', () => make({ limits: { max: new Limits() } })],
    ['options of a class', 'requireTls', () => createApiKeys(Object.assign(new Options(), { prefix: 'set_' }))],
    [
      'options on a base',
      'failures',
      () => createApiKeys(Object.assign(Object.create({ failures: 1 }), { prefix: 'a_' })),
    ],
    ['a clock whose monotonic is a number', 'clock', () => make({ clock: { now: Date.now, monotonic: 5 } })],
    ['an unknown option of argon2id()', 'memoryCost', () => argon2id({ memoryCost: 65_536 } as never)],
    ['a time-out of the audit log that no timer has', 'timeout', () => auditLog(memoryStore(), { timeout: '30d' })],
  ])('%s', async (_, path, put) => {
    expect(await failure(() => put())).toMatchObject({ code: 'CONFIG', issues: [{ path }] })
  })

  it('options of argon2id() that are no object', async () => {
    for (const options of [null, 'x', 5]) {
      expect(await failure(() => argon2id(options as never))).toMatchObject({ code: 'CONFIG' })
    }
  })
})

describe('what looks like a secret is struck out of an error', () => {
  const HASH = 'argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0+W/oYXQx9z$J1aGFzaCBvZiB/aXR+b2YgMzIgYnl0ZXM+aXMgNDM'
  it.each([
    ['redis://default:hun/ter2@db:6379', 'hun/ter2'],
    ['postgres://u:hun@ter2@db/keys', 'ter2@'],
    ['connection failed: host=db password=hunter2 user=u', 'hunter2'],
    ['Server=db;Password=hunter2;User=u', 'hunter2'],
    ['GET /?auth=hunter2&x=1', 'hunter2'],
    ['{"user":"u","password":"hunter2"}', 'hunter2'],
    [HASH, 'c29tZSBzYWx0'],
    [HASH, 'J1aGFzaCBvZiB'],
    ['openssl gave q83vEjRWeJCrze8SNFZ4kKvN/7xI0Vni+QqzN7xI0Vk=', 'EjRWeJCrze8SNFZ4'],
  ])('%s', (text, secret) => {
    expect(new KeywardError('STORE', text).message).not.toContain(secret)
  })

  it('and what is a pepper by its name', async () => {
    const error = await failure(() => make({ pepper: 'correct-horse/battery+staple' }))
    expect(error.message).not.toContain('horse')
    expect(error.issues).toEqual([{ path: 'pepper', message: 'is not an option' }])
  })

  it('and nothing else', () => {
    const text = 'secret must be text; cannot open /var/lib/postgresql/data/keys.sqlite, see https://a.test/docs'
    expect(new KeywardError('STORE', text).message).toBe(text)
  })
})
