import { ID_LENGTH } from '../key/format.ts'
import { KeywardError } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import { type Sound, soundKey } from '../policy/soundness.ts'
import type { By } from './arguments.ts'
import type { Office } from './office.ts'

type Whole = Extract<Sound, { readonly key: StoredKey }>

/** What the store has of a key that belongs to this instance and meets the conditions. */
export async function lookUp(office: Office, id: string, by: By): Promise<StoredKey | undefined> {
  // A secret is not to go where ids go.
  if (typeof id !== 'string' || isText(office, id)) return undefined
  const stored: StoredKey | null | undefined = await office.store.find(id)
  office.unclear.see(id, stored ?? undefined)
  if (stored === undefined || stored === null) {
    // Somebody else removed it, and this process may remember it.
    office.onChange(id)
    return undefined
  }
  if (stored.id !== id || !office.prefixes.all.includes(stored.prefix)) return undefined
  if (by.owner !== undefined && stored.owner !== by.owner) return undefined
  if (by.resource !== undefined && stored.resource !== by.resource) return undefined
  return stored
}

/** @throws KeywardError `STORE` for a record that is damaged: it can be removed, but neither shown nor changed */
export async function seek(office: Office, id: string, by: By): Promise<Whole | undefined> {
  const stored = await lookUp(office, id, by)
  if (stored === undefined) return undefined
  const sound = soundKey(id, stored)
  if ('damage' in sound) throw damaged(id, sound.damage)
  return sound
}

/** @throws KeywardError `NOT_FOUND` alike for a made-up id and for somebody else's, and as `seek` */
export async function found(office: Office, id: string, by: By): Promise<Whole> {
  const whole = await seek(office, id, by)
  if (whole === undefined) throw notFound(office, id)
  return whole
}

/** The key itself, to be looked at. @throws KeywardError as `found` */
export async function existing(office: Office, id: string, by: By): Promise<StoredKey> {
  return (await found(office, id, by)).key
}

/** The key itself, to be written again as it is. @throws KeywardError as `found`, and `STORE` where its scopes are damaged */
export async function intact(office: Office, id: string, by: By): Promise<StoredKey> {
  const { key, flaw } = await found(office, id, by)
  if (flaw !== undefined) throw damaged(id, flaw)
  return key
}

export function damaged(id: string, damage: string): KeywardError {
  return new KeywardError('STORE', `the record of ${id} ${damage}`)
}

export function notFound(office: Office, id: unknown): KeywardError {
  const isWrong = typeof id === 'string' && isText(office, id)
  const hint = isWrong ? ': what was given is the text of a key, not its id (record.id)' : ''
  return new KeywardError('NOT_FOUND', `there is no such key${hint}`)
}

/** Whether it is the whole text of a key, or a half of a pair, in place of its id. */
function isText({ prefixes }: Office, id: string): boolean {
  return prefixes.all.some((prefix) => id.startsWith(prefix) && id.length > prefix.length + ID_LENGTH)
}
