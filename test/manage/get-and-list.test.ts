import { type ApiKeys, createApiKeys, type ListOptions, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { inOtherCase } from '../support/forge.ts'
import { failure, listener } from '../support/outcome.ts'
import { alteredStore, spiedStore, wrapStore } from '../support/stores.ts'

/** Every page from the first to the last. */
async function pages(keys: ApiKeys, options: ListOptions = {}): Promise<string[][]> {
  const found: string[][] = []
  let cursor: string | undefined
  do {
    const page = await keys.list({ ...options, cursor })
    found.push(page.items.map(({ id }) => id))
    cursor = page.cursor
  } while (cursor !== undefined && found.length < 1000)
  return found
}

const idsOf = async (keys: ApiKeys, options?: ListOptions) => (await pages(keys, options)).flat()

/** Keys made one after the other, oldest first; `together` of them at the same moment. */
async function many(count: number, together = 1) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'ls_', clock })
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    if (i % together === 0) clock.advance(1)
    ids.push((await keys.create({ owner: `acct_${i % 3}`, name: `key ${i % 5}` })).record.id)
  }
  return { keys, clock, ids }
}

describe('get', () => {
  it('answers the record, without the secret, or undefined', async () => {
    const keys = createApiKeys({ prefix: 'ls_' })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.get(record.id)).toEqual(record)
    for (const id of ['0'.repeat(12), '', key, `${record.id} `, inOtherCase(record.id), '__proto__', 'constructor']) {
      expect(await keys.get(id)).toBeUndefined()
    }
  })

  it('every other verb says of the text of a key that it is no id, and no store is asked for a secret', async () => {
    const { store, calls, forget } = spiedStore()
    const keys = createApiKeys({ prefix: 'ls_', store })
    const { key } = await keys.create({ owner: 'acct_1' })
    forget()
    const verbs = [
      () => keys.usage(key),
      () => keys.update(key, { name: 'x' }),
      () => keys.rotate(key, { overlap: 0 }),
      () => keys.revoke(key),
      () => keys.remove(key),
      () => keys.credit({ id: key }, 1),
    ]
    for (const verb of verbs) {
      const error = await failure(verb)
      expect(error).toMatchObject({
        code: 'NOT_FOUND',
        message: 'there is no such key: what was given is the text of a key, not its id (record.id)',
      })
    }
    expect(calls).toEqual([])
  })

  it.each([undefined, null, 7, {}, [], { $ne: null }])('R-12 takes nothing but text for an id: %j', async (id) => {
    const keys = createApiKeys({ prefix: 'ls_' })
    await keys.create({ owner: 'acct_1' })
    expect(await keys.get(id as string)).toBeUndefined()
  })

  it('D-28 does not show a record that a store gives for another id', async () => {
    const keys = createApiKeys({ prefix: 'ls_', store: alteredStore((stored) => ({ ...stored, id: 'Z'.repeat(12) })) })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.get(record.id)).toBeUndefined()
  })

  it('is a STORE error for a damaged record, which can still be removed', async () => {
    const keys = createApiKeys({
      prefix: 'ls_',
      store: alteredStore((stored) => ({ ...stored, createdAt: 'long ago' })),
    })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect((await failure(() => keys.get(record.id))).code).toBe('STORE')
    await keys.remove(record.id)
    expect(await keys.get(record.id)).toBeUndefined()
  })
})

