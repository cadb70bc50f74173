import { gzipSync } from 'node:zlib'
import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { listener } from '../../support/outcome.ts'
import { clientOf, type Sent } from './client.ts'

async function start(open: () => { store: import('keyward').KeyStore }) {
  const { store } = open()
  const { events, onEvent } = listener()
  const keys = createApiKeys({ prefix: 'mb_', store, onEvent, limits: { max: { minute: 100 } } })
  const ask = clientOf(keys)
  const { id } = (await ask('POST', '/', { json: { name: 'Sync', scopes: ['a:read'] } })).body.record
  const before = await store.find(id)
  events.length = 0
  return {
    ask,
    id,
    /** Nothing was made, changed or told. */
    async untouched() {
      expect(await store.find(id)).toEqual(before)
      expect((await store.list({ prefixes: ['mb_'], limit: 10 })).items).toHaveLength(1)
      expect(events).toEqual([])
    },
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** Fields that a key has and no body may set. */
const FOREIGN = [
  'id',
  'hash',
  'prefix',
  'tenantId',
  'owner',
  'ownerId',
  'createdAt',
  'updatedAt',
  'usage',
  'uses',
  'balance',
]
const MORE = [
  'isAdmin',
  'revokedAt',
  'pepperVersion',
  'status',
  'version',
  'environment ',
  'actor',
  'idempotencyKey',
  'origin',
]

const NOT_JSON: readonly (readonly [string, string | Uint8Array])[] = [
  ['nothing', ''],
  ['a broken object', '{"name":"x"'],
  ['something behind the object', '{"name":"x"} {}'],
  ['a byte order mark', '\ufeff{"name":"x"}'],
  ['UTF-16', Buffer.from('{"name":"x"}', 'utf16le')],
  ['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['NaN', '{"limits":{"minute":NaN}}'],
  ['a number beyond all', '{"limits":{"minute":1e999}}'],
  ['null', 'null'],
  ['a list', '[]'],
  ['text', '"name"'],
  ['a number', '7'],
  ['a member twice', '{"scopes":[],"scopes":["*"]}'],
  ['a member twice, once written otherwise', '{"scopes":[],"\\u0073copes":["*"]}'],
  ['a member twice, deep inside', '{"metadata":{"a":[{"b":1,"c":{},"b":2}]}}'],
]

const WRONG: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['an empty name', { name: '' }, 'name'],
  ['a name of 256 characters', { name: 'n'.repeat(256) }, 'name'],
  ['a name with CRLF', { name: 'a\r\nSet-Cookie: x=1' }, 'name'],
  ['a name that turns direction', { name: 'a\u202eb' }, 'name'],
  ['a name with NUL', { name: 'a\u0000' }, 'name'],
  ['a name that is null', { name: null }, 'name'],
  ['a name that is a list', { name: ['x'] }, 'name'],
  ['scopes that are text', { scopes: '*' }, 'scopes'],
  ['a scope that is a number', { scopes: ['a', 1] }, 'scopes.1'],
  ['a scope with * in the middle', { scopes: ['a:*:b'] }, 'scopes.0'],
  ['201 scopes', { scopes: Array.from({ length: 201 }, (_, i) => `s${i}`) }, 'scopes'],
  ['a limit below 0', { limits: { minute: -1 } }, 'limits.minute'],
  ['a limit beyond the maximum', { limits: { minute: 101 } }, 'limits.minute'],
  ['a maximum that is lifted', { limits: { minute: null } }, 'limits.minute'],
  ['an address that is none', { allowedIps: ['10.0.0.0/8', '10.1'] }, 'allowedIps.1'],
  ['no addresses', { allowedIps: [] }, 'allowedIps'],
  ['a moment of the past', { expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
  ['a moment without a zone', { expiresAt: '2999-01-01T00:00:00' }, 'expiresAt'],
  ['a moment as a number', { expiresAt: 4_000_000_000 }, 'expiresAt'],
  ['credits that are broken', { credits: { remaining: 0.5 } }, 'credits.remaining'],
  ['a field of credits that is none', { credits: { remaining: 5, hold: 1 } }, 'credits.hold'],
  ['metadata that is a list', { metadata: [] }, 'metadata'],
  ['metadata six levels deep', { metadata: { a: { b: { c: { d: { e: { f: 1 } } } } } } }, 'metadata.a.b.c.d.e'],
  ['metadata beyond 16 KiB', { metadata: { a: 'x'.repeat(16_400) } }, 'metadata'],
]

describe.each(BOTH_STORES)('the body of a management route on the %s store', (_, open) => {
  it.each([...FOREIGN, ...MORE])('M-01: cannot set %s', async (field) => {
    const { ask, id, untouched } = await start(open)
    for (const value of ['acct_2', null]) {
      const json = { [field]: value }
      for (const told of [await ask('POST', '/', { json }), await ask('PATCH', `/${id}`, { json })]) {
        expect([told.status, told.body.issues]).toEqual([
          400,
          [{ path: field, message: 'is not a field that can be given here' }],
        ])
      }
      for (const verb of ['rotate', 'revoke', 'disable', 'enable']) {
        const told = await ask('POST', `/${id}/${verb}`, {
          json: { ...json, ...(verb === 'rotate' && { overlap: 0 }) },
        })
        expect([told.status, told.body.error.param]).toEqual([400, field])
      }
    }
    await untouched()
  })

  it.each(['{"__proto__":{"isAdmin":true}}', '{"metadata":{"__proto__":{"isAdmin":true}}}'])(
    'M-02: cannot change what every object is: %s',
    async (raw) => {
      const { ask, id, untouched } = await start(open)
      expect((await ask('POST', '/', { raw, headers: JSON_TYPE })).status).toBe(400)
      expect((await ask('PATCH', `/${id}`, { raw, headers: JSON_TYPE })).status).toBe(400)
      expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
      await untouched()
    },
  )

  it('M-03: keeps a "constructor" in metadata as what it is, data', async () => {
    const { ask } = await start(open)
    const metadata = { constructor: { prototype: { isAdmin: true } }, hasOwnProperty: 1 }
    expect((await ask('POST', '/', { json: { metadata } })).body.record.metadata).toEqual(metadata)
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
  })

  it.each(WRONG)('M-03, M-12: cannot be %s', async (_, json, path) => {
    const { ask, id, untouched } = await start(open)
    const made = await ask('POST', '/', { json })
    expect([made.status, made.body.issues.map((issue) => issue.path)]).toEqual([400, [path]])
    if (json.name !== null) {
      expect((await ask('PATCH', `/${id}`, { json })).status).toBe(400)
    }
    await untouched()
  })

  it.each(NOT_JSON)('M-05: cannot be %s', async (_, raw) => {
    const { ask, id, untouched } = await start(open)
    for (const [method, path] of [
      ['POST', '/'],
      ['PATCH', `/${id}`],
      ['POST', `/${id}/rotate`],
    ] as const) {
      expect((await ask(method, path, { raw, headers: JSON_TYPE })).status).toBe(400)
    }
    await untouched()
  })

  it.each([
    '<img src=x onerror=alert(1)>',
    '</script>',
    '{{constructor.constructor()}}',
    '../../x',
    '%0d%0a',
    '🔑',
    'é',
  ])('M-12, W-01: keeps the name %s and gives it back as data', async (name) => {
    const { ask } = await start(open)
    const made = await ask('POST', '/', { json: { name } })
    expect([made.status, made.body.record.name]).toEqual([201, name])
    const listed = await ask('GET', `/?name=${encodeURIComponent(name)}`)
    expect(listed.body.items).toMatchObject([{ name }])
    expect(listed.headers.get('content-type')).toBe('application/json')
  })
})

describe('the body of a management route', () => {
  const memory = BOTH_STORES[0]?.[1] as (typeof BOTH_STORES)[number][1]

  it.each([
    ['none', {}],
    ['text/plain', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['parts', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['another charset', { 'content-type': 'application/json;charset=evil' }],
    ['an end that is none', { 'content-type': 'application/json\t;' }],
    ['two types', { 'content-type': 'application/json, text/plain' }],
    ['a longer name', { 'content-type': 'application/jsonp' }],
  ])('M-06, W-03: is not read with the content type %s', async (_, headers) => {
    const { ask, id, untouched } = await start(memory)
    const raw = '{"overlap":0}'
    for (const path of ['/', `/${id}/rotate`, `/${id}/disable`]) {
      expect((await ask('POST', path, { raw, headers })).status).toBe(415)
    }
    expect((await ask('PATCH', `/${id}`, { raw: '{"name":"x"}', headers })).status).toBe(415)
    await untouched()
  })

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'M-06: is read with the content type %s',
    async (type) => {
      const { ask } = await start(memory)
      expect((await ask('POST', '/', { raw: '{}', headers: { 'content-type': type } })).status).toBe(201)
    },
  )

  it.each([
    ['windows', { limits: Array(30_000).fill(1) }],
    ['windows by name', { limits: Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`w${n}`, 1])) }],
    ['scopes', { scopes: Array(15_000).fill(' ') }],
    ['addresses', { allowedIps: Array(15_000).fill('x') }],
    ['unknown fields', Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`f${n}`, 1]))],
    ['one long name', { ['x '.repeat(30_000)]: 1 }],
  ])('M-04: is answered in few words, also where it is wrong in very many: %s', async (_, json) => {
    const { ask, id, untouched } = await start(memory)
    for (const told of [await ask('POST', '/', { json }), await ask('PATCH', `/${id}`, { json })]) {
      expect(told.status).toBe(400)
      expect(told.text.length).toBeLessThan(10_000)
      expect(told.body.issues.length).toBeLessThanOrEqual(21)
    }
    await untouched()
  })

  it('M-07: is not unpacked', async () => {
    const { ask, untouched } = await start(memory)
    const raw = gzipSync(Buffer.alloc(1_000_000, '{'))
    const told = await ask('POST', '/', { raw, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } })
    expect(told.status).toBe(415)
    await untouched()
  })

  it('M-04: has at most 65,536 bytes', async () => {
    const { ask } = await start(memory)
    const sized = (size: number): Sent => ({ raw: `{}${' '.repeat(size - 2)}`, headers: JSON_TYPE })
    expect((await ask('POST', '/', sized(65_536))).status).toBe(201)
    expect((await ask('POST', '/', sized(65_537))).status).toBe(413)
  })

  it('M-04: is not read on when it is larger, nor at all when it says so', async () => {
    const { ask, untouched } = await start(memory)
    let given = 0
    const endless = () =>
      new ReadableStream({
        pull(controller) {
          given += 8_192
          controller.enqueue(new Uint8Array(8_192).fill(0x20))
        },
      })
    expect((await ask('POST', '/', { raw: endless(), headers: JSON_TYPE })).status).toBe(413)
    expect(given).toBeLessThan(100_000)
    const before = given
    const told = await ask('POST', '/', { raw: endless(), headers: { ...JSON_TYPE, 'content-length': '65537' } })
    expect(told.status).toBe(413)
    expect(given - before).toBeLessThanOrEqual(8_192)
    await untouched()
  })

  it('is refused when it breaks off', async () => {
    const { ask, untouched } = await start(memory)
    const raw = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) })
    expect((await ask('POST', '/', { raw, headers: JSON_TYPE })).status).toBe(400)
    await untouched()
  })

  it('is not needed where there is nothing to say, and needed where there is', async () => {
    const { ask, id } = await start(memory)
    expect((await ask('POST', `/${id}/disable`)).status).toBe(200)
    expect((await ask('POST', `/${id}/enable`, { raw: '', headers: JSON_TYPE })).status).toBe(200)
    expect((await ask('POST', `/${id}/rotate`, { json: {} })).body.issues).toEqual([
      { path: 'overlap', message: 'must be given' },
    ])
    expect((await ask('POST', `/${id}/rotate`, { json: { overlap: 'soon' } })).body.issues[0]?.path).toBe('overlap')
    expect((await ask('POST', `/${id}/revoke`, { json: { reason: 'x'.repeat(501) } })).status).toBe(400)
    expect((await ask('POST', `/${id}/revoke`)).status).toBe(200)
  })

  it.each([
    '?limit=1e9',
    '?limit=-1',
    '?limit=NaN',
    '?limit=0',
    '?limit=101',
    '?limit=',
    '?limit=%2050',
    '?limit=5&limit=6',
    '?sort[]=name',
    '?status=dead',
    '?status=active&status=revoked',
    '?owner=acct_2',
    '?q=(a%2B)%2B%24',
    '?name=',
    "?cursor='%20OR%201=1--",
    '?cursor=',
    '?__proto__=x',
    '?name=a%00',
  ])('M-11: the query %s is refused', async (query) => {
    const { ask } = await start(memory)
    const told = await ask('GET', `/${query}`)
    expect([told.status, told.body.code]).toEqual([400, 'invalid_request'])
  })
})
