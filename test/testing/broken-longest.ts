import type { KeyStore } from '../../src/model/store.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

const short = <T extends string | undefined>(text: T) => text?.slice(0, 255) as T

/** Mistakes with what is long: columns that cut off, and documents that may not be so large. */
export const BROKEN_LONGEST: readonly BrokenStore[] = [
  ...(['owner', 'resource'] as const).map((field) => ({
    mistake: `list looks at the first 255 characters of an ${field}`,
    found: ['longest-owners'],
    change: (good: Verbs): Partial<KeyStore> => ({
      list: ({ [field]: wanted, ...query }) => {
        const page = at(good.list(query))
        return {
          ...page,
          items: page.items.filter((key) => wanted === undefined || short(key[field]) === short(wanted)),
        }
      },
    }),
  })),
  ...(['owner', 'resource'] as const).map((field) => ({
    mistake: `revokeWhere looks at the first 255 characters of an ${field}`,
    found: ['longest-revoke'],
    change: (good: Verbs): Partial<KeyStore> => ({
      revokeWhere: ({ [field]: wanted, ...filter }, time, reason) => {
        if (wanted === undefined) return good.revokeWhere(filter, time, reason)
        const { items } = at(good.list({ ...filter, limit: 100 }))
        const texts = new Set(items.map((key) => key[field]).filter((text) => short(text) === short(wanted)))
        const counts = [...texts].map((text) => at(good.revokeWhere({ ...filter, [field]: text }, time, reason)))
        return counts.reduce((sum, count) => sum + count, 0)
      },
    }),
  })),
  {
    mistake: 'a reason is cut off',
    found: ['longest-revoke'],
    change: (good) => ({
      revokeWhere: (filter, time, reason) => good.revokeWhere(filter, time, reason?.slice(0, 499)),
    }),
  },
  {
    mistake: 'a prefix is cut off',
    found: ['longest-prefixes', 'longest-record'],
    change: (good) => ({
      insert: (key) => good.insert({ ...key, prefix: key.prefix.slice(0, 31) }),
      list: (query) => good.list({ ...query, prefixes: query.prefixes.map((prefix) => prefix.slice(0, 31)) }),
    }),
  },
  {
    mistake: 'a name is known by its first 255 characters',
    found: ['longest-names'],
    change: (good) => ({
      insert: ({ uniqueName, ...key }) =>
        good.insert({ ...key, ...(uniqueName !== undefined && { uniqueName: short(uniqueName) }) }),
    }),
  },
  {
    mistake: 'long names are not known to be taken',
    found: ['longest-names'],
    change: (good) => {
      const names = new Map<string, string>()
      const known = <T>(id: string, key: T) => ({ ...key, ...(names.has(id) && { uniqueName: names.get(id) }) })
      return {
        insert: ({ uniqueName = '', ...key }) => {
          if (uniqueName.length > 255) names.set(key.id, uniqueName)
          good.insert(uniqueName.length > 255 || uniqueName === '' ? key : { ...key, uniqueName })
        },
        find: (id) => {
          const key = at(good.find(id))
          return key && known(id, key)
        },
      }
    },
  },
  {
    mistake: 'records are kept up to 64 KiB',
    found: ['longest-record'],
    change: (good) => ({
      insert: (key) => {
        if (JSON.stringify(key).length > 65_535) throw new Error('Data too long for column')
        good.insert(key)
      },
    }),
  },
  {
    mistake: 'an allowlist is kept up to 256 blocks',
    found: ['longest-record'],
    change: (good) => ({
      insert: ({ allowedIps, ...key }) =>
        good.insert({ ...key, ...(allowedIps && { allowedIps: allowedIps.slice(0, 256) }) }),
    }),
  },
  {
    mistake: 'large records are not replaced',
    found: ['longest-record'],
    change: (good) => ({
      replace: (key, version) => JSON.stringify(key).length < 65_536 && good.replace(key, version),
    }),
  },
  {
    mistake: 'the actor of a note is cut off',
    found: ['longest-notes'],
    change: (good) => ({
      note: (notes, keep) =>
        good.note(
          notes.map(({ actor, ...note }) => ({ ...note, ...(actor !== undefined && { actor: short(actor) }) })),
          keep,
        ),
    }),
  },
  {
    mistake: 'notes are found by the first 255 characters of an owner',
    found: ['longest-notes'],
    change: (good) => ({
      note: (notes, keep) =>
        good.note(
          notes.map((note) => ({ ...note, owner: short(note.owner) })),
          keep,
        ),
      notes: (query) => good.notes({ ...query, owner: short(query.owner) }),
    }),
  },
]
