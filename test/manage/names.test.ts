import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'
import { distantStore, kept } from '../support/stores.ts'

const STORES: readonly (readonly [string, () => KeyStore])[] = [
  ['memoryStore', memoryStore],
  ['a store behind a network', () => distantStore()],
]

function unique(store: KeyStore = memoryStore()) {
  const heard = listener()
  return { store, heard, keys: createApiKeys({ prefix: 'nm_', store, names: 'unique', onEvent: heard.onEvent }) }
}

describe("names: 'free'", () => {
  it('allows none, and one for several keys', async () => {
    const keys = createApiKeys({ prefix: 'nm_' })
    await keys.create({ owner: 'acct_1' })
    await keys.create({ owner: 'acct_1', name: 'Sync' })
    const { record } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect((await keys.update(record.id, { name: null })).name).toBeUndefined()
  })
})

describe.each(['required', 'unique'] as const)("names: '%s'", (names) => {
  it.each([undefined, '', null, 7])('needs a name: %j is refused', async (name) => {
    const keys = createApiKeys({ prefix: 'nm_', names })
    const error = await failure(() => keys.create({ owner: 'acct_1', name: name as string }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'name' }] })
    expect((await keys.list()).items).toEqual([])
  })

  it('lets a name be changed, and never cleared', async () => {
    const keys = createApiKeys({ prefix: 'nm_', names })
    const { record } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect(await failure(() => keys.update(record.id, { name: null }))).toMatchObject({
      code: 'INPUT',
      issues: [{ path: 'name' }],
    })
    expect((await keys.update(record.id, { name: undefined })).name).toBe('Sync')
    expect((await keys.update(record.id, { name: 'Renamed' })).name).toBe('Renamed')
  })
})

describe("names: 'required'", () => {
  it('allows one name for several keys', async () => {
    const keys = createApiKeys({ prefix: 'nm_', names: 'required' })
    await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect((await keys.create({ owner: 'acct_1', name: 'Sync' })).record.name).toBe('Sync')
  })
})

