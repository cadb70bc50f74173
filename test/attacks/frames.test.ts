import { type ApiKeys, type Created, createApiKeys, type RevokeOptions } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../support/both-stores.ts'
import { failure } from '../support/outcome.ts'

type Verb = (keys: ApiKeys, target: Created) => unknown

/** Every verb that changes one key, and everything that a request does to it. They run one after the other. */
const VERBS: readonly (readonly [string, Verb])[] = [
  ['update', (keys, { record }) => keys.update(record.id, { name: 'changed', scopes: ['x:*'], limits: { minute: 9 } })],
  ['update that clears', (keys, { record }) => keys.update(record.id, { description: null, metadata: null })],
  ['credits that begin anew', (keys, { record }) => keys.update(record.id, { credits: { remaining: 5 } })],
  ['credit', (keys, { record }) => keys.credit({ id: record.id }, 3)],
  ['balance', (keys, { record }) => keys.balance({ id: record.id })],
  ['verify', (keys, { key }) => keys.verify(key)],
  ['verify that is refused', (keys, { key }) => keys.verify(key, { owner: 'nobody' })],
  ['explain', (keys, { key }) => keys.explain(key)],
  ['flush', (keys) => keys.flush()],
  ['disable', (keys, { record }) => keys.disable(record.id)],
  ['enable', (keys, { record }) => keys.enable(record.id)],
  ['rotate', (keys, { record }) => keys.rotate(record.id, { overlap: '1h' })],
  ['the end of an overlap', (keys, { record }) => keys.update(record.id, { previousSecretUntil: null })],
  ['get', (keys, { record }) => keys.get(record.id)],
  ['list', (keys, { record }) => keys.list({ owner: record.owner })],
  ['revoke', (keys, { record }) => keys.revoke(record.id, { reason: 'leaked' })],
  ['remove', (keys, { record }) => keys.remove(record.id)],
]

/** Keys of two owners, alike in everything that a careless condition could confuse, and all of them used. */
async function populated(open: (typeof BOTH_STORES)[number][1]) {
  const { store, rows } = open()
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'frm_', store, clock })
  const made: Created[] = []
  for (let n = 0; n < 8; n++) {
    const input = { name: 'Sync', description: 'd', metadata: { n: 1 }, limits: { minute: 100 } }
    const created = await keys.create({ owner: `acct_${n % 2}`, ...input, credits: { remaining: 50 } })
    await keys.verify(created.key, { cost: n })
    made.push(created)
  }
  await keys.flush()
  const [target, ...others] = made as [Created, ...Created[]]
  const ids = others.map(({ record }) => record.id)
  return { keys, clock, store, target, others, rest: () => rows(ids), all: () => rows([target.record.id, ...ids]) }
}

describe.each(BOTH_STORES)('R. What one verb touches (%s)', (_name, open) => {
  it('R-19 is one key: every other row stays byte for byte, whatever is done', async () => {
    const { keys, target, rest, all } = await populated(open)
    const before = await rest()
    expect(before).toContain('Sync')
    let whole = await all()
    for (const [verb, act] of VERBS) {
      await act(keys, target)
      expect(await rest(), verb).toBe(before)
      const after = await all()
      const writes = !['balance', 'verify that is refused', 'explain', 'get', 'list'].includes(verb)
      if (!writes) expect(after, verb).toBe(whole)
      whole = after
    }
    expect(await keys.get(target.record.id)).toBeUndefined()
  })

  it('R-19 is not the keys of a neighbour where all of one owner, or of one resource, are revoked', async () => {
    const { keys, others, rest, target } = await populated(open)
    const bound = await keys.create({ owner: 'acct_1', resource: 'agent:1' })
    const before = await rest()
    await keys.revokeAll({ resource: 'agent:1' })
    expect(await rest()).toBe(before)
    const mine = others.filter(({ record }) => record.owner === 'acct_0')
    expect(await keys.revokeAll({ owner: 'acct_0', reason: 'closed' })).toBe(mine.length + 1)
    const states = await Promise.all(
      [target, bound, ...others].map(async ({ record }) => (await keys.get(record.id))?.status),
    )
    const expected = [target, bound, ...others].map(({ record }) =>
      record.owner === 'acct_0' || record.resource === 'agent:1' ? 'revoked' : 'active',
    )
    expect(states).toEqual(expected)
  })

  it.each([undefined, null, '', {}, [], { $ne: null }, true, 0, '%', '*', '____________'])(
    'R-20 R-12 is nothing at all for the id %j',
    async (given) => {
      const { keys, target, all } = await populated(open)
      const before = await all()
      const id = given as string
      const verbs: readonly (() => unknown)[] = [
        () => keys.update(id, { name: 'changed' }),
        () => keys.disable(id),
        () => keys.enable(id),
        () => keys.rotate(id, { overlap: 0 }),
        () => keys.revoke(id),
        () => keys.remove(id),
        () => keys.credit({ id }, 1),
        () => keys.balance({ id }),
        () => keys.explain({ id }),
      ]
      for (const verb of verbs) expect(['NOT_FOUND', 'INPUT']).toContain((await failure(verb)).code)
      expect(await keys.get(id)).toBeUndefined()
      expect(await all()).toBe(before)
      expect((await keys.get(target.record.id))?.status).toBe('active')
    },
  )

  it.each([{}, [], undefined, { owner: undefined, resource: undefined }, { owner: {} }, { owner: [] }])(
    'R-20 is nothing at all for a bulk revocation by %j',
    async (filter) => {
      const { keys, all } = await populated(open)
      const before = await all()
      expect((await failure(() => keys.revokeAll(filter as RevokeOptions))).code).toBe('INPUT')
      expect(await all()).toBe(before)
    },
  )
})
