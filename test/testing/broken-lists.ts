import type { StoredKey } from '../../src/model/key.ts'
import type { KeyStore } from '../../src/model/store.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

/** Mistakes with what a list looks at, and with several prefixes. */
export const BROKEN_LISTS: readonly BrokenStore[] = [
  {
    mistake: 'list ignores the resource without an owner',
    found: ['list-filters'],
    change: (good) => ({
      list: ({ resource, ...query }) =>
        good.list(query.owner === undefined || resource === undefined ? query : { ...query, resource }),
    }),
  },
  {
    mistake: 'list ignores the status without an owner',
    found: ['list-filters'],
    change: (good) => ({
      list: ({ status, ...query }) =>
        good.list(query.owner === undefined || status === undefined ? query : { ...query, status }),
    }),
  },
  {
    mistake: 'list goes prefix by prefix',
    found: ['list-prefixes-order'],
    change: prefixByPrefix,
  },
  {
    mistake: 'list goes prefix by prefix without an owner',
    found: ['list-prefixes-order'],
    change: (good) => ({
      list: (query) => (query.owner === undefined ? (prefixByPrefix(good).list ?? good.list)(query) : good.list(query)),
    }),
  },
  {
    mistake: 'list looks at the status at insert',
    found: ['list-status-now', 'revoke-writes'],
    change: (good) => byKnownStatus(good),
  },
  {
    mistake: 'revokeWhere does not tell list',
    found: ['revoke-writes'],
    change: (good) => {
      const { known, ...verbs } = byKnownStatus(good)
      return {
        ...verbs,
        replace: (key, ifVersion) => {
          const isDone = good.replace(key, ifVersion)
          if (at(isDone)) known.set(key.id, key.status)
          return isDone
        },
      }
    },
  },
]

function prefixByPrefix(good: Verbs): Pick<KeyStore, 'list'> {
  return {
    list: ({ cursor, ...query }) => {
      const [index, rest] = cursor === undefined ? [0] : (JSON.parse(cursor) as [number, string?])
      const prefixes = query.prefixes.slice(index, index + 1)
      const page = at(good.list({ ...query, prefixes, ...(rest !== undefined && { cursor: rest }) }))
      if (page.cursor !== undefined) return { ...page, cursor: JSON.stringify([index, page.cursor]) }
      return index + 1 < query.prefixes.length ? { ...page, cursor: JSON.stringify([index + 1]) } : page
    },
  }
}

/** A list that keeps the status of a key beside it. */
function byKnownStatus(good: Verbs): Pick<Verbs, 'insert' | 'list'> & { known: Map<string, StoredKey['status']> } {
  const known = new Map<string, StoredKey['status']>()
  return {
    known,
    insert: (key) => {
      good.insert(key)
      known.set(key.id, key.status)
    },
    list: ({ status, ...query }) => {
      const page = at(good.list(query))
      return { ...page, items: page.items.filter(({ id }) => status === undefined || known.get(id) === status) }
    },
  }
}