describe("names: 'unique'", () => {
  it('lets keys from before go on that have the same name, until one is named anew', async () => {
    const store = memoryStore()
    const before = createApiKeys({ prefix: 'nm_', store })
    const [one, two] = [await before.create({ owner: 'a', name: 'N' }), await before.create({ owner: 'a', name: 'N' })]
    const { keys } = unique(store)
    for (const { record } of [one, two]) {
      expect(await keys.update(record.id, { description: 'kept' })).toMatchObject({ name: 'N', description: 'kept' })
    }
    await keys.update(one.record.id, { name: 'N' })
    expect(await failure(() => keys.update(two.record.id, { name: 'N' }))).toMatchObject({ code: 'CONFLICT' })
    expect(await failure(() => keys.create({ owner: 'a', name: 'N' }))).toMatchObject({ code: 'CONFLICT' })
    expect(await keys.update(one.record.id, { description: 'mine' })).toMatchObject({ description: 'mine' })
    expect(await failure(() => keys.create({ owner: 'a', name: 'N' }))).toMatchObject({ code: 'CONFLICT' })
  })

  it.each(STORES)('X-08 of 100 creates of one name at once exactly one wins (%s)', async (_, make) => {
    const { keys, heard } = unique(make())
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, () => keys.create({ owner: 'acct_1', name: 'Sync' })),
    )
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(lost.map(({ code }) => code)).toEqual(Array(99).fill('CONFLICT'))
    expect(lost[0].issues).toEqual([{ path: 'name', message: expect.stringContaining('taken') }])
    expect((await keys.list()).items).toHaveLength(1)
    expect(heard.of('created')).toHaveLength(1)
  })

  it.each(STORES)('X-08 of 20 keys that are given one name at once exactly one gets it (%s)', async (_, make) => {
    const { keys } = unique(make())
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, n) => keys.create({ owner: 'acct_1', name: `key ${n}` })),
    )
    const results = await Promise.allSettled(made.map(({ record }) => keys.update(record.id, { name: 'Sync' })))
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    expect(lost).toEqual(Array(19).fill('CONFLICT'))
    expect((await keys.list({ name: 'Sync' })).items).toHaveLength(1)
  })

  it('R-08 is a matter of one owner: another may use the name', async () => {
    const { keys } = unique()
    await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect((await keys.create({ owner: 'acct_2', name: 'Sync' })).record.owner).toBe('acct_2')
    expect((await failure(() => keys.create({ owner: 'acct_1', name: 'Sync' }))).code).toBe('CONFLICT')
  })

  it('X-08 compares exactly: case, spaces and the way that letters are composed count', async () => {
    const { keys } = unique()
    const names = ['Sync', 'sync', 'SYNC', 'Sync ', ' Sync', 'Cafe\u0301', 'Café', 'Ｓync']
    for (const name of names) await keys.create({ owner: 'acct_1', name })
    expect((await keys.list()).items.map(({ name }) => name).sort()).toEqual([...names].sort())
  })

  it('R-09 cannot be confused by what separates owner and name', async () => {
    const { keys } = unique()
    const pairs = [
      ['t1:1', '2'],
      ['t1', '1:2'],
      ['t1","1', '2'],
      ['t1', '1","2'],
      ['t1\\', '"2'],
      ['["t1"', ']'],
    ]
    for (const [owner = '', name] of pairs) await keys.create({ owner, name })
    expect((await keys.list()).items).toHaveLength(pairs.length)
  })

  it('a key keeps its own name when it is changed, rotated, disabled and enabled', async () => {
    const { keys } = unique()
    const { record } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    await keys.update(record.id, { name: 'Sync', description: 'x' })
    await keys.update(record.id, { description: 'y' })
    await keys.rotate(record.id, { overlap: 0 })
    await keys.disable(record.id)
    await keys.enable(record.id)
    expect((await failure(() => keys.create({ owner: 'acct_1', name: 'Sync' }))).code).toBe('CONFLICT')
  })

  it('a name that was changed is free, and the new one is taken', async () => {
    const { keys } = unique()
    const { record } = await keys.create({ owner: 'acct_1', name: 'Old' })
    await keys.update(record.id, { name: 'New' })
    expect((await keys.create({ owner: 'acct_1', name: 'Old' })).record.name).toBe('Old')
    expect((await failure(() => keys.create({ owner: 'acct_1', name: 'New' }))).code).toBe('CONFLICT')
  })

  it('a change that meets a taken name changes nothing', async () => {
    const { keys, store, heard } = unique()
    await keys.create({ owner: 'acct_1', name: 'Taken' })
    const { key, record } = await keys.create({ owner: 'acct_1', name: 'Mine' })
    const before = await kept(store, record.id)
    heard.events.length = 0
    const error = await failure(() => keys.update(record.id, { name: 'Taken', scopes: ['a:read'] }))
    expect(error).toMatchObject({ code: 'CONFLICT', issues: [{ path: 'name' }] })
    expect(await kept(store, record.id)).toEqual(before)
    expect(heard.events).toEqual([])
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('revoke keeps the name, remove frees it', async () => {
    const { keys } = unique()
    const { record } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    await keys.revoke(record.id)
    expect((await failure(() => keys.create({ owner: 'acct_1', name: 'Sync' }))).code).toBe('CONFLICT')
    await keys.remove(record.id)
    const { record: next } = await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect(next.status).toBe('active')
    await keys.revokeAll({ owner: 'acct_1' })
    expect((await failure(() => keys.create({ owner: 'acct_1', name: 'Sync' }))).code).toBe('CONFLICT')
  })

  it('instances on one store have names of their own; one that renamed its prefix keeps its names', async () => {
    const store = memoryStore()
    const { keys: before } = unique(store)
    await before.create({ owner: 'acct_1', name: 'Sync' })
    const other = createApiKeys({ prefix: 'other_', store, names: 'unique' })
    expect((await other.create({ owner: 'acct_1', name: 'Sync' })).record.prefix).toBe('other_')
    const renamed = createApiKeys({ prefix: ['new_', 'nm_'], store, names: 'unique' })
    expect((await failure(() => renamed.create({ owner: 'acct_1', name: 'Sync' }))).code).toBe('CONFLICT')
  })

  it('tells a name that is taken from an id that is taken', async () => {
    const ids = ['A', 'A', 'B', 'C'].map((letter) => letter.repeat(12))
    const generateId = () => ids.shift() ?? 'D'.repeat(12)
    const keys = createApiKeys({ prefix: 'nm_', names: 'unique', generateId })
    await keys.create({ owner: 'acct_1', name: 'Sync' })
    expect((await keys.create({ owner: 'acct_1', name: 'Other' })).record.id).toBe('B'.repeat(12))
    expect((await failure(() => keys.create({ owner: 'acct_1', name: 'Sync' }))).message).toContain('name')
  })
})
