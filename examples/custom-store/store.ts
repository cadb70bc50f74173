import { type KeyStore, KeywardError, type StoredKey } from 'keyward'
import type { Journal } from './journal.ts'

/** Keys in a journal: the five verbs that make a store. */
export function journalStore(journal: Journal): KeyStore {
  const find = (id: string) => structuredClone(journal.get(`key ${id}`)) as StoredKey | undefined

  return {
    find,

    insert(key) {
      if (find(key.id) !== undefined) throw new KeywardError('CONFLICT', 'the id is taken')
      proveNameFree(key)
      journal.put(`key ${key.id}`, structuredClone(key))
    },

    // Nothing comes between the look and the write, because neither waits. Where they can wait, let the database do both.
    replace(key, ifVersion) {
      if (find(key.id)?.version !== ifVersion) return false
      proveNameFree(key)
      journal.put(`key ${key.id}`, structuredClone(key))
      return true
    },

    remove(id) {
      if (find(id) === undefined) return false
      journal.put(`key ${id}`, undefined)
      return true
    },

    list({ prefixes, owner, resource, status, limit, cursor }) {
      const found = keys()
        .filter((key) => prefixes.includes(key.prefix) && key.status === (status ?? key.status))
        .filter((key) => key.owner === (owner ?? key.owner) && key.resource === (resource ?? key.resource))
        .filter((key) => cursor === undefined || placeOf(key) < cursor)
        .sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1))
      const items = structuredClone(found.slice(0, limit))
      const last = items.at(-1)
      // A place in the order, not a number of keys: what comes and goes in between moves nothing.
      return last !== undefined && found.length > limit ? { items, cursor: placeOf(last) } : { items }
    },
  }

  function keys(): StoredKey[] {
    return [...journal.all()].flatMap(([name, value]) => (name.startsWith('key ') ? [value as StoredKey] : []))
  }

  function proveNameFree({ id, uniqueName }: StoredKey): void {
    if (uniqueName === undefined) return
    const isTaken = keys().some((other) => other.uniqueName === uniqueName && other.id !== id)
    if (isTaken) throw new KeywardError('CONFLICT', 'the name is taken')
  }
}

/** Where a key stands in a list: its time, then its id. Times have equally many digits, so that text sorts as they do. */
function placeOf({ createdAt, id }: StoredKey): string {
  return `${String(createdAt).padStart(16, '0')} ${id}`
}
