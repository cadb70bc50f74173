import { inspect } from 'node:util'
import { type CreateInput, createApiKeys, memoryStore, type UpdatePatch } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, listener } from '../support/outcome.ts'
import { kept, spiedStore } from '../support/stores.ts'

/** A wrong value, the path of its issue, and what the message must show of it. */
type Wrong = readonly [field: string, value: unknown, path: string, shown: string]

const nested = (levels: number): unknown => (levels === 0 ? 'leaf' : { in: nested(levels - 1) })
const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic

const TEXTS: readonly Wrong[] = [
  ['name', '', 'name', '""'],
  ['name', 'no '.repeat(34), 'name', 'no no no'],
  ['name', 7, 'name', '7'],
  ['name', ['Sync'], 'name', 'Sync'],
  ['name', 'a\nb', 'name', 'a\\nb'],
  ['name', 'a\r\nSet-Cookie: x', 'name', 'Set-Cookie'],
  ['name', 'nul\u0000', 'name', 'nul'],
  ['name', 'evil\u202egnp', 'name', 'evil'],
  ['name', 'half \ud800', 'name', 'half'],
  ['name', '  ', 'name', '"  "'],
  ['name', '\u200e\u00a0', 'name', '\u200e'],
  ['description', '', 'description', '""'],
  ['description', 'bell\u0007', 'description', 'bell'],
  ['description', 'evil\u2066gnp', 'description', 'evil'],
  ['description', { text: 'x' }, 'description', 'text'],
]

const LIMITS: readonly Wrong[] = [
  ['limits', 'sixty', 'limits', 'sixty'],
  ['limits', 60, 'limits', '60'],
  ['limits', { fortnight: 3 }, 'limits.fortnight', 'fortnight'],
  ['limits', { Minute: 3 }, 'limits.Minute', 'Minute'],
  ...[-1, 1.5, '60', Number.NaN, Number.POSITIVE_INFINITY, 1e15, true].map(
    (limit): Wrong => ['limits', { minute: limit }, 'limits.minute', String(limit)],
  ),
  ['limits', [null], 'limits.0', 'null'],
  ['limits', ['minute'], 'limits.0', 'minute'],
  ['limits', [{ name: 'a "b"', limit: 1, window: '1m' }], 'limits.0.name', 'a'],
  ['limits', [{ name: 'a\r\nb', limit: 1, window: '1m' }], 'limits.0.name', 'a'],
  ['limits', [{ name: 'x', limit: -1, window: '1m' }], 'limits.0.limit', '-1'],
  ['limits', [{ name: 'x', limit: 1 }], 'limits.0.window', 'undefined'],
  ...[0, -1, '1ms', 999, '367d', '1y', Number.NaN].map(
    (window): Wrong => ['limits', [{ name: 'x', limit: 1, window }], 'limits.0.window', String(window)],
  ),
  ['limits', [{ name: 'minute', limit: 1, window: '10s' }], 'limits.0.window', '10s'],
  ['limits', [{ name: 'x', limit: 1, window: '10s', burst: 4 }], 'limits.0.burst', 'burst'],
]

const LISTS: readonly Wrong[] = [
  ['scopes', 'a:read', 'scopes', 'a:read'],
  ['scopes', ['a:read', 'con*:read'], 'scopes.1', 'con*:read'],
  ['allowedIps', '10.0.0.0/8', 'allowedIps', '10.0.0.0/8'],
  ['allowedIps', [], 'allowedIps', '[]'],
  ['allowedIps', ['10.0.0.1', 'localhost'], 'allowedIps.1', 'localhost'],
  ['allowedIps', ['10.0.0.5/8'], 'allowedIps.0', '10.0.0.5/8'],
  ['allowedIps', [167772165], 'allowedIps.0', '167772165'],
]

