import { inspect } from 'node:util'
import { createApiKeys, type Demand, type KeyStore, memoryStore, type StoredKey, sha256 } from 'keyward'
import { describe, expect, it } from 'vitest'
import { accessIn, judged } from '../support/outcome.ts'
import { alteredStore } from '../support/stores.ts'

/** Whenever a record is compiled, the hasher is asked whether its hash is of yesterday. */
async function counting(store: KeyStore) {
  const hasher = sha256()
  const compiled: string[] = []
  const outdated = (hash: string) => {
    compiled.push(hash)
    return hasher.outdated(hash)
  }
  const keys = createApiKeys({ prefix: 'kn_', store, hasher: { ...hasher, outdated } })
  const { key, record } = await keys.create({ owner: 'acct_1', scopes: ['a:read'] })
  return { keys, key, record, compiled }
}

const REFUSED = { scopes: ['b:read'] }

describe('A record that is read again before a refusal', () => {
  it.each([
    ['shorter', ['10.0.0.1']],
    ['as long', ['10.0.0.1', '10.0.0.3']],
    ['another', ['10.0.0.3', '10.0.0.4']],
    ['longer', ['10.0.0.1', '10.0.0.3', '10.0.0.4']],
    ['none', null],
  ])('is judged by its own allowlist, which another process made %s', async (_, allowedIps) => {
    const store = memoryStore()
    const [here, there] = [
      createApiKeys({ prefix: 'kn_', store: { ...store } }),
      createApiKeys({ prefix: 'kn_', store }),
    ]
    const { key, record } = await here.create({ owner: 'acct_1', allowedIps: ['10.0.0.1', '10.0.0.2'] })
    const from = (address: string, demand?: Demand) => judged(here, { key, address }, demand)
    expect([await from('10.0.0.2'), await from('10.0.0.3')]).toEqual(['admitted', 'ip_not_allowed'])
    await there.update(record.id, { allowedIps })
    // What is remembered refuses nobody: so the key is read again.
    expect(await from('10.0.0.1', { owner: 'acct_2' })).not.toBe('admitted')
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
      expect(await from(address)).toBe((allowedIps ?? [address]).includes(address) ? 'admitted' : 'ip_not_allowed')
    }
  })

  it('is compiled once while the store gives the same one, which nobody can change', async () => {
    const { keys, key, record, compiled } = await counting(memoryStore())
    for (let i = 0; i < 5; i++) expect(await judged(keys, key, REFUSED)).toBe('insufficient_scope')
    expect(compiled).toHaveLength(1)
    await keys.update(record.id, { scopes: ['b:read'] })
    expect(await judged(keys, key, REFUSED)).toBe('admitted')
    expect(compiled).toHaveLength(2)
  })

  it('is compiled anew where the store gives an object that could have changed, and may be the same one', async () => {
    const stored: { given?: StoredKey } = {}
    const sameObject = alteredStore((found) => {
      stored.given ??= structuredClone(found)
      return stored.given
    })
    const { keys, key } = await counting(sameObject)
    expect(await judged(keys, key, REFUSED)).toBe('insufficient_scope')
    Object.assign(stored.given ?? {}, { scopes: ['b:read'] })
    expect(await judged(keys, key, REFUSED)).toBe('admitted')
  })
})

describe('What an admission shows', () => {
  it('is no hash, to whoever prints it', async () => {
    const { keys, key } = await counting(memoryStore())
    const verdict = await keys.verify(key)
    const secret = key.slice('kn_'.length + 12)
    const hash = sha256().make(key)
    for (const shown of [inspect(verdict, { depth: 9, showHidden: true }), JSON.stringify(verdict)]) {
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain(String(hash).split('$').at(-1))
      expect(shown).not.toMatch(/[0-9a-f]{64}/)
    }
  })

  it('is one identity, frozen, however often it is read', async () => {
    const { keys, key, record } = await counting(memoryStore())
    await keys.update(record.id, { limits: { minute: 7 } })
    const verdict = await keys.verify(key)
    const access = accessIn(verdict)
    expect(access.readings).toMatchObject([{ limit: 7, remaining: 6 }])
    expect(accessIn(verdict)).toBe(access)
    expect(Object.isFrozen(access)).toBe(true)
    expect(JSON.parse(JSON.stringify(verdict))).toMatchObject({ ok: true, access: { id: record.id, owner: 'acct_1' } })
  })

  it('is the record as it was judged, also when it is read after a change', async () => {
    const { keys, key, record } = await counting(memoryStore())
    const verdict = await keys.verify(key)
    await keys.update(record.id, { scopes: ['c:read'], name: 'later' })
    expect(accessIn(verdict)).toMatchObject({ scopes: ['a:read'], status: 'active' })
  })
})

describe('Keys that share what they have in common', () => {
  it('do not share a change of it', async () => {
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 'kn_', store })
    const limits = { minute: 7, hour: 70 }
    const first = await keys.create({ owner: 'acct_1', scopes: ['a:read', 'a:write'], limits })
    const second = await keys.create({ owner: 'acct_2', scopes: ['a:read', 'a:write'], limits })
    await keys.update(first.record.id, { scopes: ['a:read'], limits: { minute: 1 } })
    expect(await keys.get(second.record.id)).toMatchObject({ scopes: ['a:read', 'a:write'], limits })
    expect(await keys.get(first.record.id)).toMatchObject({ scopes: ['a:read'], limits: { minute: 1, hour: 70 } })
  })

  it('give nothing away that somebody could change for all', async () => {
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 'kn_', store })
    const { record } = await keys.create({ owner: 'acct_1', scopes: ['a:read'], limits: { minute: 7 } })
    const found = await store.find(record.id)
    expect(() => Object.assign(found?.scopes ?? {}, { 0: 'admin:all' })).toThrow(TypeError)
    expect(() => Object.assign(found?.limits ?? {}, { minute: 1_000_000 })).toThrow(TypeError)
    expect(await keys.get(record.id)).toMatchObject({ scopes: ['a:read'], limits: { minute: 7 } })
  })

  it('are given a copy of what a store froze in part', async () => {
    const inner = memoryStore()
    const store: KeyStore = {
      find: async (id) => {
        const found = structuredClone(await inner.find(id))
        if (found !== undefined) Object.freeze(found.metadata)
        return found
      },
      insert: inner.insert,
      replace: inner.replace,
      remove: inner.remove,
      list: inner.list,
    }
    const keys = createApiKeys({ prefix: 'kn_', store })
    const { key } = await keys.create({ owner: 'acct_1', metadata: { plan: { tier: 'free' } } })
    const { metadata } = accessIn(await keys.verify(key))
    expect(() => Object.assign(Object(metadata).plan, { tier: 'enterprise' })).toThrow(TypeError)
    expect(accessIn(await keys.verify(key)).metadata).toEqual({ plan: { tier: 'free' } })
  })
})
