import { statusOf } from '../key/record.ts'
import { KeywardError } from '../model/errors.ts'
import type { PreviousSecret, StoredKey } from '../model/key.ts'
import { composeText } from './compose.ts'
import type { Created } from './create.ts'
import { announce, existing, expect, type Office, recordFor, replace } from './office.ts'

/**
 * Gives a key a new secret under the same id. Of several rotations at once one wins; changes of other kinds that come
 * in between are kept.
 */
export async function rotate(office: Office, id: string, options: unknown): Promise<Created> {
  const by = office.input.rotate(options)
  const { overlap } = by
  const first = await existing(office, id, by)
  const { text, hash } = await composeText(office, first.prefix, id)
  for (let before = first; ; before = await existing(office, id, by)) {
    const now = office.now()
    expect(office, before, by, now)
    if (before.rotations !== first.rotations) throw new KeywardError('CONFLICT', 'the key was rotated by another')
    refuseInactive(before, now)
    const after = rotated(before, hash, overlap, now)
    if (await replace(office, after, before.version)) {
      announce(office, 'rotated', by, before, after)
      return { ...text, record: await recordFor(office, after) }
    }
  }
}

function refuseInactive(stored: StoredKey, now: number): void {
  const status = statusOf(stored, now)
  if (status !== 'active') throw new KeywardError('STATE', `the key is ${status}; only an active one can be rotated`)
}

/** The secret before the one that is replaced stops working: never more than two are live. */
function rotated(stored: StoredKey, hash: string, overlap: number, now: number): StoredKey {
  const { previous: _, ...kept } = stored
  const previous: PreviousSecret = { hash: stored.hash, since: now, until: now + overlap }
  // A record shows a rotation by nothing but its time: no two have the same.
  const updatedAt = Math.max(now, stored.updatedAt + 1)
  const next = { hash, version: stored.version + 1, updatedAt, rotations: (stored.rotations ?? 0) + 1 }
  return { ...kept, ...next, ...(overlap > 0 ? { previous } : {}) }
}