const METADATA: readonly Wrong[] = [
  ['metadata', 'plan=pro', 'metadata', 'plan=pro'],
  ['metadata', ['plan'], 'metadata', 'plan'],
  ['metadata', nested(6), 'metadata.in.in.in.in.in', 'in'],
  ['metadata', nested(1000), 'metadata.in.in.in.in.in', '5 levels'],
  ['metadata', cyclic, 'metadata.self.self.self.self.self', 'JSON'],
  ['metadata', { big: 'x'.repeat(16 * 1024) }, 'metadata', 'big'],
  ['metadata', Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n])), 'metadata', 'k0'],
  ['metadata', { n: 1n }, 'metadata.n', 'not 1n'],
  ['metadata', { at: new Date(0) }, 'metadata.at', 'not a Date'],
  ['metadata', { deep: { list: ['a', new Date(0)] } }, 'metadata.deep.list.1', 'not a Date'],
  ['metadata', { tags: new Set(['a']) }, 'metadata.tags', 'not a Set'],
  ['metadata', { run: () => 1 }, 'metadata.run', 'not a function'],
  ['metadata', { mark: Symbol('x') }, 'metadata.mark', 'not Symbol(x)'],
  ['metadata', { [Symbol('x')]: 1 }, 'metadata.Symbol(x)', 'no name of a member'],
  ['metadata', { n: Number.NaN }, 'metadata.n', 'not NaN'],
  ['metadata', { list: [1, undefined] }, 'metadata.list.1', 'not undefined'],
  ['metadata', new Map([['a', 1]]), 'metadata', 'not a Map'],
  ['metadata', JSON.parse('{"__proto__":{"isAdmin":true}}'), 'metadata.__proto__', 'no name of a member'],
  ['metadata', { deep: JSON.parse('{"__proto__":{"isAdmin":true}}') }, 'metadata.deep.__proto__', '__proto__'],
]

/** What a caller may not say of a key: most of it is what a record consists of. */
const UNKNOWN: readonly Wrong[] = [
  ...['id', 'hash', 'prefix', 'version', 'status', 'uses', 'lastUsedAt', 'createdAt', 'updatedAt', 'display'],
  ...['revokedAt', 'revokedReason', 'previous', 'uniqueName', 'tenantId', 'ownerId', 'isAdmin', 'usage', 'balance'],
  ...['scope', 'Scopes', 'allowedips', 'constructor', '__proto__'],
].map((field): Wrong => [field, 'x', field, field])

/** With each value as a title can hold it. */
const WRONG = [...TEXTS, ...LIMITS, ...LISTS, ...METADATA, ...UNKNOWN].map(([field, value, path, shown]) => {
  const given = inspect(value, { depth: 1, maxStringLength: 20, maxArrayLength: 2, breakLength: 1000 })
  return { field, value, path, shown, given: given.length > 60 ? `${given.slice(0, 57)}...` : given }
})

/** An object of which `__proto__` is an ordinary member, as `JSON.parse` makes it. */
function holding(field: string, value: unknown, more: object = {}): never {
  const input = { ...more }
  Object.defineProperty(input, field, { value, enumerable: true, configurable: true, writable: true })
  return input as never
}

const spied = spiedStore()
const heard = listener()
const keys = createApiKeys({ prefix: 'in_', store: spied.store, onEvent: heard.onEvent })

