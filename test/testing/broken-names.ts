import type { StoredKey } from '../../src/model/key.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

/** Mistakes with unique names, and with keys that are removed, while others are at it. */
export const BROKEN_NAMES: readonly BrokenStore[] = [
  {
    mistake: 'replace looks at the unique name first, and writes later',
    found: ['name-race-replace'],
    change: (good) => {
      const holders = new Map<string, string>()
      return {
        ...unnamed(good, holders),
        replace: async (key, ifVersion) => {
          proveFree(holders, key)
          await null
          if (!good.replace(hidden(key), ifVersion)) return false
          if (key.uniqueName !== undefined) holders.set(key.uniqueName, key.id)
          return true
        },
      }
    },
  },
  {
    mistake: 'remove frees the unique name of the insert, not the one of now',
    found: ['name-removed-renamed'],
    change: (good) => {
      const holders = new Map<string, string>()
      const first = new Map<string, string>()
      const verbs = unnamed(good, holders)
      return {
        ...verbs,
        insert: (key) => {
          verbs.insert(key)
          if (key.uniqueName !== undefined) first.set(key.id, key.uniqueName)
        },
        replace: (key, ifVersion) => {
          proveFree(holders, key)
          const before = shown(at(good.find(key.id)))
          if (!good.replace(hidden(key), ifVersion)) return false
          if (before?.uniqueName !== undefined) holders.delete(before.uniqueName)
          if (key.uniqueName !== undefined) holders.set(key.uniqueName, key.id)
          return true
        },
        remove: (id) => {
          holders.delete(first.get(id) ?? '')
          return good.remove(id)
        },
      }
    },
  },
  {
    mistake: 'remove looks first, and removes later',
    found: ['remove-race'],
    change: (good) => ({
      remove: async (id) => {
        const isThere = good.find(id) !== undefined
        await null
        good.remove(id)
        return isThere
      },
    }),
  },
  {
    mistake: 'replace undoes a remove that comes between its look and its write',
    found: ['remove-race-replace'],
    change: (good) => ({
      replace: async (key, ifVersion) => {
        if (at(good.find(key.id))?.version !== ifVersion) return false
        await null
        if (good.find(key.id) !== undefined) return good.replace(key, ifVersion)
        good.insert(key)
        return true
      },
    }),
  },
  {
    mistake: 'touch undoes a remove that comes between its look and its write',
    found: ['touch-race-remove'],
    change: (good) => ({
      touch: async (marks) => {
        const seen = marks.map(({ id }) => at(good.find(id)))
        await null
        for (const key of seen) if (key !== undefined && good.find(key.id) === undefined) good.insert(key)
        await good.touch(marks)
      },
    }),
  },
]

/** A store that does not know of unique names, and beside it who has which. */
function unnamed(good: Verbs, holders: Map<string, string>): Pick<Verbs, 'find' | 'insert'> {
  return {
    find: (id) => shown(at(good.find(id))),
    insert: (key) => {
      proveFree(holders, key)
      good.insert(hidden(key))
      if (key.uniqueName !== undefined) holders.set(key.uniqueName, key.id)
    },
  }
}

function proveFree(holders: ReadonlyMap<string, string>, { id, uniqueName = '' }: StoredKey): void {
  const holder = holders.get(uniqueName)
  if (holder !== undefined && holder !== id) throw Object.assign(new Error('taken'), { code: 'CONFLICT' })
}

function hidden({ uniqueName, ...key }: StoredKey): StoredKey {
  return uniqueName === undefined ? key : { ...key, metadata: { uniqueName } }
}

function shown(key: StoredKey | undefined): StoredKey | undefined {
  if (key?.metadata?.uniqueName === undefined) return key
  const { metadata, ...rest } = key
  return { ...rest, uniqueName: String(metadata.uniqueName) }
}
