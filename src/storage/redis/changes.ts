import { KeywardError } from '../../model/errors.ts'
import type { StoredKey } from '../../model/key.ts'
import type { UseMark } from '../../model/store.ts'
import { chunks } from '../chunks.ts'
import { escapeText } from '../escaping.ts'
import type { Run } from './connection.ts'
import { type Index, memberOf, type Names } from './keys.ts'
import { claimName, freeName, RECORD_WITHIN } from './names.ts'
import { type Meta, toLines, toMeta, toVersionAndMeta } from './records.ts'
import { FIND, INSERT, REMOVE, REPLACE, SHELVE, TOUCH, UNSHELVE } from './scripts.ts'

/** Marks of one command: others wait for a script, so that it must not be long. */
const MARKS_TOGETHER = 100
/** Commands of one mark that are on their way at once. */
const MARKS_APART = 200
const LATE = 2

type Placed = Pick<StoredKey, 'id' | 'owner' | 'prefix' | 'createdAt'>

/** Name first, index second, record third: whatever breaks off between them, no key is without its name or its place. */
export async function insert(run: Run, names: Names, key: StoredKey): Promise<void> {
  const { id, uniqueName } = key
  toLines(key, undefined)
  const claim = uniqueName === undefined ? undefined : await claimName(run, names, uniqueName, id)
  const outcome = await write()
  if (outcome === 1) return
  if (uniqueName !== undefined && claim !== undefined) await freeName(run, names, uniqueName, claim.token)
  // The entry is the right one where the same id has the same place; else the list will find that it has no record.
  throw outcome === LATE ? late() : new KeywardError('CONFLICT', 'the id is taken')

  async function write(): Promise<number> {
    const at = await shelve(run, names, key)
    const lines = toLines(key, claim?.token)
    const until = Math.min(claim?.at ?? at, at) + RECORD_WITHIN
    const args = [escapeText(id), ...lines, String(until), names.channel]
    return Number(await run(INSERT, [names.record(id), names.windows(id)], args))
  }
}

export async function replace(run: Run, names: Names, key: StoredKey, ifVersion: number): Promise<boolean> {
  const { id, uniqueName } = key
  const found = toVersionAndMeta(id, await run(FIND, [names.record(id)]))
  if (found === undefined || found.version !== ifVersion) return false
  const before = { id, ...found.meta }
  toLines(key, undefined)
  const keepsName = uniqueName === before.uniqueName && before.token !== undefined
  const claim = uniqueName === undefined || keepsName ? undefined : await claimName(run, names, uniqueName, id)
  const isMoved = !samePlace(before, key)
  const at = isMoved ? await shelve(run, names, key) : undefined
  const times = [claim?.at, at].filter((time) => time !== undefined)
  const until = Math.min(...times, Number.MAX_SAFE_INTEGER - RECORD_WITHIN) + RECORD_WITHIN
  const lines = toLines(key, keepsName ? before.token : claim?.token)
  const closes = before.opened === undefined || before.opened === key.credits?.opened ? '' : `${id}:${before.opened}`
  const args = [escapeText(id), String(ifVersion), ...lines, String(until), names.channel, escapeText(closes)]
  const outcome = Number(await run(REPLACE, [names.record(id), names.windows(id), names.purse(id)], args))
  if (outcome !== 1) {
    if (uniqueName !== undefined && claim !== undefined) await freeName(run, names, uniqueName, claim.token)
    if (outcome === LATE) throw late()
    return false
  }
  if (!keepsName) await freeNameOf(run, names, before)
  if (isMoved) await unshelve(run, names, before, key)
  return true
}

export async function remove(run: Run, names: Names, id: string): Promise<boolean> {
  const keys = [names.record(id), names.windows(id), names.purse(id), names.ends(id)]
  const answer = await run(REMOVE, keys, [escapeText(id), names.channel])
  if (answer === null || answer === undefined) return false
  // The key is gone. What is left of it is void, also where this does not get through.
  const before = readable(id, String(answer))
  if (before === undefined) return true
  await Promise.all([unshelve(run, names, { id, ...before }), freeNameOf(run, names, before)])
  return true
}

/** @param oneSlot whether one command may be of several keys */
export async function touch(run: Run, names: Names, oneSlot: boolean, marks: readonly UseMark[]): Promise<void> {
  const write = (some: readonly UseMark[]): Promise<unknown> =>
    run(
      TOUCH,
      some.map(({ id }) => names.record(id)),
      some.flatMap(({ at, uses }) => [String(at), String(uses)]),
    )
  // One command after the other, so that verifications go in between.
  if (oneSlot) for (const some of chunks(marks, MARKS_TOGETHER)) await write(some)
  else for (const some of chunks(marks, MARKS_APART)) await Promise.all(some.map((mark) => write([mark])))
}

/** Puts a key on the shelves of its owner and of its prefix; the earlier of both times. */
async function shelve(run: Run, names: Names, key: Placed): Promise<number> {
  const at = shelvesOf(names, key).map(({ entries, suspects }) => run(SHELVE, [entries, suspects], [memberOf(key)]))
  return Math.min(...(await Promise.all(at)).map(Number))
}

/** Takes a key off its shelves, but for those on which it stands now. */
async function unshelve(run: Run, names: Names, before: Placed, now?: Placed): Promise<void> {
  const kept = now === undefined ? [] : shelvesOf(names, now).map(({ entries }) => entries + memberOf(now))
  const left = shelvesOf(names, before).filter(({ entries }) => !kept.includes(entries + memberOf(before)))
  const all = left.map(({ entries, suspects }) => run(UNSHELVE, [entries, suspects], [memberOf(before)]))
  await Promise.allSettled(all)
}

function shelvesOf(names: Names, { owner, prefix }: Placed): readonly Index[] {
  return [names.ofOwner(owner), names.ofPrefix(prefix)]
}

function samePlace(a: Placed, b: Placed): boolean {
  return a.owner === b.owner && a.prefix === b.prefix && memberOf(a) === memberOf(b)
}

async function freeNameOf(run: Run, names: Names, { uniqueName, token }: Meta): Promise<void> {
  if (uniqueName !== undefined && token !== undefined) await freeName(run, names, uniqueName, token)
}

/** A damaged record can be removed, too. */
function readable(id: string, meta: string): Meta | undefined {
  try {
    return toMeta(id, meta)
  } catch {
    return undefined
  }
}

function late(): KeywardError {
  return new KeywardError('STORE', `Redis took longer than ${RECORD_WITHIN} ms between a name and its record`)
}
