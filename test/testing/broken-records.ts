import type { StoredKey } from '../../src/model/key.ts'
import type { KeyStore, ListPage } from '../../src/model/store.ts'
import { at, type BrokenStore } from './broken-store.ts'

/** Mistakes with records, names, text and lists. */
export const BROKEN_RECORDS: readonly BrokenStore[] = [
  {
    mistake: 'find answers null for unknown ids',
    found: ['find-unknown'],
    change: (good) => ({ find: (id) => good.find(id) ?? (null as unknown as undefined) }),
  },
  {
    mistake: 'find drops a field that it does not know',
    found: ['insert-find', 'replace-writes'],
    change: (good) => ({ find: (id) => without(at(good.find(id)), 'allowedIps') }),
  },
  {
    mistake: 'find answers null for absent fields',
    found: ['insert-absent-fields'],
    change: (good) => ({
      find: (id) => {
        const key = at(good.find(id))
        return key && ({ expiresAt: null, ...key } as unknown as StoredKey)
      },
    }),
  },
  {
    mistake: 'it keeps the objects of its callers, and hands them out',
    found: ['own-given', 'own-got'],
    change: () => unfrozenStore(),
  },
  {
    mistake: 'insert overwrites',
    found: ['insert-taken-id', 'insert-race'],
    change: (good) => ({
      insert: (key) => {
        good.remove(key.id)
        return good.insert(key)
      },
    }),
  },
  {
    mistake: 'insert looks first, and writes later',
    found: ['insert-race'],
    change: (good) => ({
      insert: async (key) => {
        const there = good.find(key.id)
        await null
        if (there === undefined) good.remove(key.id)
        return good.insert(key)
      },
    }),
  },
  {
    mistake: 'insert throws an error without a code',
    found: ['insert-taken-id', 'name-taken-insert'],
    change: (good) => ({
      insert: (key) => {
        try {
          return good.insert(key)
        } catch {
          throw new Error('duplicate key')
        }
      },
    }),
  },
  {
    mistake: 'uniqueName is ignored',
    found: ['name-taken-insert', 'name-race', 'name-taken-replace', 'name-kept'],
    change: (good) => ({
      insert: (key) => good.insert(without(key, 'uniqueName')),
      replace: (key, version) => good.replace(without(key, 'uniqueName'), version),
    }),
  },
  {
    mistake: 'replace ignores the version',
    found: ['replace-version', 'replace-race', 'revoke-beats-replace'],
    change: (good) => ({ replace: (key) => good.replace(key, at(good.find(key.id))?.version ?? 0) }),
  },
  {
    mistake: 'replace reads the version, and writes later',
    found: ['replace-race'],
    change: (good) => ({
      replace: async (key, ifVersion) => {
        const version = at(good.find(key.id))?.version
        await null
        return version === ifVersion && good.replace(key, at(good.find(key.id))?.version ?? 0)
      },
    }),
  },
  {
    mistake: 'replace merges into what is there',
    found: ['replace-writes'],
    change: (good) => ({ replace: (key, version) => good.replace({ ...at(good.find(key.id)), ...key }, version) }),
  },
  {
    mistake: 'replace brings a removed key back',
    found: ['replace-gone'],
    change: (good) => ({
      replace: (key, version) => {
        if (good.find(key.id) !== undefined) return good.replace(key, version)
        good.insert(key)
        return true
      },
    }),
  },
  {
    mistake: 'remove always answers true',
    found: ['remove-forgets'],
    change: (good) => ({
      remove: (id) => {
        good.remove(id)
        return true
      },
    }),
  },
  {
    mistake: 'remove only marks the key',
    found: ['remove-forgets', 'name-removed'],
    change: (good) => {
      const gone = new Set<string>()
      return {
        find: (id) => (gone.has(id) ? undefined : good.find(id)),
        remove: (id) => good.find(id) !== undefined && !gone.has(id) && gone.add(id) !== undefined,
      }
    },
  },
  {
    mistake: 'ids are compared without regard to case',
    found: ['text-ids-exact'],
    change: (good) => ({
      insert: (key) => good.insert({ ...key, id: key.id.toLowerCase() }),
      find: (id) => good.find(id.toLowerCase()),
    }),
  },
  {
    mistake: 'owners are compared without regard to case',
    found: ['text-owners-exact'],
    change: (good) => ({
      list: ({ owner, ...query }) => {
        const { items } = at(good.list({ ...query, limit: 1_000 }))
        return { items: items.filter((key) => owner === undefined || isLike(key.owner, owner)) }
      },
    }),
  },
  {
    mistake: 'resources are patterns',
    found: ['text-resources-exact'],
    change: (good) => ({
      list: ({ resource, ...query }) => {
        const { items } = at(good.list({ ...query, limit: 1_000 }))
        const wanted = new RegExp(`^${resource?.replaceAll('_', '.').replaceAll('%', '.*')}$`)
        return { items: items.filter((key) => resource === undefined || wanted.test(key.resource ?? '')) }
      },
    }),
  },
  {
    mistake: 'a cursor holds the time alone',
    found: ['list-pages', 'list-no-owner'],
    change: (good) => ({
      list: ({ cursor, ...query }) => {
        const { items } = at(good.list({ ...query, limit: 1_000 }))
        return page(
          items.filter((key) => cursor === undefined || key.createdAt < Number(cursor)),
          query.limit,
        )
      },
    }),
  },
  {
    mistake: 'a cursor is a number of rows',
    found: ['list-while-changing'],
    change: (good) => ({
      list: ({ cursor = '0', ...query }) => {
        const { items } = at(good.list({ ...query, limit: 1_000 }))
        const end = Number(cursor) + query.limit
        const shown = items.slice(Number(cursor), end)
        return end < items.length ? { items: shown, cursor: String(end) } : { items: shown }
      },
    }),
  },
  {
    mistake: 'list goes by age, oldest first',
    found: ['list-order'],
    change: (good) => ({
      list: (query) => ({ items: [...at(good.list({ ...query, limit: 1_000 })).items].reverse() }),
    }),
  },
  {
    mistake: 'list ignores the status',
    found: ['list-filters'],
    change: (good) => ({ list: ({ status: _, ...query }) => good.list(query) }),
  },
  {
    mistake: 'list never ends',
    found: ['list-items', 'list-pages'],
    change: (good) => ({ list: ({ cursor: _, ...query }) => ({ ...at(good.list(query)), cursor: 'more' }) }),
  },
]

function without(key: StoredKey, name: 'uniqueName' | 'allowedIps'): StoredKey
function without(key: StoredKey | undefined, name: 'uniqueName' | 'allowedIps'): StoredKey | undefined
function without(key: StoredKey | undefined, name: 'uniqueName' | 'allowedIps'): StoredKey | undefined {
  if (key === undefined) return undefined
  const { [name]: _, ...rest } = key
  return rest
}

function isLike(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function page(items: readonly StoredKey[], limit: number): ListPage {
  const shown = items.slice(0, limit)
  const last = shown.at(-1)
  return items.length > limit && last !== undefined
    ? { items: shown, cursor: String(last.createdAt) }
    : { items: shown }
}

/** Five verbs over a plain map that hands its own objects out, and keeps what it is handed. */
function unfrozenStore(): Partial<KeyStore> {
  const keys = new Map<string, StoredKey>()
  return {
    find: (id) => keys.get(id),
    insert: (key) => void keys.set(key.id, key),
    replace: (key) => keys.set(key.id, key) !== undefined,
    list: () => ({ items: [...keys.values()] }),
  }
}
