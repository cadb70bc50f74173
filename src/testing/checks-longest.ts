import { type Bench, type Draft, next, same, throws } from './check-bench.ts'
import { LONGEST, longest, longestKey } from './longest-key.ts'

const AT = 1_900_000_000_000
const WHOLE = 'keep every character of a text: a column that cuts one off makes two customers one'

/** What is as long or as large as it may be. */
export const LONGEST_CHECKS: readonly Draft[] = [
  {
    id: 'longest-record',
    name: 'a key whose every field is as large as it may be is kept as it is',
    hold: async ({ store, newKey, listed }) => {
      const key = longestKey(newKey())
      await store.insert(key)
      same(await store.find(key.id), key, 'hold records of 100 kB')
      const second = next(key, { metadata: { text: 'y'.repeat(16_000) } })
      same(await store.replace(second, key.version), true, 'replace records of 100 kB')
      same(await store.find(key.id), second, 'replace records of 100 kB')
      same(await listed({ prefixes: [key.prefix], owner: key.owner }), [second], WHOLE)
    },
  },
  {
    id: 'longest-owners',
    name: 'owners and resources of 256 characters that differ in the last one are different',
    hold: async (bench) => {
      for (const field of ['owner', 'resource'] as const) {
        const [one, two] = await twins(bench, field)
        same(await bench.listed({ [field]: one[field] }), [one], WHOLE)
        same(await bench.listed({ [field]: two[field] }), [two], WHOLE)
      }
    },
  },
  {
    id: 'longest-prefixes',
    name: 'prefixes of 32 characters that differ in the last one are different',
    hold: async ({ added, listed, prefix: begin }) => {
      const prefixes = ['1', '2'].map((last) => begin.padEnd(LONGEST.prefix - 1, 'x') + last)
      for (const prefix of prefixes) await added({ prefix })
      for (const prefix of prefixes) {
        same(
          (await listed({ prefixes: [prefix] })).map((key) => key.prefix),
          [prefix],
          WHOLE,
        )
      }
    },
  },
  {
    id: 'longest-names',
    name: 'unique names of the longest owners and names that differ in the last character are different',
    hold: async ({ store, added, newKey, owner, prefix }) => {
      const whole = prefix.padEnd(LONGEST.prefix, '_')
      const nameWith = (last: string) =>
        JSON.stringify([whole, longest(LONGEST.owner, 'x', owner), longest(LONGEST.name, last)])
      for (const last of ['1', '2']) {
        const key = await added({ uniqueName: nameWith(last) })
        same(await store.find(key.id), key, WHOLE)
      }
      const third = newKey({ uniqueName: nameWith('2') })
      await throws('CONFLICT', () => store.insert(third), 'know a name that is taken, however long it is')
    },
  },
  {
    id: 'longest-revoke',
    name: 'revokeWhere() tells owners and resources of 256 characters apart, and keeps a reason of 500',
    needs: 'revokeWhere',
    hold: async (bench) => {
      const { store, prefix, added } = bench
      const reason = longest(LONGEST.reason, '.')
      for (const field of ['owner', 'resource'] as const) {
        const [one, two] = await twins(bench, field)
        const another = await added({ [field]: 'another' })
        await store.revokeWhere({ prefixes: [prefix], [field]: one[field] }, AT, reason)
        same((await store.find(one.id))?.revokedReason, reason, WHOLE)
        // Whether it tells owners apart at all is another promise.
        same((await store.find(two.id))?.status, (await store.find(another.id))?.status, WHOLE)
      }
    },
  },
  {
    id: 'longest-notes',
    name: 'notes of the longest owners, actors and resources are told apart, with 64 KiB of data each',
    needs: 'note',
    hold: async ({ store, owner: begin }) => {
      const [one, two] = ['1', '2'].map((last) => {
        const owner = longest(LONGEST.owner, last, begin)
        const actor = longest(LONGEST.owner, last)
        const resource = longest(LONGEST.resource, last)
        return { id: 'n'.repeat(64), at: 1_000, owner, actor, resource, data: 'x'.repeat(65_536) }
      }) as [Note, Note]
      await store.note([one, two], { most: 9, since: 0 })
      for (const note of [one, two]) {
        const { owner, actor, resource } = note
        const query = { owner, since: 0, limit: 9 }
        same((await store.notes({ ...query, actor, resource })).items, [note], WHOLE)
        const other = note === one ? two : one
        same((await store.notes({ ...query, actor: other.actor })).items, [], WHOLE)
        same((await store.notes({ ...query, resource: other.resource })).items, [], WHOLE)
      }
    },
  },
]

interface Note {
  readonly id: string
  readonly at: number
  readonly owner: string
  readonly actor: string
  readonly resource: string
  readonly data: string
}

/** Two keys that differ in the last character of one field. */
async function twins({ added, owner }: Bench, field: 'owner' | 'resource') {
  const [one, two] = ['1', '2'].map((last) => longest(LONGEST[field], last, owner))
  return [await added({ [field]: one }), await added({ [field]: two })] as const
}
