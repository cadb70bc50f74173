import type { StoredKey } from '../model/key.ts'
import { type Bench, type Draft, next, randomText, same } from './check-bench.ts'

export const LIST_CHECKS: readonly Draft[] = [
  {
    id: 'list-order',
    name: 'list() goes by createdAt, then id, descending',
    hold: async (bench) => {
      const keys = await addSome(bench, [3, 1, 2, 2, 2, 10, 9])
      const items = await bench.listed({ owner: bench.owner })
      same(ids(items), ids(newestFirst(keys)), 'order by created_at desc, id desc: ids byte by byte, times as numbers')
    },
  },
  {
    id: 'list-items',
    name: 'list() answers keys as find() does',
    hold: async (bench) => {
      const key = await bench.added({ name: 'n', metadata: { a: [1] }, expiresAt: 1 })
      same(await bench.listed({ owner: bench.owner }), [key], 'answer whole keys')
    },
  },
  {
    id: 'list-pages',
    name: 'list() shows every key once over pages of any size, also when many are equally old',
    hold: async (bench) => {
      const keys = await addSome(bench, [5, 5, 5, 5, 5, 5, 5, 4, 4, 6])
      for (const limit of [1, 2, 3, 9, 10, 11]) {
        const seen = await bench.listed({ owner: bench.owner, limit })
        same(ids(seen), ids(newestFirst(keys)), `let a cursor hold both createdAt and id (pages of ${limit})`)
      }
    },
  },
  {
    id: 'list-no-owner',
    name: 'list() without an owner shows the keys of all owners, page by page',
    hold: async (bench) => {
      const keys = await addSome(bench, [1, 2, 2, 2, 3], (at) => ({ owner: `${bench.owner}-${at % 2}` }))
      const seen = await bench.listed({ limit: 2 })
      same(ids(seen), ids(newestFirst(keys)), 'list every owner when none is given')
    },
  },
  {
    id: 'list-while-changing',
    name: 'list() shows a key that is there all the while exactly once, whatever comes and goes between pages',
    hold: async (bench) => {
      const { store, owner, prefix } = bench
      const keys = newestFirst(await addSome(bench, [7, 6, 5, 5, 5, 4, 3]))
      const first = await store.list({ prefixes: [prefix], owner, limit: 3 })
      // The very key on which the cursor stands goes away, an older one changes, newer ones come.
      const gone = keys[2] as StoredKey
      await store.remove(gone.id)
      const changed = keys[5] as StoredKey
      await store.replace(next(changed), changed.version)
      await addSome(bench, [8, 9])
      const rest = first.cursor === undefined ? [] : await bench.listed({ owner, limit: 3, cursor: first.cursor })
      const stayed = ids(keys).filter((id) => id !== gone.id)
      const seen = ids([...first.items, ...rest]).filter((id) => stayed.includes(id))
      same(seen, stayed, 'continue after a place in the order, not after a number of rows')
    },
  },
  {
    id: 'list-filters',
    name: 'list() shows only what matches owner, resource, status and prefix, all of them',
    hold: async (bench) => {
      const { added, listed, prefix, owner } = bench
      const other = `${prefix}x_`
      const kept = await added({ resource: 'r', status: 'disabled' })
      await added({ resource: 'r' })
      await added({ status: 'disabled' })
      await added({ resource: 'r', status: 'disabled', owner: `${owner}x` })
      const sibling = await added({ resource: 'r', status: 'disabled', prefix: other })
      const query = { owner, resource: 'r', status: 'disabled', limit: 1 } as const
      same(ids(await listed({ ...query, prefixes: [prefix] })), [kept.id], 'apply every condition of the query')
      const both = ids(await listed({ ...query, prefixes: [prefix, other] })).sort()
      same(both, [kept.id, sibling.id].sort(), 'list the keys of every prefix that is given')
      for (const one of [{ resource: 'r' }, { status: 'disabled' }] as const)
        same((await listed(one)).length, 3, 'apply every condition of the query')
      same(await listed({ ...query, prefixes: [`${prefix}none_`] }), [], 'list no other prefix than those given')
    },
  },
  {
    id: 'list-prefixes-order',
    name: 'list() goes newest first through all prefixes together',
    hold: async (bench) => {
      const prefixes = [0, 1].map((at) => `${bench.prefix}${at}_`)
      const keys = await addSome(bench, [1, 2, 3, 4], (at) => ({ prefix: `${bench.prefix}${at % 2}_` }))
      for (const query of [{ owner: bench.owner }, {}]) {
        const seen = await bench.listed({ ...query, prefixes, limit: 3 })
        same(ids(seen), ids(newestFirst(keys)), 'do not go prefix by prefix')
      }
    },
  },
  {
    id: 'list-status-now',
    name: 'list() knows a key by the status that it has now',
    hold: async ({ store, added, listed, owner }) => {
      const key = await added()
      await store.replace(next(key, { status: 'disabled' }), key.version)
      const seen = [ids(await listed({ owner, status: 'active' })), ids(await listed({ owner, status: 'disabled' }))]
      same(seen, [[], [key.id]], 'write the status for list together with the record')
    },
  },
  {
    id: 'list-page-size',
    name: 'list() never answers more than limit',
    hold: async (bench) => {
      await addSome(bench, [1, 2, 3])
      const { store, owner, prefix } = bench
      const { items, cursor } = await store.list({ prefixes: [prefix], owner, limit: 2 })
      same(items.length <= 2, true, 'answer at most `limit` keys')
      same(cursor !== undefined, true, 'answer a cursor as long as there are more')
    },
  },
]

async function addSome(
  { added }: Bench,
  times: readonly number[],
  changes: (at: number) => Partial<StoredKey> = () => ({}),
): Promise<StoredKey[]> {
  const start = Date.now()
  const keys: StoredKey[] = []
  for (const [at, time] of times.entries()) {
    keys.push(await added({ id: randomText(), createdAt: start + time, ...changes(at) }))
  }
  return keys
}

function newestFirst(keys: readonly StoredKey[]): readonly StoredKey[] {
  return [...keys].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
}

function ids(keys: readonly StoredKey[]): string[] {
  return keys.map((key) => key.id)
}
