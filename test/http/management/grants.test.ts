import { createApiKeys, type KeyRecord, type KeyStore, memoryStore } from 'keyward'
import { management } from 'keyward/management'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failure } from '../../support/outcome.ts'
import { asking } from './client.ts'

const SCOPES = { contacts: ['read', 'update', 'delete'], models: ['use'] } as const
const MESSAGE = 'is not among the scopes that you may grant'

/** A person who may hand out what is in `grants`, in an account where there is a key with everything of contacts. */
async function open(grants: readonly string[] | undefined) {
  const keys = createApiKeys({ prefix: 'gr_', scopes: SCOPES })
  onTestFinished(() => keys.close())
  const { record } = await keys.create({ owner: 'acct_1', scopes: ['contacts:*'] })
  const ask = asking(management(keys, { authorize: () => ({ owner: 'acct_1', ...(grants && { grants }) }) }))
  const change = (json: object, { id }: KeyRecord = record) => ask('PATCH', `/${id}`, { json })
  return { keys, record, ask, change }
}

describe('the scopes that somebody may grant', () => {
  it('S-17: an update that adds a scope beyond them is refused and names it; the key is as it was', async () => {
    const { keys, record, change } = await open(['contacts:read'])
    const told = await change({ scopes: ['contacts:read', 'models:use'] })
    expect([told.status, told.body.issues]).toEqual([400, [{ path: 'scopes.1', message: MESSAGE }]])
    expect(await keys.get(record.id)).toEqual(record)
    expect((await change({ scopes: ['*'] })).status).toBe(400)
  })

  it('S-17: to keep, narrow and take away what a key has is always allowed, and to change all else', async () => {
    const { change } = await open([])
    for (const scopes of [['contacts:*'], ['contacts:update', 'contacts:delete'], ['contacts:delete']]) {
      expect((await change({ scopes, name: scopes.join() })).body.record.scopes).toEqual(scopes)
    }
    // What was taken away is not the key's any more.
    expect((await change({ scopes: ['contacts:delete', 'contacts:update'] })).status).toBe(400)
    expect((await change({ description: 'Old' })).status).toBe(200)
  })

  it('S-17: a new key has none beyond them either', async () => {
    const { ask } = await open(['contacts:*'])
    const make = async (...scopes: string[]) => (await ask('POST', '/', { json: { scopes } })).status
    expect(await make('contacts:*')).toBe(201)
    expect(await make('contacts:read', 'contacts:delete')).toBe(201)
    expect(await make('contacts:read', 'models:use')).toBe(400)
    expect(await make('*')).toBe(400)
  })

  it('S-17: nobody is told a new secret of a key that has more than they may grant', async () => {
    const { keys, record, ask } = await open(['contacts:read'])
    const rotate = (id: string) => ask('POST', `/${id}/rotate`, { json: { overlap: 0 } })
    const told = await rotate(record.id)
    expect([told.status, told.body.code, told.text.includes('gr_')]).toEqual([403, 'forbidden', false])
    expect(await keys.get(record.id)).toEqual(record)
    const { record: small } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    expect((await rotate(small.id)).status).toBe(200)
    for (const path of ['disable', 'enable', 'revoke'])
      expect((await ask('POST', `/${record.id}/${path}`)).status).toBe(200)
  })

  it('S-17: nor does anybody give more time to the secret that was replaced; to end it is always allowed', async () => {
    const { keys, record, change } = await open(['contacts:read'])
    const { record: rotated } = await keys.rotate(record.id, { overlap: '1h' })
    const until = Date.parse(rotated.previousSecretUntil ?? '')
    const move = (at: number | undefined) =>
      change({ previousSecretUntil: at === undefined ? null : new Date(at).toISOString() })
    const told = await move(until + 1)
    expect([told.status, told.body.code]).toEqual([403, 'forbidden'])
    expect(await keys.get(record.id)).toEqual(rotated)
    for (const earlier of [until, until - 60_000, undefined]) expect((await move(earlier)).status).toBe(200)
  })

  it('S-17: of a key that has no more, the secret that was replaced may be given more time', async () => {
    const { keys, record, change } = await open(['contacts:read'])
    await keys.rotate(record.id, { overlap: '1h' })
    const previousSecretUntil = new Date(Date.now() + 7_200_000).toISOString()
    // What the same patch takes away, the secret cannot do either.
    expect((await change({ previousSecretUntil, scopes: ['contacts:read'] })).status).toBe(200)
  })

  it('are all, where the host does not say', async () => {
    const { change, ask, record } = await open(undefined)
    expect((await change({ scopes: ['*'] })).status).toBe(200)
    expect((await ask('POST', `/${record.id}/rotate`, { json: { overlap: 0 } })).status).toBe(200)
  })

  it('S-17: hold against the key as it is in the moment of the change, not as it was read', async () => {
    const store = memoryStore()
    const others = createApiKeys({ prefix: 'gr_', scopes: SCOPES, store })
    const { record } = await others.create({ owner: 'acct_1', scopes: ['contacts:*'] })
    let first = true
    const replace: KeyStore['replace'] = async (key, ifVersion) => {
      if (first) {
        first = false
        await others.update(record.id, { scopes: ['contacts:read'] })
      }
      return store.replace(key, ifVersion)
    }
    const keys = createApiKeys({ prefix: 'gr_', scopes: SCOPES, store: { ...store, replace } })
    const change = () => keys.update(record.id, { scopes: ['contacts:read', 'contacts:delete'] }, { grants: [] })
    expect((await failure(change)).issues).toEqual([{ path: 'scopes.1', message: MESSAGE }])
    expect((await keys.get(record.id))?.scopes).toEqual(['contacts:read'])
  })

  it('are a condition of the verbs too, for routes that a host writes itself', async () => {
    const { keys, record } = await open([])
    const grants = ['models:*', 'gone:*'] // one that no vocabulary knows covers nothing, and harms nothing
    const { record: made } = await keys.create({ owner: 'acct_1', scopes: ['models:use'] }, { grants })
    expect(made.scopes).toEqual(['models:use'])
    const flaws = async (act: () => unknown) => (await failure(act)).issues
    const foreign = { owner: 'acct_1', scopes: ['contacts:read'] } as const
    expect(await flaws(() => keys.create(foreign, { grants }))).toEqual([{ path: 'scopes.0', message: MESSAGE }])
    expect(await flaws(() => keys.rotate(record.id, { overlap: 0, grants }))).toEqual([
      { path: 'grants', message: 'must cover the scopes of the key: its new secret has them' },
    ])
    expect(await flaws(() => keys.update(record.id, {}, { grants: 'all' as never }))).toEqual([
      { path: 'grants', message: 'must be a list of scopes' },
    ])
  })
})
