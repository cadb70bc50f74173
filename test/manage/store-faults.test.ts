import { runInNewContext } from 'node:vm'
import { type ApiKeys, createApiKeys, KeywardError } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'
import { deferred, never, sabotagedStore, type Verb } from '../support/stores.ts'

type Act = (keys: ApiKeys, id: string) => Promise<unknown>

/** Each verb with the verbs of the store that it asks, and whether that one changes anything. */
const CHANGES: readonly (readonly [string, Verb, Act])[] = [
  ['create', 'insert', (keys) => keys.create({ owner: 'acct_1' })],
  ['update', 'replace', (keys, id) => keys.update(id, { name: 'x' })],
  ['disable', 'replace', (keys, id) => keys.disable(id)],
  ['rotate', 'replace', (keys, id) => keys.rotate(id, { overlap: 0 })],
  ['revoke', 'replace', (keys, id) => keys.revoke(id)],
  ['remove', 'remove', (keys, id) => keys.remove(id)],
]
const READS: readonly (readonly [string, Verb, Act])[] = [
  ['get', 'find', (keys, id) => keys.get(id)],
  ['list', 'list', (keys) => keys.list()],
  ['get', 'move', (keys, id) => keys.get(id)],
  ['list', 'move', (keys) => keys.list()],
  ['balance', 'move', (keys, id) => keys.balance({ id })],
  ['usage', 'move', (keys, id) => keys.usage(id)],
  ['update', 'find', (keys, id) => keys.update(id, { name: 'x' })],
  ['rotate', 'find', (keys, id) => keys.rotate(id, { overlap: 0 })],
  ['revoke', 'find', (keys, id) => keys.revoke(id)],
  ['remove', 'find', (keys, id) => keys.remove(id)],
]

const DSN = 'redis://:hunter2@10.0.0.9:6379'
const FAULTS: readonly (readonly [string, () => unknown])[] = [
  ['never answers', never],
  ['rejects', () => Promise.reject(new Error(`ECONNRESET ${DSN}`))],
  ['rejects with no error', () => Promise.reject(undefined)],
  [
    'throws',
    () => {
      throw new Error(`no connection to ${DSN}`)
    },
  ],
]

async function instance() {
  const sabotaged = sabotagedStore()
  const heard = listener()
  const keys = createApiKeys({ prefix: 'sf_', store: sabotaged.store, storeTimeout: 20, onEvent: heard.onEvent })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  await keys.verify(key)
  heard.events.length = 0
  return { keys, key, id: record.id, sabotaged, heard }
}

const cross = <T>(list: readonly T[]) => list.flatMap((item) => FAULTS.map((fault) => ({ item, fault })))

