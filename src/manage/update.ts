import { KeywardError } from '../model/errors.ts'
import type { KeyRecord, PreviousSecret, StoredKey } from '../model/key.ts'
import { present } from '../model/present.ts'
import { MOST_WINDOWS } from '../policy/limits.ts'
import { openedCredits, refuseCredits } from './create.ts'
import { refuseUngranted, refuseUngrantedSecret } from './grants.ts'
import { type Patch, refused } from './input.ts'
import { change, type Office, uniqueNameOf } from './office.ts'

export async function update(office: Office, id: string, patch: unknown, by: unknown): Promise<KeyRecord> {
  const conditions = office.input.updater(by)
  const parsed = office.input.patch(patch, office.now())
  refuseCredits(office, parsed.credits)
  return change(office, 'updated', id, conditions, (stored, now) => {
    refuseRevoked(stored)
    refuseUngranted(parsed.scopes ?? [], conditions, stored.scopes)
    if (Object.values(parsed).every((value) => value === undefined)) return stored
    const changed = patched(office, stored, parsed, now)
    if (isLonger(changed.previous, stored.previous)) refuseUngrantedSecret(changed.scopes, conditions, 'replaced')
    return changed
  })
}

/** Stops a key for now; `enable` lets it go on. */
export async function disable(office: Office, id: string, by: unknown): Promise<KeyRecord> {
  return setStatus(office, 'disabled', id, by)
}

export async function enable(office: Office, id: string, by: unknown): Promise<KeyRecord> {
  return setStatus(office, 'active', id, by)
}

function setStatus(office: Office, status: 'active' | 'disabled', id: string, by: unknown): Promise<KeyRecord> {
  const type = status === 'active' ? 'enabled' : 'disabled'
  return change(office, type, id, office.input.updater(by), (stored) => {
    refuseRevoked(stored)
    return stored.status === status ? stored : { ...stored, status }
  })
}

function refuseRevoked(stored: StoredKey): void {
  if (stored.status === 'revoked') throw new KeywardError('STATE', 'the key is revoked, which is final')
}

function patched(office: Office, stored: StoredKey, patch: Patch, now: number): StoredKey {
  const { previousSecretUntil, limits, scopes, credits, ...fields } = patch
  const { uniqueName, previous: _, ...kept } = stored
  const merged = {
    ...kept,
    ...given(fields),
    ...(limits === null ? { limits } : {}),
    ...(credits === null ? { credits } : {}),
  }
  const previous = overlap(stored.previous, previousSecretUntil, now)
  return {
    ...(present(merged) as StoredKey),
    scopes: scopes === undefined ? stored.scopes : (scopes ?? []),
    ...limitsOf(stored, limits),
    ...openedCredits(credits ?? undefined, Math.max(now, (stored.credits?.opened ?? 0) + 1)),
    ...present({ previous }),
    // A name that stays is not taken anew: one from before names were unique may be there twice.
    ...(fields.name === undefined
      ? present({ uniqueName })
      : uniqueNameOf(office, stored.owner, merged.name ?? undefined)),
  }
}

/** The fields that the patch names: `null` among them, `undefined` not. */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Windows merge into the key's own, up to what a new key may have; `null` clears them all. */
function limitsOf(stored: StoredKey, limits: Patch['limits']): Pick<StoredKey, 'limits'> {
  if (limits === undefined || limits === null) return {}
  const merged = { ...stored.limits, ...limits }
  if (Object.keys(merged).length <= MOST_WINDOWS) return { limits: merged }
  const message = `must be at most ${MOST_WINDOWS} windows, with those that the key has; null clears them`
  throw refused([{ path: 'limits', message }])
}

function isLonger(after: PreviousSecret | undefined, before: PreviousSecret | undefined): boolean {
  return after !== undefined && before !== undefined && after.until > before.until
}

function overlap(
  previous: PreviousSecret | undefined,
  until: number | null | undefined,
  now: number,
): PreviousSecret | undefined {
  if (until === null) return undefined
  if (until === undefined) return previous
  if (previous !== undefined && now < previous.until) return { ...previous, until }
  throw refused([{ path: 'previousSecretUntil', message: 'must be null: no earlier secret works any more' }])
}