describe('INPUT', () => {
  it.each(WRONG)(
    'create refuses $field: $given, naming $path and showing it',
    async ({ field, value, path, shown }) => {
      spied.forget()
      const error = await failure(() => keys.create(holding(field, value, { owner: 'nobody' })))
      expect(error.code).toBe('INPUT')
      expect(error.issues?.map((issue) => issue.path)).toContain(path)
      expect(error.message).toContain(path)
      expect(error.message).toContain(shown)
      expect(spied.calls).toEqual([])
    },
  )

  it.each(WRONG)(
    'update refuses $field: $given, every record stays byte for byte',
    async ({ field, value, path, shown }) => {
      const { record } = await keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['a:read'], limits: { minute: 5 } })
      const other = await keys.create({ owner: 'acct_1' })
      const before = JSON.stringify([await kept(spied.store, record.id), await kept(spied.store, other.record.id)])
      heard.events.length = 0
      const error = await failure(() => keys.update(record.id, holding(field, value, { description: 'changed' })))
      expect(error.code).toBe('INPUT')
      expect(error.issues?.map((issue) => issue.path)).toContain(path)
      expect(error.message).toContain(shown)
      expect(JSON.stringify([await kept(spied.store, record.id), await kept(spied.store, other.record.id)])).toBe(
        before,
      )
      expect(heard.events).toEqual([])
    },
  )

  it.each([
    ['owner', 'acct_2'],
    ['resource', 'agent:1'],
    ['environment', 'test'],
  ])('update refuses %s: it cannot be changed', async (field, value) => {
    const { record } = await keys.create({ owner: 'acct_1' })
    const error = await failure(() => keys.update(record.id, { [field]: value }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: field }] })
  })

  it.each([
    ['owner', undefined],
    ['owner', ''],
    ['owner', null],
    ['owner', 7],
    ['owner', { $ne: null }],
    ['owner', 'o'.repeat(257)],
    ['owner', 'a\nb'],
    ['resource', ''],
    ['resource', null],
    ['resource', 'r'.repeat(257)],
    ['resource', 'a\u0000b'],
    ['name', null],
    ['limits', null],
    ['metadata', null],
  ])('create refuses %s: %j', async (field, value) => {
    const error = await failure(() => keys.create(holding(field, value, { owner: 'acct_1' })))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: field }] })
  })

  it.each([undefined, null, 'text', 7, true, [], () => ({ owner: 'acct_1' })])(
    'refuses %j in place of an object',
    async (input) => {
      expect((await failure(() => keys.create(input as unknown as CreateInput))).code).toBe('INPUT')
      const { record } = await keys.create({ owner: 'acct_1' })
      const before = await kept(spied.store, record.id)
      if (!Array.isArray(input)) {
        expect((await failure(() => keys.update(record.id, input as unknown as UpdatePatch))).code).toBe('INPUT')
      }
      expect(await kept(spied.store, record.id)).toEqual(before)
    },
  )

  it('names every field that is wrong at once', async () => {
    const input = { owner: '', name: 7, scopes: ['a b'], limits: { minute: -1 }, expiresAt: 0, isAdmin: true }
    const error = await failure(() => keys.create(input as unknown as CreateInput))
    const paths = error.issues?.map(({ path }) => path).sort()
    expect(paths).toEqual(['expiresAt', 'isAdmin', 'limits.minute', 'name', 'owner', 'scopes.0'])
  })

  it('does not show text that looks like one of our keys', async () => {
    const { key } = await keys.create({ owner: 'acct_1' })
    for (const field of ['name', 'expiresAt', 'limits', 'metadata', 'allowedIps', 'scopes', 'owner']) {
      const value = field === 'name' || field === 'owner' ? `${key}\n` : field === 'scopes' ? [`${key}!`] : key
      const error = await failure(() => keys.create(holding(field, value, { owner: 'acct_1', [field]: value })))
      expect(`${error.message} ${JSON.stringify(error.issues)} ${error.stack}`).not.toContain(key.slice(12))
    }
  })

  it('M-02 leaves no trace on any prototype', async () => {
    await failure(() => keys.create(JSON.parse('{"owner":"acct_1","__proto__":{"isAdmin":true}}')))
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
  })

  it('leaves out members of metadata that are undefined, as JSON does', async () => {
    const plain = createApiKeys({ prefix: 'in_', store: memoryStore() })
    const team: string | undefined = undefined
    const metadata = { team, plan: 'pro', deep: { team, seats: 3 }, list: [{ team }] }
    const kept = { plan: 'pro', deep: { seats: 3 }, list: [{}] }
    const { record } = await plain.create({ owner: 'acct_1', metadata })
    expect(record.metadata).toStrictEqual(kept)
    const changed = await plain.update(record.id, { metadata: { team, again: 1 } })
    expect(changed.metadata).toStrictEqual({ again: 1 })
  })

  it('tells the first twenty of very many flaws, and how many more there are', async () => {
    const wrong = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`field${n}`, n]))
    const error = await failure(() => keys.create({ owner: 'acct_1', ...wrong }))
    expect(error.issues).toHaveLength(21)
    expect(error.issues?.[20]).toEqual({ path: '', message: '… and 4980 more' })
    expect(error.message).toMatch(/^field0 is not .*; field19 is not [^;]*; … and 4980 more$/)
    expect(
      (await failure(() => keys.create(holding('x '.repeat(9999), 1, { owner: 'a' })))).message.length,
    ).toBeLessThan(300)
  })

  it.each([
    ['a list', Array(5000).fill(1)],
    ['an object', Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`w${n}`, 1]))],
  ])('refuses %s of more windows than a key may have by one issue', async (_, limits) => {
    const error = await failure(() => keys.create({ owner: 'acct_1', limits: limits as never }))
    expect(error.issues).toEqual([{ path: 'limits', message: 'must be at most 8 windows, not 5000' }])
  })

  it.each([5, 16])('takes metadata up to the last allowed: %d', async (n) => {
    const metadata = n === 5 ? (nested(5) as never) : { text: 'x'.repeat(16 * 1024 - '{"text":""}'.length) }
    const plain = createApiKeys({ prefix: 'in_', store: memoryStore() })
    expect((await plain.create({ owner: 'acct_1', metadata })).record.metadata).toEqual(metadata)
  })
})