describe('STORE errors', () => {
  it.each(
    cross(CHANGES).map(({ item: [name, verb, act], fault: [what, fault] }) => ({ name, verb, act, what, fault })),
  )(
    '$name, when $verb $what: the outcome is unknown, nothing secret is told, and it can be called again',
    async ({ name, verb, act, fault }) => {
      const { keys, id, sabotaged, heard } = await instance()
      sabotaged.break(verb, fault)
      const error = await failure(() => act(keys, id))
      expect(error).toBeInstanceOf(KeywardError)
      expect(error).toMatchObject({ code: 'STORE', outcome: 'unknown' })
      expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain('hunter2')
      const whose = name === 'create' ? { owner: 'acct_1' } : { id }
      const { message } = error
      expect(heard.events).toEqual([{ type: 'fault', at: expect.any(String), code: name, message, ...whose }])
      sabotaged.break(verb, undefined)
      await expect(act(keys, id)).resolves.not.toThrow()
    },
  )

  it.each(cross(READS).map(({ item: [name, verb, act], fault: [what, fault] }) => ({ name, verb, act, what, fault })))(
    '$name, when $verb $what: nothing was changed, and it says so',
    async ({ name, verb, act, fault }) => {
      const { keys, id, sabotaged, heard } = await instance()
      sabotaged.break(verb, fault)
      const error = await failure(() => act(keys, id))
      expect(error.code).toBe('STORE')
      expect(error).not.toHaveProperty('outcome')
      expect(error.message).not.toContain('hunter2')
      expect(heard.events).toMatchObject([{ type: 'fault', code: name, ...(name === 'list' ? {} : { id }) }])
      sabotaged.break(verb, undefined)
      await expect(act(keys, id)).resolves.not.toThrow()
    },
  )

  it('an error of another realm, as Jest and vm have them, is known by its code', async () => {
    const { keys, sabotaged } = await instance()
    const foreign = (code: string) => runInNewContext(`Object.assign(new Error('as it says'), { code: '${code}' })`)
    sabotaged.break('insert', () => Promise.reject(foreign('CONFLICT')))
    expect((await failure(() => keys.create({ owner: 'acct_1' }))).code).toBe('CONFLICT')
    sabotaged.break('insert', () => Promise.reject(foreign('ENOENT')))
    const error = await failure(() => keys.create({ owner: 'acct_1' }))
    expect([error.code, error.message]).toEqual(['STORE', "the store's insert failed: as it says"])
  })

  it('what the caller got wrong, or another got first, is no fault', async () => {
    const { keys, id, heard } = await instance()
    await failure(() => keys.update(id, { name: 7 as never }))
    await failure(() => keys.update('nobody', {}))
    await failure(() => keys.update(id, {}, { when: () => false }))
    await keys.revoke(id)
    await failure(() => keys.enable(id))
    expect(heard.of('fault')).toEqual([])
  })

  it('a change that was written though its answer came too late is obeyed at once', async () => {
    const { keys, key, id, sabotaged } = await instance()
    sabotaged.break('replace', (ask) => {
      ask()
      return never()
    })
    expect(await failure(() => keys.revoke(id))).toMatchObject({ code: 'STORE', outcome: 'unknown' })
    expect(await judged(keys, key)).toBe('revoked')
    sabotaged.break('replace', undefined)
    expect((await keys.revoke(id)).status).toBe('revoked')
  })

  it('a key that was removed though its answer came too late is gone at once', async () => {
    const { keys, key, id, sabotaged } = await instance()
    sabotaged.break('remove', (ask) => {
      ask()
      return never()
    })
    expect(await failure(() => keys.remove(id))).toMatchObject({ outcome: 'unknown' })
    expect(await judged(keys, key)).toBe('invalid_key')
  })

  it('a late answer does no harm: nothing is thrown where nobody listens', async () => {
    const { keys, id, sabotaged } = await instance()
    const { promise, resolve } = deferred<unknown>()
    const failing = deferred<Promise<never>>()
    sabotaged.break('replace', () => promise)
    await failure(() => keys.update(id, { name: 'x' }))
    sabotaged.break('replace', () => failing.promise)
    await failure(() => keys.update(id, { name: 'y' }))
    resolve(true)
    failing.resolve(Promise.reject(new Error('too late')))
    await new Promise((settle) => setImmediate(settle))
    sabotaged.break('replace', undefined)
    expect((await keys.update(id, { name: 'z' })).name).toBe('z')
  })

  it('an error of ours in a store is passed on: CONFLICT stays CONFLICT', async () => {
    const { keys, id, sabotaged } = await instance()
    sabotaged.break('replace', () => Promise.reject(Object.assign(new Error('duplicate'), { code: 'CONFLICT' })))
    await expect(keys.update(id, { name: 'x' })).rejects.toMatchObject({ code: 'CONFLICT', issues: [{ path: 'name' }] })
  })

  it.each([undefined, 'unknown'] as const)('a STORE error of the store keeps its outcome: %s', async (outcome) => {
    const { keys, sabotaged } = await instance()
    sabotaged.break('list', () => Promise.reject(new KeywardError('STORE', 'down', outcome && { outcome })))
    const error = await failure(() => keys.list())
    expect([error.code, error.outcome]).toEqual(['STORE', outcome])
  })

  it.each(['INPUT', 'CONFIG'])('a refusal of the store as %s is passed on: it has answered', async (code) => {
    const { keys, id, sabotaged } = await instance()
    sabotaged.break('replace', () => Promise.reject(Object.assign(new Error('as the store says it'), { code })))
    await expect(keys.update(id, { name: 'x' })).rejects.toMatchObject({ code, message: 'as the store says it' })
  })

  it('a key that was removed meanwhile is NOT_FOUND, not a STORE error', async () => {
    const { keys, id, sabotaged } = await instance()
    sabotaged.break('remove', async (ask) => {
      await ask()
      return false
    })
    expect((await failure(() => keys.remove(id))).code).toBe('NOT_FOUND')
  })
})
