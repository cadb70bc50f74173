import { hasCode, isOutcomeUnknown } from '../model/errors.ts'
import { iso } from '../model/iso.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import { own } from '../model/own.ts'
import { present } from '../model/present.ts'
import type { Filter, ListQuery } from '../model/store.ts'
import { soundKey } from '../policy/soundness.ts'
import type { RevokeAllOptions, UpdateBy } from './arguments.ts'
import { lookUp, notFound } from './found.ts'
import { refused } from './input.ts'
import { tellDamage } from './list.ts'
import { announced, authorOf, change, eventOf, type Office } from './office.ts'

/** Ends a key for good. A second call changes nothing. */
export async function revoke(office: Office, id: string, options: unknown): Promise<KeyRecord> {
  const by = office.input.revoke(options)
  return change(office, 'revoked', id, by, (stored, now) => revoked(stored, now, by.reason))
}

function revoked(stored: StoredKey, now: number, reason: string | undefined): StoredKey {
  if (stored.status === 'revoked') return stored
  return { ...stored, status: 'revoked', revokedAt: now, ...present({ revokedReason: reason }) }
}

/** Ends every key of an owner or a resource. */
export async function revokeAll(office: Office, options: unknown): Promise<number> {
  const by = office.input.revokeAll(options)
  if (by.owner === undefined && by.resource === undefined) {
    throw refused([
      { path: '', message: 'must name an owner or a resource: an empty condition would revoke every key' },
    ])
  }
  const { owner, resource } = by
  const filter = { prefixes: office.prefixes.all, ...present({ owner, resource }) }
  const ended: Ended = { count: 0 }
  try {
    await revokeMatching(office, filter, by, ended)
  } catch (error) {
    if (isOutcomeUnknown(error)) ended.outcome = 'unknown'
    throw error
  } finally {
    // Also where it broke off: those that were ended stay so, and nobody hears of them later.
    if ((ended.count > 0 || ended.outcome !== undefined) && office.events.wants('revoked')) {
      const { prefixes: _, ...named } = filter
      office.events.tell({ type: 'revoked', at: iso(office.now()), ...ended, ...named, ...authorOf(by) })
    }
  }
  return ended.count
}

/** How far it came. */
interface Ended {
  count: number
  outcome?: 'unknown'
}

async function revokeMatching(
  office: Office,
  filter: Filter,
  { reason }: RevokeAllOptions,
  ended: Ended,
): Promise<void> {
  try {
    if (office.store.revokeWhere === undefined) await revokeEach(office, filter, reason, ended)
    else ended.count = await office.store.revokeWhere(filter, office.now(), reason)
  } finally {
    // Also of those that somebody else revoked before.
    office.onChange('*')
  }
}

/** One by one. Keys of the same moment may come and go meanwhile: those that are gone need no revoking. */
async function revokeEach(office: Office, filter: Filter, reason: string | undefined, ended: Ended): Promise<void> {
  const quietly = silent(office)
  for (const status of ['active', 'disabled'] as const) {
    for await (const id of idsOf(office, { ...filter, status, limit: 100 })) {
      try {
        if (await revokeOne(quietly, id, reason)) ended.count++
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND')) throw error
      }
    }
  }
}

/** Changes by which nobody hears of anything. */
function silent(office: Office): Office {
  return { ...office, events: { wants: () => false, asker: () => () => false, tell: () => {} } }
}

/** @returns whether it was this call that ended the key */
async function revokeOne(office: Office, id: string, reason: string | undefined): Promise<boolean> {
  let ended = false
  await change(office, 'revoked', id, own({}), (stored, now) => {
    ended = stored.status !== 'revoked'
    return revoked(stored, now, reason)
  })
  return ended
}

async function* idsOf(office: Office, query: ListQuery): AsyncGenerator<string> {
  let cursor: string | undefined
  do {
    const page = own(await office.store.list(cursor === undefined ? query : { ...query, cursor }))
    for (const stored of page.items) {
      const sound = soundKey(stored.id, stored)
      if ('key' in sound) yield stored.id
      // It admits nobody, and must not keep the others from being revoked.
      else tellDamage(office, stored.id, sound.damage)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** Forgets a key and frees its name. */
export async function remove(office: Office, id: string, by: unknown): Promise<void> {
  const conditions = office.input.updater(by)
  const stored = await lookUp(office, id, conditions)
  if (stored === undefined) throw notFound(office, id)
  const ended = conditions.when === undefined ? undefined : await endFirst(office, id, conditions)
  const event = eventOf(office, 'removed', conditions, ended?.before ?? stored, undefined)
  const isGone = (found: StoredKey | undefined) => found === undefined
  try {
    if (!(await announced(office, event, { isMade: isGone }, async () => office.store.remove(id))))
      throw notFound(office, id)
  } catch (error) {
    const revoked = ended && eventOf(office, 'revoked', conditions, ended.before, ended.after)
    if (revoked !== undefined) office.events.tell(revoked)
    throw error
  } finally {
    office.onChange(id)
  }
}

interface EndedFirst {
  readonly before: StoredKey
  readonly after: StoredKey
}

/**
 * Stores remove whatever is there. Where it must be what the caller saw, it is revoked first, at that version: from then
 * on nobody else can make anything of it.
 * @returns `undefined` where it was revoked before
 */
async function endFirst(office: Office, id: string, by: UpdateBy): Promise<EndedFirst | undefined> {
  const ended: { last?: EndedFirst } = {}
  await change(silent(office), 'revoked', id, by, (before, now) => {
    const after = revoked(before, now, undefined)
    if (after !== before) ended.last = { before, after }
    return after
  })
  return ended.last
}
