import type { StoredKey } from '../model/key.ts'
import { type Draft, next, randomText, same, throws, winners } from './check-bench.ts'

/** `uniqueName`: no two stored keys share one. */
export const NAME_CHECKS: readonly Draft[] = [
  {
    id: 'name-taken-insert',
    name: 'insert() refuses a unique name that is taken with CONFLICT, and leaves nothing behind',
    hold: async ({ store, added, newKey }) => {
      const uniqueName = randomText()
      await added({ uniqueName })
      const second = newKey({ uniqueName })
      await throws('CONFLICT', () => store.insert(second), 'refuse a second key of the same uniqueName')
      same(await store.find(second.id), undefined, 'write nothing when the uniqueName is taken')
      await store.insert({ ...second, uniqueName: randomText() })
    },
  },
  {
    id: 'name-race',
    name: 'of many inserts of one unique name at once exactly one succeeds',
    hold: async ({ store, newKey }) => {
      const uniqueName = randomText()
      const won = await winners(16, async () => {
        await store.insert(newKey({ uniqueName }))
        return true
      })
      same(won, 1, 'let a unique index decide, not a look before the insert')
    },
  },
  {
    id: 'name-taken-replace',
    name: "replace() refuses another key's unique name with CONFLICT, and changes nothing",
    hold: async ({ store, added }) => {
      const uniqueName = randomText()
      await added({ uniqueName })
      const key = await added({ uniqueName: randomText() })
      const renamed = next(key, { uniqueName })
      await throws(
        'CONFLICT',
        () => store.replace(renamed, key.version),
        'refuse to rename to a uniqueName that is taken',
      )
      same(await store.find(key.id), key, 'leave the key as it was')
    },
  },
  {
    id: 'name-race-replace',
    name: 'of many replacements that take one unique name at once exactly one succeeds',
    hold: async ({ store, added }) => {
      const uniqueName = randomText()
      const keys = [await added(), await added(), await added(), await added()]
      const renamed = keys.map((key) => next(key, { uniqueName }))
      const won = await winners(4, (at) => store.replace(renamed[at] as StoredKey, keys[at]?.version ?? 0))
      same(won, 1, 'let a unique index on uniqueName decide')
    },
  },
  {
    id: 'name-kept',
    name: 'a key keeps its own unique name through a replacement, also when it is revoked',
    hold: async ({ store, added, newKey }) => {
      const uniqueName = randomText()
      const key = await added({ uniqueName })
      const revoked = next(key, { status: 'revoked', revokedAt: key.createdAt })
      same(await store.replace(revoked, key.version), true, 'do not hold its own uniqueName against a key')
      const second = newKey({ uniqueName })
      await throws('CONFLICT', () => store.insert(second), 'keep the uniqueName of a revoked key taken')
    },
  },
  {
    id: 'name-given-up',
    name: 'a unique name that a replacement gives up is free',
    hold: async ({ store, added }) => {
      const uniqueName = randomText()
      const key = await added({ uniqueName })
      await store.replace(next(key, { uniqueName: randomText() }), key.version)
      await added({ uniqueName })
    },
  },
  {
    id: 'name-stale-replace',
    name: 'a replacement that comes too late neither takes nor frees a unique name',
    hold: async ({ store, added, newKey }) => {
      const [own, wanted] = [randomText(), randomText()]
      const key = await added({ uniqueName: own })
      same(await store.replace(next(key, { uniqueName: wanted }), key.version + 1), false, 'prove the version first')
      await added({ uniqueName: wanted })
      const second = newKey({ uniqueName: own })
      await throws('CONFLICT', () => store.insert(second), 'free a name only together with the write that gives it up')
    },
  },
  {
    id: 'name-removed',
    name: 'remove() frees the unique name',
    hold: async ({ store, added }) => {
      const uniqueName = randomText()
      const key = await added({ uniqueName })
      await store.remove(key.id)
      await added({ uniqueName })
    },
  },
  {
    id: 'name-removed-renamed',
    name: 'remove() frees the unique name that the key has now, and no earlier one',
    hold: async ({ store, added, newKey }) => {
      const [first, second] = [randomText(), randomText()]
      const key = await added({ uniqueName: first })
      await store.replace(next(key, { uniqueName: second }), key.version)
      await added({ uniqueName: first })
      await store.remove(key.id)
      await throws('CONFLICT', () => store.insert(newKey({ uniqueName: first })), 'free no name of another key')
      await added({ uniqueName: second })
    },
  },
]
