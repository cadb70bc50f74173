import { type ApiKeys, type By, createApiKeys, memoryStore, type StoredKey } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'
import { distantStore, kept } from '../support/stores.ts'

/** Every verb on one key, with conditions. */
const VERBS: readonly (readonly [string, (keys: ApiKeys, id: string, by: By) => Promise<unknown>])[] = [
  ['update', (keys, id, by) => keys.update(id, { name: 'changed' }, by)],
  ['disable', (keys, id, by) => keys.disable(id, by)],
  ['enable', (keys, id, by) => keys.enable(id, by)],
  ['rotate', (keys, id, by) => keys.rotate(id, { overlap: 0, ...by })],
  ['revoke', (keys, id, by) => keys.revoke(id, { reason: 'x', ...by })],
  ['remove', (keys, id, by) => keys.remove(id, by)],
]

const FOREIGN: readonly (readonly [string, By])[] = [
  ['another owner', { owner: 'acct_2' }],
  ['another resource', { resource: 'agent:2' }],
  ['another owner of the same resource', { owner: 'acct_2', resource: 'agent:1' }],
  ['another resource of the same owner', { owner: 'acct_1', resource: 'agent:2' }],
  ['an owner in other case', { owner: 'ACCT_1' }],
  ['an owner with a space behind it', { owner: 'acct_1 ' }],
]

const MINE: readonly By[] = [
  {},
  { owner: 'acct_1' },
  { resource: 'agent:1' },
  { owner: 'acct_1', resource: 'agent:1', actor: 'user_7' },
]

async function instance() {
  const store = memoryStore()
  const heard = listener()
  const keys = createApiKeys({ prefix: 'co_', store, onEvent: heard.onEvent })
  const made = await keys.create({ owner: 'acct_1', resource: 'agent:1' })
  heard.events.length = 0
  return { store, heard, keys, ...made }
}

const CASES = VERBS.flatMap(([verb, act]) => FOREIGN.map(([whose, by]) => ({ verb, act, whose, by })))

describe('conditions', () => {
  it.each(CASES)('$verb of a key of $whose is exactly $verb of an unknown one', async ({ act, by }) => {
    const { keys, store, heard, key, record } = await instance()
    const before = await kept(store, record.id)
    const foreign = await failure(() => act(keys, record.id, by))
    const unknown = await failure(() => act(keys, '0'.repeat(12), by))
    expect(foreign.code).toBe('NOT_FOUND')
    expect({ ...foreign, message: foreign.message }).toEqual({ ...unknown, message: unknown.message })
    expect(await kept(store, record.id)).toEqual(before)
    expect(heard.events).toEqual([])
    expect(await judged(keys, key, { resource: '*' })).toBe('admitted')
  })

  it.each(VERBS.flatMap(([verb, act]) => MINE.map((by) => ({ verb, act, by }))))(
    '$verb does it for $by, whose key it is',
    async ({ act, by }) => {
      const { keys, record } = await instance()
      await expect(act(keys, record.id, by)).resolves.not.toThrow()
    },
  )

  it('get and list show nothing of a key that is not within them', async () => {
    const { keys, record } = await instance()
    for (const [, by] of FOREIGN) {
      expect(await keys.get(record.id, by)).toBeUndefined()
      expect((await keys.list(by)).items).toEqual([])
    }
    for (const by of MINE) {
      expect((await keys.get(record.id, by))?.id).toBe(record.id)
      expect((await keys.list(by)).items.map(({ id }) => id)).toEqual([record.id])
    }
  })

  it('a resource as a condition does not let a key without one be seen', async () => {
    const { keys } = await instance()
    const { record } = await keys.create({ owner: 'acct_1' })
    expect(await keys.get(record.id, { resource: 'agent:1' })).toBeUndefined()
    expect((await failure(() => keys.revoke(record.id, { resource: 'agent:1' }))).code).toBe('NOT_FOUND')
  })

  it.each(VERBS)('%s refuses conditions that it does not know, or that are no text', async (_, act) => {
    const { keys, record, store } = await instance()
    const before = await kept(store, record.id)
    for (const by of [{ tenant: 'acct_1' }, { owner: '' }, { owner: null }, { owner: { $ne: null } }, { actor: 7 }]) {
      expect((await failure(() => act(keys, record.id, by as By))).code).toBe('INPUT')
    }
    expect(await kept(store, record.id)).toEqual(before)
  })

  it.each(VERBS)('%s refuses an owner or a resource that somebody forgot, and changes nothing', async (_, act) => {
    const { keys, record, store } = await instance()
    const before = await kept(store, record.id)
    for (const given of [{ owner: undefined }, { resource: undefined }, { owner: 'acct_1', resource: undefined }]) {
      const by: By = given as never
      const error = await failure(() => act(keys, record.id, by))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ message: 'must not be undefined; leave it out' }] })
      expect(await failure(() => keys.get(record.id, by))).toMatchObject({ code: 'INPUT' })
    }
    expect(await kept(store, record.id)).toEqual(before)
  })

  it('the grants of a role that nobody knows are refused, and give nothing', async () => {
    const { keys, record, store } = await instance()
    const before = await kept(store, record.id)
    const by: { grants: [] } = { grants: undefined } as never
    for (const act of [
      () => keys.create({ owner: 'acct_1', scopes: ['admin:all'] }, by),
      () => keys.update(record.id, { scopes: ['admin:all'] }, by),
      () => keys.rotate(record.id, { overlap: 0, ...by }),
    ]) {
      const issues = [{ path: 'grants', message: 'must not be undefined; leave it out' }]
      expect(await failure(act)).toMatchObject({ code: 'INPUT', issues })
    }
    expect(await kept(store, record.id)).toEqual(before)
    expect((await keys.list()).items).toHaveLength(1)
  })

  it('are looked at before the key: a foreign revoked key is unknown, not revoked', async () => {
    const { keys, record } = await instance()
    await keys.revoke(record.id)
    for (const [, act] of VERBS) {
      expect((await failure(() => act(keys, record.id, { owner: 'acct_2' }))).code).toBe('NOT_FOUND')
    }
  })

  it('are looked at on the record that is changed, not on an earlier one', async () => {
    const inner = memoryStore()
    const keys = createApiKeys({ prefix: 'co_', store: distantStore(inner) })
    const { record } = await keys.create({ owner: 'acct_1' })
    const stored = await kept(inner, record.id)
    const changing = keys.update(record.id, { name: 'mine' }, { owner: 'acct_1' })
    const moved: StoredKey = { ...stored, owner: 'acct_2', version: stored.version + 1 }
    expect(inner.replace(moved, stored.version)).toBe(true)
    expect((await failure(() => changing)).code).toBe('NOT_FOUND')
    expect(await kept(inner, record.id)).not.toHaveProperty('name')
  })
})

