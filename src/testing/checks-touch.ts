import { type Draft, next, randomText, same } from './check-bench.ts'

const STRAY = 'touch only keys that are there: update, never insert'

/** Use marks lie beside the record. */
export const TOUCH_CHECKS: readonly Draft[] = [
  {
    id: 'touch-shows',
    name: 'touch() adds uses and the last use to what find() and list() answer, under the same version',
    hold: async ({ store, added, listed, owner }) => {
      const key = await added()
      await store.touch([{ id: key.id, at: 5_000, uses: 3 }])
      const touched = { ...key, lastUsedAt: 5_000, uses: 3 }
      same(await store.find(key.id), touched, 'join the use marks into what find answers, and change nothing else')
      same(await listed({ owner }), [touched], 'join the use marks into what list answers')
      same(await store.replace(next(key), key.version), true, 'leave the version alone when a key is used')
    },
  },
  {
    id: 'touch-forward',
    name: 'touch() moves the last use forward, never back, and still counts late marks',
    hold: async ({ store, added }) => {
      const key = await added()
      await store.touch([{ id: key.id, at: 9_000, uses: 1 }])
      await store.touch([{ id: key.id, at: 4_000, uses: 2 }])
      const expected = { ...key, lastUsedAt: 9_000, uses: 3 }
      same(await store.find(key.id), expected, 'keep the greater of both times, and add up the uses')
    },
  },
  {
    id: 'touch-many',
    name: 'touch() takes many marks at once, also several of one key and those of keys that are gone',
    hold: async ({ store, added }) => {
      const [one, two] = [await added(), await added()]
      const marks = [
        { id: one.id, at: 2_000, uses: 1 },
        { id: randomText(), at: 3_000, uses: 1 },
        { id: two.id, at: 4_000, uses: 5 },
        { id: one.id, at: 1_000, uses: 2 },
      ]
      await store.touch(marks)
      await store.touch([])
      same(await store.find(one.id), { ...one, lastUsedAt: 2_000, uses: 3 }, 'apply every mark of a batch')
      same(
        await store.find(two.id),
        { ...two, lastUsedAt: 4_000, uses: 5 },
        'go on after the mark of a key that is gone',
      )
    },
  },
  {
    id: 'touch-race',
    name: 'touch() loses no use when many come at once',
    hold: async ({ store, added }) => {
      const key = await added()
      const touches = Array.from({ length: 20 }, async (_, at) =>
        store.touch([{ id: key.id, at: 1_000 + at, uses: 1 }]),
      )
      await Promise.all(touches)
      const expected = { ...key, lastUsedAt: 1_019, uses: 20 }
      same(await store.find(key.id), expected, 'add in the store (uses = uses + n), not in the program')
    },
  },
  {
    id: 'touch-gone',
    name: 'touch() does not bring back a key that is gone, and leaves no mark for one that comes later',
    hold: async ({ store, added, newKey, listed, owner }) => {
      const { id } = await added()
      await store.touch([{ id, at: 1_000, uses: 1 }])
      await store.remove(id)
      await store.touch([{ id, at: 2_000, uses: 1 }])
      same(await store.find(id), undefined, STRAY)
      same(await listed({ owner }), [], STRAY)
      const again = newKey({ id })
      await store.insert(again)
      same(await store.find(id), again, 'remove the use marks together with the key')
    },
  },
  {
    id: 'touch-race-remove',
    name: 'touch() does not bring back a key that is removed meanwhile',
    hold: async ({ store, added }) => {
      for (let again = 0; again < 8; again++) {
        const { id } = await added()
        await Promise.all([store.touch([{ id, at: 1_000, uses: 1 }]), store.remove(id)])
        same(await store.find(id), undefined, STRAY)
      }
    },
  },
  {
    id: 'touch-replace',
    name: 'replace() leaves the use marks as they are, whatever the new key says',
    hold: async ({ store, added }) => {
      const key = await added()
      await store.touch([{ id: key.id, at: 5_000, uses: 3 }])
      const read = next(key, { name: 'changed', lastUsedAt: 1_000, uses: 1 })
      await store.touch([{ id: key.id, at: 6_000, uses: 4 }])
      await store.replace(read, key.version)
      const expected = { ...read, lastUsedAt: 6_000, uses: 7 }
      same(await store.find(key.id), expected, 'never write lastUsedAt and uses with the record')
    },
  },
]
