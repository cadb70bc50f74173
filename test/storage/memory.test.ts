import { describe, expect, it } from 'vitest'
import type { StoredKey } from '../../src/model/key.ts'
import type { ListPage } from '../../src/model/store.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { storeChecks } from '../../src/testing/store-checks.ts'
import { NONSENSE, storedKey } from './stored-key.ts'

const MINUTE = { windows: [{ name: 'minute', limit: 5, ms: 60_000 }], cost: 1 }

describe('memoryStore keeps the storage contract', () => {
  for (const check of storeChecks(() => memoryStore())) it.concurrent(check.name, check.run)
})

describe('memoryStore', () => {
  it('answers without a promise', () => {
    const store = memoryStore()
    const key = storedKey()
    expect(store.insert(key)).toBeUndefined()
    expect(store.find(key.id)).toEqual(key)
    expect(store.take?.(key.id, key.version, MINUTE, 1)).toMatchObject({ ok: true })
    expect(store.replace({ ...key, version: 8 }, 7)).toBe(true)
    expect(store.revokeWhere?.({ prefixes: ['agk_'] }, 1)).toBe(1)
    expect(store.remove(key.id)).toBe(true)
    expect(store.close?.()).toBeUndefined()
    expect(store.close?.()).toBeUndefined()
  })

  it('finds the very same frozen object while nothing changes', () => {
    const store = memoryStore()
    const key = storedKey({ metadata: { deep: { list: [1] } } })
    store.insert(key)
    const found = store.find(key.id) as StoredKey
    store.take?.(key.id, key.version, MINUTE, 1)
    expect(store.find(key.id)).toBe(found)
    for (const part of [found, found.scopes, found.metadata, (found.metadata as { deep: object }).deep]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
    store.touch?.([{ id: key.id, at: 1, uses: 1 }])
    expect(store.find(key.id)).not.toBe(found)
  })

  it('forgets use marks that a key brings along, and keeps those that lie beside it', () => {
    const store = memoryStore()
    const key = storedKey({ uses: 9, lastUsedAt: 9 })
    store.insert(key)
    expect(store.find(key.id)).not.toHaveProperty('uses')
    expect(store.find(key.id)).not.toHaveProperty('lastUsedAt')
  })

  it('lists a key under the owner and the age that a replacement gives it', () => {
    const store = memoryStore()
    const [key, other] = [storedKey(), storedKey()]
    store.insert(key)
    store.insert(other)
    store.replace({ ...key, version: 8, owner: 'acct_2', createdAt: 9_999_999 }, 7)
    const ids = (owner?: string) => {
      const page = store.list({ prefixes: ['agk_'], limit: 9, ...(owner !== undefined && { owner }) }) as ListPage
      return page.items.map(({ id }) => id)
    }
    expect([ids('acct_1'), ids('acct_2'), ids()]).toEqual([[other.id], [key.id], [key.id, other.id]])
    store.remove(key.id)
    expect([ids('acct_2'), ids()]).toEqual([[], [other.id]])
  })

  it('keeps apart what differs in a NUL or half an emoji', () => {
    const store = memoryStore()
    const keys = ['a', 'a\0', 'a\0b', 'a\ud83d', 'a\ud83e', '__proto__'].map((id) => storedKey({ id, owner: id }))
    for (const key of keys) store.insert(key)
    for (const key of keys) {
      expect(store.find(key.id)).toEqual(key)
      expect(store.list({ prefixes: ['agk_'], owner: key.owner, limit: 9 })).toEqual({ items: [key] })
    }
  })

  it.each(NONSENSE)('refuses the cursor %j with INPUT', (cursor) => {
    const refused = expect.objectContaining({ code: 'INPUT', issues: [expect.objectContaining({ path: 'cursor' })] })
    expect(() => memoryStore().list({ prefixes: ['agk_'], limit: 9, cursor })).toThrow(refused)
  })
})
