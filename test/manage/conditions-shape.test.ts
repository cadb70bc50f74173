import { type ApiKeys, createApiKeys, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'
import { kept } from '../support/stores.ts'

type Act = (keys: ApiKeys, id: string, by: never) => Promise<unknown>

/** Every verb that takes conditions. */
const VERBS: readonly (readonly [string, Act])[] = [
  ['get', (keys, id, by) => keys.get(id, by)],
  ['list', (keys, _id, by) => keys.list(by)],
  ['usage', (keys, id, by) => keys.usage(id, by)],
  ['balance', (keys, id, by) => keys.balance({ id }, by)],
  ['credit', (keys, id, by) => keys.credit({ id }, 5, by)],
  ['create', (keys, _id, by) => keys.create({ owner: 'acct_1' }, by)],
  ['update', (keys, id, by) => keys.update(id, { name: 'changed' }, by)],
  ['disable', (keys, id, by) => keys.disable(id, by)],
  ['enable', (keys, id, by) => keys.enable(id, by)],
  ['rotate', (keys, id, by) => keys.rotate(id, by)],
  ['revoke', (keys, id, by) => keys.revoke(id, by)],
  ['revokeAll', (keys, _id, by) => keys.revokeAll(by)],
  ['remove', (keys, id, by) => keys.remove(id, by)],
]

/** Conditions that would be none, were they read by the names of their members. */
const SHAPES: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['[]', []],
  ['["acct_2"]', ['acct_2']],
  ['a Map', new Map([['owner', 'acct_2']])],
  ['a Set', new Set(['acct_2'])],
  ['a URLSearchParams', new URLSearchParams({ owner: 'acct_2' })],
  ['a Promise', Promise.resolve({ owner: 'acct_2' })],
  ['"acct_2"', 'acct_2'],
  ['5', 5],
]

async function instance() {
  const store = memoryStore()
  const heard = listener()
  const keys = createApiKeys({ prefix: 'co_', store, onEvent: heard.onEvent })
  const made = await keys.create({ owner: 'acct_1', credits: { remaining: 5 } })
  heard.events.length = 0
  return { keys, store, heard, ...made }
}

describe('conditions that are no object', () => {
  it.each(VERBS.flatMap(([verb, act]) => SHAPES.map(([shown, by]) => ({ verb, act, shown, by }))))(
    '$verb with $shown is INPUT, and does nothing',
    async ({ act, by, shown }) => {
      const { keys, store, heard, key, record } = await instance()
      const before = await kept(store, record.id)
      const error = await failure(() => act(keys, record.id, by as never))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: '' }] })
      expect(error.message).toBe(`input must be an object, not ${shown}`)
      expect(await kept(store, record.id)).toEqual(before)
      expect(heard.events).toEqual([])
      expect(await judged(keys, key)).toBe('admitted')
    },
  )

  it.each(VERBS)('%s takes those of a class, when they are its own members', async (_verb, act) => {
    class Conditions {
      owner = 'acct_2'
    }
    const { keys, record, heard } = await instance()
    const refusal = await act(keys, record.id, new Conditions() as never).catch(({ message }) => message)
    expect(String(JSON.stringify(refusal))).not.toContain('must be an object')
    expect(heard.events).toEqual([])
  })
})
