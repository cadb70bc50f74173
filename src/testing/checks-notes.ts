import type { Note, NotesQuery } from '../model/store.ts'
import { type Bench, type Draft, randomText, same } from './check-bench.ts'

const ALL = { most: 1_000, since: 0 }

/** What was done to keys, kept in the order in which it was done. */
export const NOTE_CHECKS: readonly Draft[] = [
  {
    id: 'note-shows',
    name: 'notes() answers what note() was given, the newest first, to their owner alone',
    hold: async (bench) => {
      const full = noteFor(bench, 2_000, {
        key: 'k',
        prefix: 'p_',
        resource: 'r',
        actor: 'a',
        data: '{"ü":"\\u0000 \u0001"}',
      })
      const bare = noteFor(bench, 1_000)
      const foreign = noteFor(bench, 1_500, { owner: `${bench.owner} ` })
      await bench.store.note([bare, foreign, full], ALL)
      same(await listed(bench), [full, bare], 'keep every field byte for byte, and no field that was absent')
      same(await listed(bench, { owner: foreign.owner }), [foreign], 'compare owners byte for byte')
      same(
        await bench.store.notes({ owner: '', prefixes: [randomText()], key: randomText(), since: 0, limit: 5 }),
        { items: [] },
        "take '' for an owner like any other",
      )
    },
  },
  {
    id: 'note-once',
    name: 'note() keeps the same note once, however often it is given',
    hold: async (bench) => {
      const [one, two] = [noteFor(bench, 1_000), noteFor(bench, 1_000)]
      await bench.store.note([one], ALL)
      await bench.store.note([one, two, one], ALL)
      same((await listed(bench)).length, 2, 'know a note by its owner, time and id')
    },
  },
  {
    id: 'note-order',
    name: 'notes() goes by time, then by id, whatever order they came in',
    hold: async (bench) => {
      const notes = ['b', 'a', 'C', '0', 'c'].map((id) => noteFor(bench, 1_000, { id }))
      await bench.store.note([noteFor(bench, 2_000), ...notes, noteFor(bench, 999)], ALL)
      const ids = (await listed(bench)).slice(1, -1).map(({ id }) => id)
      same(ids, ['c', 'b', 'a', 'C', '0'], 'order by at, then by the bytes of the id, both descending')
    },
  },
  {
    id: 'note-pages',
    name: 'notes() shows each note on exactly one page, also while others come',
    hold: async (bench) => {
      const notes = Array.from({ length: 7 }, (_, i) => noteFor(bench, 1_000 + (i >> 1), { id: `${i}` }))
      await bench.store.note(notes, ALL)
      const first = await bench.store.notes({ owner: bench.owner, since: 0, limit: 3 })
      await bench.store.note([noteFor(bench, 9_000)], ALL)
      const rest = await listed(bench, { limit: 3, ...(first.cursor !== undefined && { cursor: first.cursor }) })
      same([...first.items, ...rest], notes.reverse(), 'begin a page right after the last note of the page before')
    },
  },
  {
    id: 'note-filters',
    name: 'notes() looks at key, resource, actor, prefixes and age, all of them',
    hold: async (bench) => {
      const one = noteFor(bench, 1_000, { key: 'k1', prefix: 'a_', resource: 'r1', actor: 'x' })
      const two = noteFor(bench, 2_000, { key: 'k2', prefix: 'b_', resource: 'r2', actor: 'X' })
      const none = noteFor(bench, 3_000)
      await bench.store.note([one, two, none], ALL)
      same(await listed(bench, { key: 'k1' }), [one], 'look at the key')
      same(await listed(bench, { resource: 'r2' }), [two], 'look at the resource')
      same(await listed(bench, { actor: 'x' }), [one], 'compare actors byte for byte')
      same(
        await listed(bench, { prefixes: ['b_'] }),
        [none, two],
        'leave out other prefixes, and show notes without one',
      )
      same(
        await listed(bench, { prefixes: [] }),
        [none],
        'show notes without a prefix alone where there are no prefixes',
      )
      same(await listed(bench, { since: 2_000 }), [none, two], 'leave out what is older than since')
      same(await listed(bench, { key: 'k1', actor: 'X' }), [], 'apply every condition of the query')
      const injected = `x' OR '1'='1`
      same(await listed(bench, { actor: injected }), [], 'give values as parameters, never as part of a statement')
    },
  },
  {
    id: 'note-most',
    name: 'note() keeps the newest of an owner, and of others what they had',
    hold: async (bench) => {
      const other = noteFor(bench, 500, { owner: `other-${randomText()}` })
      await bench.store.note([other], ALL)
      const notes = Array.from({ length: 6 }, (_, i) => noteFor(bench, 1_000 + i))
      await bench.store.note(notes.slice(0, 4), { most: 3, since: 0 })
      await bench.store.note(notes.slice(4), { most: 3, since: 0 })
      same(
        (await listed(bench)).map(({ at }) => at),
        [1_005, 1_004, 1_003],
        'forget all but the newest `most` of each owner',
      )
      same(await listed(bench, { owner: other.owner }), [other], 'count the notes of each owner for itself')
    },
  },
  {
    id: 'note-since',
    name: 'note() forgets what is too old of the owners that it is given notes of',
    hold: async (bench) => {
      // Older than the notes of every other check, which may run beside this one: a store may forget the old ones of all.
      const [old, exact, young] = [9, 10, 20].map((at) => noteFor(bench, at))
      await bench.store.note([old, exact] as readonly Note[], ALL)
      await bench.store.note([young] as readonly Note[], { most: 1_000, since: 10 })
      same(await listed(bench), [young, exact], 'forget what is older than since, and nothing else')
    },
  },
  {
    id: 'note-outlives',
    name: 'notes stay when their key is removed, and touch no key',
    hold: async (bench) => {
      const key = await bench.added()
      const one = noteFor(bench, 1_000, { key: key.id })
      await bench.store.note([one], ALL)
      same(await bench.store.find(key.id), key, 'keep notes beside the records, never in them')
      await bench.store.remove(key.id)
      same(await listed(bench), [one], 'leave the notes of a key that is removed')
    },
  },
  {
    id: 'note-race',
    name: 'note() loses none when many come at once',
    hold: async (bench) => {
      const notes = Array.from({ length: 20 }, (_, i) => noteFor(bench, 1_000 + i))
      await Promise.all(notes.map(async (one) => bench.store.note([one], { most: 20, since: 0 })))
      same((await listed(bench)).length, 20, 'add each note by itself, and forget only what is too many')
    },
  },
]

function noteFor({ owner }: Bench, at: number, changes: Partial<Note> = {}): Note {
  return { id: randomText(), at, owner, data: '{}', ...changes }
}

async function listed({ store, owner }: Bench, query: Partial<NotesQuery> = {}): Promise<readonly Note[]> {
  const found: Note[] = []
  let asked: NotesQuery = { owner, since: 0, limit: 50, ...query }
  for (let pages = 0; pages < 20; pages++) {
    const { items, cursor } = await store.notes(asked)
    found.push(...items)
    if (cursor === undefined) return found
    asked = { ...asked, cursor }
  }
  throw new Error('end a list of notes: there was still a cursor after 20 pages')
}
