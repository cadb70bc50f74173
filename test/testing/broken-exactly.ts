import type { StoredKey } from '../../src/model/key.ts'
import type { KeyStore, ListQuery } from '../../src/model/store.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

/** One mistake each, and all checks that fail for it: no other does. */
export const BROKEN_EXACTLY: readonly BrokenStore[] = [
  {
    mistake: 'an update is lost: replace reads the version, and writes later',
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
    mistake: 'the version is ignored',
    found: [
      'replace-version',
      'replace-race',
      'name-stale-replace',
      'revoke-beats-replace',
      'revoke-race',
      'insert-numbers',
    ],
    change: (good) => ({ replace: (key) => good.replace(key, at(good.find(key.id))?.version ?? 0) }),
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
    mistake: 'ids are found in any case',
    found: ['text-ids-exact'],
    change: (good) => {
      const ids = new Map<string, string>()
      return {
        insert: (key) => {
          good.insert(key)
          ids.set(key.id.toLowerCase(), key.id)
        },
        find: (id) => good.find(id) ?? good.find(ids.get(id.toLowerCase()) ?? id),
      }
    },
  },
  {
    mistake: 'a unique name is one in any case',
    found: ['text-names-exact'],
    change: (good) =>
      named(
        good,
        (name) => name.toLowerCase(),
        () => {},
      ),
  },
  {
    mistake: 'a unique name is not freed by remove',
    found: ['name-removed', 'name-removed-renamed'],
    change: (good) =>
      named(
        good,
        (name) => name,
        (names, key) => names.add(key.uniqueName ?? ''),
      ),
  },
  {
    mistake: 'text is normalised',
    found: ['text-owners-exact', 'text-resources-exact', 'text-ids-exact', 'text-names-exact'],
    change: (good) => {
      const normal = (key: StoredKey): StoredKey => ({
        ...key,
        owner: key.owner.normalize(),
        ...(key.resource !== undefined && { resource: key.resource.normalize() }),
        ...(key.name !== undefined && { name: key.name.normalize() }),
      })
      return {
        insert: (key) => good.insert(normal(key)),
        list: (query) => good.list({ ...query, ...(query.owner && { owner: query.owner.normalize() }) }),
      }
    },
  },
  {
    mistake: 'numbers go through a 32-bit float',
    found: ['insert-numbers'],
    change: (good) => {
      const short = (value: unknown): unknown => {
        if (typeof value === 'number' && !Number.isInteger(value) && value !== -0.5) return Math.fround(value)
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
        return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, short(member)]))
      }
      return { find: (id) => short(good.find(id)) as StoredKey | undefined }
    },
  },
  {
    mistake: 'versions are rounded',
    found: ['insert-numbers'],
    change: (good) => ({
      find: (id) => {
        const key = at(good.find(id))
        return key && { ...key, version: key.version > 2 ** 52 ? Math.round(key.version / 8) * 8 : key.version }
      },
    }),
  },
  {
    mistake: 'list orders keys of one moment the other way round',
    found: ['list-order', 'list-no-owner', 'list-pages', 'list-while-changing'],
    change: (good) =>
      reordered(good, (a, b) => (a.createdAt === b.createdAt ? a.id < b.id : a.createdAt > b.createdAt)),
  },
  {
    mistake: 'a cursor skips a key',
    found: [
      'list-pages',
      'list-no-owner',
      'list-while-changing',
      'list-page-size',
      'list-filters',
      'list-prefixes-order',
    ],
    change: (good) => ({
      list: (query) => {
        const page = at(good.list({ ...query, limit: query.limit + 1 }))
        return { ...page, items: page.items.slice(0, query.limit) }
      },
    }),
  },
  {
    mistake: 'a page begins with the last key of the one before',
    found: ['list-pages', 'list-no-owner', 'list-filters', 'list-prefixes-order'],
    change: (good) => {
      const last = new Map<string, StoredKey>()
      return {
        list: (query) => {
          const page = at(good.list(query))
          const again = last.get(query.cursor ?? '')
          const end = page.items.at(-1)
          if (page.cursor !== undefined && end !== undefined) last.set(page.cursor, end)
          return again === undefined ? page : { ...page, items: [again, ...page.items].slice(0, query.limit) }
        },
      }
    },
  },
  {
    mistake: 'list ignores the status',
    found: ['list-filters', 'list-status-now', 'revoke-writes'],
    change: (good) => ({ list: ({ status: _, ...query }: ListQuery) => good.list(query) }),
  },
  {
    mistake: 'touch brings a key back',
    found: ['touch-gone'],
    change: (good) => {
      const seen = new Map<string, StoredKey>()
      return {
        insert: (key) => {
          good.insert(key)
          seen.set(key.id, key)
        },
        touch: (marks) => {
          for (const { id } of marks) {
            const key = seen.get(id)
            if (good.find(id) === undefined && key !== undefined) good.insert(key)
          }
          return good.touch(marks)
        },
      }
    },
  },
  {
    mistake: 'touch moves the last use back',
    found: ['touch-forward', 'touch-many'],
    change: (good) => {
      const last = new Map<string, number>()
      return {
        touch: (marks) => {
          for (const { id, at } of marks) last.set(id, at)
          return good.touch(marks)
        },
        remove: (id) => {
          last.delete(id)
          return good.remove(id)
        },
        find: (id) => {
          const key = at(good.find(id))
          const lastUsedAt = last.get(id)
          return key?.uses === undefined || lastUsedAt === undefined ? key : { ...key, lastUsedAt }
        },
      }
    },
  },
  {
    mistake: 'replace writes the marks',
    found: ['touch-replace'],
    change: (good) => {
      const written = new Map<string, number>()
      return {
        replace: (key, ifVersion) => {
          const answer = good.replace(key, ifVersion)
          if (answer && key.uses !== undefined) written.set(key.id, key.uses)
          return answer
        },
        find: (id) => {
          const key = at(good.find(id))
          const uses = written.get(id)
          return key === undefined || uses === undefined ? key : { ...key, uses }
        },
      }
    },
  },
  {
    mistake: 'revokeWhere revokes what has another owner',
    found: ['revoke-only-matching'],
    change: (good) => ({
      revokeWhere: ({ owner: _, ...filter }, time, reason) => good.revokeWhere(filter, time, reason),
    }),
  },
]

