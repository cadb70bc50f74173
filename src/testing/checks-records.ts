import { type Draft, next, randomText, same, throws, winners } from './check-bench.ts'
import { fullKey } from './full-key.ts'

/** `find`, `insert`, `replace`, `remove` of one key. */
export const RECORD_CHECKS: readonly Draft[] = [
  {
    id: 'find-unknown',
    name: 'find() answers undefined for an id that nobody has',
    hold: async ({ store }) => {
      same(await store.find(randomText()), undefined, 'answer undefined, not null, when there is no such key')
    },
  },
  {
    id: 'insert-find',
    name: 'find() answers every field of a key as it was inserted',
    hold: async ({ store, newKey }) => {
      const key = fullKey(newKey())
      await store.insert(key)
      same(await store.find(key.id), key, 'keep every field of a key, also those that the store never asks for')
    },
  },
  {
    id: 'insert-numbers',
    name: 'numbers stay exactly what they are, up to 2^53 and down to the last digit',
    hold: async ({ store, newKey }) => {
      const most = Number.MAX_SAFE_INTEGER
      const metadata = { most, least: -most, third: 1 / 3, sum: 0.1 + 0.2, tiny: 5e-324, huge: 1.7976931348623157e308 }
      const key = newKey({ version: most - 2, createdAt: 2 ** 42 + 1, updatedAt: most - 1, expiresAt: most, metadata })
      await store.insert(key)
      same(await store.find(key.id), key, 'keep numbers as 64-bit floats do')
      const second = next(key, { updatedAt: most })
      same(await store.replace(second, key.version), true, 'compare versions up to 2^53 exactly')
      same(await store.replace(next(second), key.version), false, 'compare versions up to 2^53 exactly')
      same(await store.find(key.id), second, 'keep numbers as they are through a replacement')
    },
  },
  {
    id: 'insert-absent-fields',
    name: 'fields that a key has not got stay absent',
    hold: async ({ store, added }) => {
      const key = await added()
      same(await store.find(key.id), key, 'leave absent fields out: null is not the same')
    },
  },
  {
    id: 'insert-taken-id',
    name: 'insert() refuses an id that is taken with CONFLICT, and changes nothing',
    hold: async ({ store, added, newKey }) => {
      const key = await added()
      const intruder = newKey({ id: key.id, name: 'intruder' })
      await throws('CONFLICT', () => store.insert(intruder), 'refuse to insert over a key')
      same(await store.find(key.id), key, 'leave the key as it was')
    },
  },
  {
    id: 'insert-race',
    name: 'of many inserts of one id at once exactly one succeeds',
    hold: async ({ store, newKey }) => {
      const { id } = newKey()
      const won = await winners(16, async () => {
        await store.insert(newKey({ id }))
        return true
      })
      same(won, 1, 'let a unique index decide, not a look before the insert')
    },
  },
  {
    id: 'replace-writes',
    name: 'replace() writes the key as it is, and answers true',
    hold: async ({ store, newKey }) => {
      const key = fullKey(newKey())
      await store.insert(key)
      const { description: _, expiresAt: __, resource: ___, ...rest } = next(key, { name: 'other', scopes: [] })
      same(await store.replace(rest, key.version), true, 'answer true when the key was replaced')
      same(await store.find(key.id), rest, 'replace the whole key')
    },
  },
  {
    id: 'replace-version',
    name: 'replace() under another version answers false, and changes nothing',
    hold: async ({ store, added }) => {
      const key = await added()
      const second = next(key, { name: 'second' })
      await store.replace(second, key.version)
      const late = next(key, { name: 'late' })
      same(await store.replace(late, key.version), false, 'answer false when the version is not the current one')
      same(await store.find(key.id), second, 'compare the version and write in one atomic step')
    },
  },
  {
    id: 'replace-race',
    name: 'of many replacements of one version at once exactly one succeeds',
    hold: async ({ store, added }) => {
      const key = await added()
      const won = await winners(16, (index) => store.replace(next(key, { name: `winner ${index}` }), key.version))
      same(won, 1, 'compare the version and write in one atomic step')
    },
  },
  {
    id: 'replace-gone',
    name: 'replace() of a key that is gone answers false, and does not bring it back',
    hold: async ({ store, added }) => {
      const key = await added()
      await store.remove(key.id)
      same(await store.replace(next(key), key.version), false, 'answer false when there is no such key')
      same(await store.find(key.id), undefined, 'never let replace insert a key')
    },
  },
  {
    id: 'remove-forgets',
    name: 'remove() forgets the key: true the first time, false after that',
    hold: async ({ store, added, listed, owner }) => {
      const { id } = await added()
      same(await store.remove(id), true, 'answer true when there was a key to remove')
      same(await store.find(id), undefined, 'forget the key that was removed')
      same(await listed({ owner }), [], 'take a removed key off every list')
      same(await store.remove(id), false, 'answer false when there was no key to remove')
    },
  },
  {
    id: 'remove-race',
    name: 'of many removals of one key at once exactly one succeeds',
    hold: async ({ store, added }) => {
      const { id } = await added()
      same(await winners(8, () => store.remove(id)), 1, 'look and remove in one atomic step')
    },
  },
  {
    id: 'remove-race-replace',
    name: 'replace() does not bring back a key that is removed meanwhile',
    hold: async ({ store, added }) => {
      for (let again = 0; again < 8; again++) {
        const key = await added()
        await Promise.all([store.replace(next(key), key.version), store.remove(key.id)])
        same(await store.find(key.id), undefined, 'never let replace insert a key')
      }
    },
  },
  {
    id: 'remove-only-one',
    name: 'remove() and replace() leave every other key as it is',
    hold: async ({ store, added }) => {
      const [gone, changed, other] = [await added(), await added(), await added()]
      await store.remove(gone.id)
      await store.replace(next(changed), changed.version)
      same(await store.find(other.id), other, 'touch no other key than the one that is named')
    },
  },
]
