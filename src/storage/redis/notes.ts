import { KeywardError } from '../../model/errors.ts'
import type { KeyStore, Note, NotesKept, NotesPage, NotesQuery } from '../../model/store.ts'
import { chunks } from '../chunks.ts'
import { cursorAfter, type Place, readCursor } from '../cursor.ts'
import { isAskedNote, placeOfNote } from '../notes.ts'
import type { Run } from './connection.ts'
import { memberOf, type Names } from './keys.ts'
import { PAGE, script } from './scripts.ts'

/** Notes that one call to `notes` looks at, at most: where few of them are asked for, the page is short. */
const MOST_LOOKED_AT = 1_000
/** Notes that are read, or written, at once. */
const CHUNK = 100

/**
 * Notes of an owner; the place before which all are too old, the most that are kept, how long the last of them lasts
 * (ms), then the notes. A note that is there already is the same member.
 */
const NOTE = script(`
for at = 4, #ARGV do redis.call('ZADD', KEYS[1], 0, ARGV[at]) end
redis.call('ZREMRANGEBYLEX', KEYS[1], '-', '(' .. ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[2]) - 1)
-- One that comes late takes no other along.
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), redis.call('PTTL', KEYS[1])))
return 1`)

/** One sorted set for each owner: a member is the place of a note and the note, and members go byte by byte. */
export function notesOver(run: Run, names: Names): Required<Pick<KeyStore, 'note' | 'notes'>> {
  const shelfOf = (owner: string) => `${names.ofOwner(owner).entries}:notes`
  return {
    async note(notes, keep) {
      for (const owner of new Set(notes.map((one) => one.owner))) {
        const its = notes.filter((one) => one.owner === owner)
        for (const some of chunks(its, CHUNK)) await run(NOTE, [shelfOf(owner)], argsOf(some, keep))
      }
    },
    notes: (query) => list(run, shelfOf(query.owner), query),
  }
}

function argsOf(notes: readonly Note[], { most, since }: NotesKept): readonly string[] {
  const newest = Math.max(...notes.map(({ at }) => at))
  const lasting = Math.max(1_000, Math.ceil(newest - since))
  return [memberOf({ createdAt: since, id: '' }), String(most), String(lasting), ...notes.map(written)]
}

async function list(run: Run, shelf: string, query: NotesQuery): Promise<NotesPage> {
  const items: Note[] = []
  let before: Place | undefined = readCursor(query.cursor)
  for (let looked = 0; looked < MOST_LOOKED_AT; looked += CHUNK) {
    const from = before === undefined ? '' : memberOf(before)
    const members = (await run(PAGE, [shelf], [from, String(CHUNK)])) as readonly unknown[]
    const found = members.map(read)
    for (const note of found.filter((one) => isAskedNote(one, query))) {
      const last = items.at(-1)
      if (items.length === query.limit && last !== undefined) return { items, cursor: cursorAfter(placeOfNote(last)) }
      items.push(note)
    }
    const last = found.at(-1)
    if (found.length < CHUNK || last === undefined || last.at < query.since) return { items }
    before = placeOfNote(last)
  }
  return before === undefined ? { items } : { items, cursor: cursorAfter(before) }
}

/** What stands between the place and the note: no id has it, and it comes before all that they have. */
const END = '\u0002'

function written(note: Note): string {
  return `${memberOf(placeOfNote(note))}${END}${JSON.stringify(note)}`
}

function read(member: unknown): Note {
  const text = String(member)
  try {
    return JSON.parse(text.slice(text.indexOf(END) + 1)) as Note
  } catch {
    throw new KeywardError('STORE', 'a note is damaged')
  }
}