describe('list', () => {
  it('shows the newest first, 50 to a page', async () => {
    const { keys, ids } = await many(120)
    const [first, second, third, ...more] = await pages(keys)
    expect([first?.length, second?.length, third?.length, more]).toEqual([50, 50, 20, []])
    expect([first, second, third].flat()).toEqual([...ids].reverse())
  })

  it('orders keys of one moment by their id, and still shows each exactly once', async () => {
    const { keys, ids } = await many(60, 60)
    expect(await idsOf(keys, { limit: 7 })).toEqual([...ids].sort().reverse())
  })

  it.each([1, 2, 49, 50, 99, 100])('shows %d to a page when asked, and every key once', async (limit) => {
    const { keys, ids } = await many(101, 4)
    const found = await pages(keys, { limit })
    expect(found.map(({ length }) => length).slice(0, -1)).toEqual(Array(found.length - 1).fill(limit))
    expect(found.flat().sort()).toEqual([...ids].sort())
  })

  it.each([0, -1, 101, 1e9, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '10', null, {}, [10]])(
    'M-11 refuses a limit of %s',
    async (limit) => {
      const { keys } = await many(1)
      const error = await failure(() => keys.list({ limit } as unknown as ListOptions))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'limit' }] })
    },
  )

  it.each([
    '',
    'x',
    'eyJ9',
    '%00',
    "' OR 1=1",
    Buffer.from('[1]').toString('base64url'),
    'a'.repeat(1001),
    null,
    7,
    {},
  ])('M-11 refuses a cursor that no page gave: %j', async (cursor) => {
    const { keys } = await many(1)
    const error = await failure(() => keys.list({ cursor } as ListOptions))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'cursor' }] })
  })

  it.each([
    ['sort', 'name'],
    ['order', 'asc'],
    ['search', '(a+)+$'],
    ['offset', 1],
    ['prefix', 'other_'],
    ['scopes', []],
  ])('M-11 refuses what it does not know: %s', async (field, value) => {
    const { keys } = await many(1)
    const error = await failure(() => keys.list({ [field]: value }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: field }] })
  })

  it('keeps its place while keys are made and removed between pages', async () => {
    const { keys, clock, ids } = await many(30)
    const first = await keys.list({ limit: 10 })
    clock.advance(1)
    await keys.create({ owner: 'acct_1' })
    await keys.remove(ids[19] ?? '')
    const second = await keys.list({ limit: 10, cursor: first.cursor })
    expect(second.items.map(({ id }) => id)).toEqual(ids.slice(9, 19).reverse())
  })

  it('filters by owner, resource, name and all of them', async () => {
    const keys = createApiKeys({ prefix: 'ls_' })
    const make = async (owner: string, resource: string, name: string) =>
      (await keys.create({ owner, resource, name })).record.id
    const a = await make('acct_1', 'agent:1', 'sync')
    const b = await make('acct_1', 'agent:2', 'sync')
    const c = await make('acct_1', 'agent:1', 'Sync')
    const d = await make('acct_2', 'agent:1', 'sync')
    const found = async (options: ListOptions) => new Set(await idsOf(keys, options))
    expect(await found({ owner: 'acct_1' })).toEqual(new Set([a, b, c]))
    expect(await found({ resource: 'agent:1' })).toEqual(new Set([a, c, d]))
    expect(await found({ name: 'sync' })).toEqual(new Set([a, b, d]))
    expect(await found({ owner: 'acct_1', resource: 'agent:1', name: 'sync' })).toEqual(new Set([a]))
    expect(await found({ owner: 'acct_1 ' })).toEqual(new Set())
    expect(await found({ owner: 'ACCT_1' })).toEqual(new Set())
    expect(await found({ owner: undefined, name: undefined })).toEqual(new Set([a, b, c, d]))
  })

  it('filters by status, the derived one among them', async () => {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: 'ls_', clock })
    const soon = { owner: 'acct_1', expiresAt: new Date(clock.now() + 1) }
    const make = async (input = soon as typeof soon | { owner: string }) => (await keys.create(input)).record.id
    const [active, disabled, expired, revoked] = [
      await make({ owner: 'acct_1' }),
      await make(),
      await make(),
      await make(),
    ]
    await keys.disable(disabled)
    await keys.revoke(revoked)
    clock.advance(1)
    expect(await idsOf(keys, { status: 'active' })).toEqual([active])
    expect(await idsOf(keys, { status: 'disabled' })).toEqual([disabled])
    expect(await idsOf(keys, { status: 'expired' })).toEqual([expired])
    expect(await idsOf(keys, { status: 'revoked' })).toEqual([revoked])
    for (const status of ['Active', '', 'deleted', null, ['active']]) {
      const error = await failure(() => keys.list({ status } as ListOptions))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'status' }] })
    }
  })

  it('goes on past keys that the store cannot tell apart: every key of a rare status is found once', async () => {
    const { keys, clock, ids } = await many(200)
    const rare = ids.filter((_, i) => i % 20 === 0)
    for (const id of rare) await keys.update(id, { expiresAt: new Date(clock.now() + 1) })
    clock.advance(1)
    const found = await pages(keys, { status: 'expired', limit: 4 })
    expect(found.flat()).toEqual([...rare].reverse())
    for (const page of found) expect(page.length).toBeLessThanOrEqual(4)
  })

  it('is not deceived by a store that gives short pages', async () => {
    const inner = memoryStore()
    const store = wrapStore(inner, (verb, ask, [query]) => {
      if (verb !== 'list') return ask()
      const asked = query as Parameters<typeof inner.list>[0]
      return inner.list({ ...asked, limit: Math.min(3, asked.limit) })
    })
    const keys = createApiKeys({ prefix: 'ls_', store })
    for (let i = 0; i < 20; i++) await keys.create({ owner: 'acct_1' })
    expect((await keys.list({ limit: 10 })).items).toHaveLength(10)
    expect(new Set(await idsOf(keys, { limit: 10 })).size).toBe(20)
  })

  it('leaves a damaged record out, names it in a fault event and shows the others', async () => {
    const inner = memoryStore()
    const heard = listener()
    const keys = createApiKeys({ prefix: 'ls_', store: inner, onEvent: heard.onEvent })
    const damaged = (await keys.create({ owner: 'acct_1' })).record.id
    const sound = (await keys.create({ owner: 'acct_1' })).record.id
    const stored = await inner.find(damaged)
    if (stored !== undefined) await inner.replace({ ...stored, updatedAt: Number.NaN, version: 1 }, stored.version)
    expect(await idsOf(keys)).toEqual([sound])
    expect(heard.of('fault')).toMatchObject([
      { code: 'record', id: damaged, message: expect.stringContaining(damaged) },
    ])
  })
})