/** Unique names of our own, beside those of a good store. */
function named(
  good: Verbs,
  spelt: (name: string) => string,
  onRemove: (names: Set<string>, key: StoredKey) => unknown,
): Partial<KeyStore> {
  const taken = new Set<string>()
  const used = new Map<string, string>()
  return {
    insert: (key) => {
      const name = key.uniqueName === undefined ? undefined : spelt(key.uniqueName)
      const isTaken = name !== undefined && (taken.has(name) || [...used.values()].includes(name))
      if (isTaken) throw Object.assign(new Error('taken'), { code: 'CONFLICT' })
      good.insert(key)
      if (name !== undefined) used.set(key.id, name)
    },
    replace: (key, ifVersion) => {
      const isDone = good.replace(key, ifVersion)
      if (isDone && key.uniqueName !== undefined) used.set(key.id, spelt(key.uniqueName))
      else if (isDone) used.delete(key.id)
      return isDone
    },
    remove: (id) => {
      const key = at(good.find(id))
      if (key?.uniqueName !== undefined) onRemove(taken, key)
      used.delete(id)
      return good.remove(id)
    },
  }
}

/** What a good store lists, in another order. */
function reordered(good: Verbs, isBefore: (a: StoredKey, b: StoredKey) => boolean): Partial<KeyStore> {
  return {
    list: ({ cursor, limit, ...query }) => {
      const all = [...at(good.list({ ...query, limit: 1_000 })).items].sort((a, b) => (isBefore(a, b) ? -1 : 1))
      const start = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1
      const items = all.slice(start, start + limit)
      const last = items.at(-1)
      return last !== undefined && start + limit < all.length ? { items, cursor: last.id } : { items }
    },
  }
}
