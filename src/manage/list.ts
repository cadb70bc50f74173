import { statusOf } from '../key/record.ts'
import { iso } from '../model/iso.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import { own } from '../model/own.ts'
import { present } from '../model/present.ts'
import type { ListQuery } from '../model/store.ts'
import { warnOnce } from '../model/warn.ts'
import { soundKey } from '../policy/soundness.ts'
import type { ListOptions } from './arguments.ts'
import { seek } from './found.ts'
import { type Office, recordFor } from './office.ts'

/** Some of the keys, the newest first. */
export interface Page<Scope extends string = string> {
  readonly items: readonly KeyRecord<Scope>[]
  /** For the next page; `undefined` on the last. */
  readonly cursor?: string | undefined
}

const USUAL = 50
/** A page that finds nothing for so many reads of the store is given short, with a cursor to go on from. */
const MOST_READS = 20

export async function get(office: Office, id: string, by: unknown): Promise<KeyRecord | undefined> {
  const found = await seek(office, id, office.input.by(by))
  return found === undefined ? undefined : recordFor(office, found.key)
}

export async function list(office: Office, options: unknown): Promise<Page> {
  const asked = office.input.list(options)
  const { limit = USUAL } = asked
  const items: KeyRecord[] = []
  let { cursor } = asked
  for (let reads = 0; reads < MOST_READS; reads++) {
    const page = own(await office.store.list(queryFor(office, asked, limit - items.length, cursor)))
    for (const id of page.damaged ?? []) tellDamage(office, id, 'is damaged')
    const found = page.items.filter((stored) => isAsked(office, stored, asked))
    // Together: each may have a balance to be asked for.
    items.push(...(await Promise.all(found.map((stored) => recordFor(office, stored)))))
    cursor = page.cursor
    if (cursor === undefined || items.length >= limit) break
  }
  // Its own member, also where it is `undefined`: nothing on `Object.prototype` is a page to go on with.
  return { items, cursor }
}

function queryFor(
  office: Office,
  { owner, resource, status }: ListOptions,
  limit: number,
  cursor: string | undefined,
): ListQuery {
  return {
    prefixes: office.prefixes.all,
    limit,
    // What has expired is stored as active.
    ...present({ owner, resource, status: status === 'expired' ? 'active' : status, cursor }),
  }
}

/** What a store does not look at is looked at here. A damaged record cannot be shown, and must not hide those that can. */
function isAsked(office: Office, stored: StoredKey, { status, name }: ListOptions): boolean {
  const sound = soundKey(stored.id, stored)
  if ('damage' in sound) tellDamage(office, stored.id, sound.damage)
  if ('damage' in sound || (name !== undefined && stored.name !== name)) return false
  return status === undefined || statusOf(stored, office.now()) === status
}

/** Whoever looks for the key that makes trouble finds its id here; without a listener, one warning tells of the first. */
export function tellDamage({ events, now }: Office, id: string, damage: string): void {
  const message = `the record of ${id} ${damage}`
  warnOnce('KEYWARD_DAMAGED_RECORD', `${message}: lists leave it out. Mend it in the store, or remove it there.`)
  if (events.wants('fault')) events.tell({ type: 'fault', at: iso(now()), id, code: 'record', message })
}