describe('instances on one store', () => {
  async function two() {
    const store = memoryStore()
    const ours = createApiKeys({ prefix: 'co_', store })
    const theirs = createApiKeys({ prefix: ['cp_', 'cq_'], store })
    const { key, record } = await theirs.create({ owner: 'acct_1' })
    return { store, ours, theirs, key, record }
  }

  it.each(VERBS)('%s knows the keys of its own prefixes only', async (_, act) => {
    const { store, ours, theirs, key, record } = await two()
    const before = await kept(store, record.id)
    const foreign = await failure(() => act(ours, record.id, {}))
    const unknown = await failure(() => act(ours, '0'.repeat(12), {}))
    expect([foreign.code, foreign.message]).toEqual(['NOT_FOUND', unknown.message])
    expect(await kept(store, record.id)).toEqual(before)
    expect(await judged(theirs, key)).toBe('admitted')
  })

  it('get, list and verify know the keys of their own prefixes only', async () => {
    const { ours, theirs, key, record } = await two()
    const { record: own } = await ours.create({ owner: 'acct_1' })
    expect(await ours.get(record.id)).toBeUndefined()
    expect((await ours.list()).items.map(({ id }) => id)).toEqual([own.id])
    expect((await theirs.list()).items.map(({ id }) => id)).toEqual([record.id])
    expect(await judged(ours, key)).toBe('invalid_key')
    expect((await failure(() => ours.explain({ id: record.id }))).code).toBe('NOT_FOUND')
  })

  it('an instance with a new and an old prefix manages keys of both', async () => {
    const { store, theirs } = await two()
    const before = createApiKeys({ prefix: 'cq_', store })
    const { key, record } = await before.create({ owner: 'acct_2' })
    expect((await theirs.get(record.id))?.prefix).toBe('cq_')
    expect(await judged(theirs, key)).toBe('admitted')
    expect(await theirs.revokeAll({ owner: 'acct_2' })).toBe(1)
    expect(await judged(theirs, key)).toBe('revoked')
  })
})

class ByOther {
  get owner(): string {
    return 'acct_2'
  }
}

it.each(VERBS.filter(([name]) => name !== 'rotate' && name !== 'revoke'))(
  '%s heeds no condition that is of a class: it refuses it, and changes nothing',
  async (_, verb) => {
    const { keys, store, record } = await instance()
    const before = await kept(store, record.id)
    const error = await failure(() => verb(keys, record.id, new ByOther()))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'owner' }] })
    expect(await kept(store, record.id)).toEqual(before)
  },
)
