import { statusOf } from '../key/record.ts'
import { nextVersion } from '../key/version.ts'
import { KeywardError } from '../model/errors.ts'
import type { KeyRecord, PreviousSecret, StoredKey } from '../model/key.ts'
import type { UpdateBy } from './arguments.ts'
import { untilAtRest } from './at-rest.ts'
import { composeText } from './compose.ts'
import type { Created } from './create.ts'
import { intact } from './found.ts'
import { refuseUngrantedSecret } from './grants.ts'
import { expect, type Office, recordAfter, write } from './office.ts'

type Rotation = UpdateBy & { readonly overlap: number }

/**
 * Gives a key a new secret under the same id. Of several rotations at once one wins; changes of other kinds that come
 * in between are kept.
 */
export async function rotate(office: Office, id: string, options: unknown): Promise<Created> {
  const by = office.input.rotate(options)
  return office.race(id, (isLost, won) =>
    office.inTurn(id, async () => {
      const first = await intact(office, id, by)
      expect(office, first, by, office.now())
      if (isLost()) throw rotatedByAnother()
      return begin(office, first, by, won)
    }),
  )
}

async function begin(office: Office, first: StoredKey, by: Rotation, won: () => void): Promise<Created> {
  const { text, hash } = await composeText(office, first.prefix, first.id)
  try {
    return { ...text, record: await exchange(office, first, hash, by, won) }
  } catch (error) {
    // Written or not, which a time-out leaves unknown: nobody has the text.
    remember(office.unseen, hash)
    throw error
  }
}

function rotatedByAnother(): KeywardError {
  return new KeywardError('CONFLICT', 'the key was rotated by another')
}

/** @param won a rotation of the key was made, this one or another process's: those that waited for it have lost */
function exchange(office: Office, first: StoredKey, hash: string, by: Rotation, won: () => void): Promise<KeyRecord> {
  let again = false
  return untilAtRest(async () => {
    const before = again ? await intact(office, first.id, by) : first
    again = true
    const now = office.now()
    expect(office, before, by, now)
    if (before.rotations !== first.rotations) {
      won()
      throw rotatedByAnother()
    }
    refuseInactive(before, now)
    refuseUngrantedSecret(before.scopes, by)
    const replaced = office.unseen.has(before.hash) ? liveBefore(before, now) : { hash: before.hash, since: now }
    const until = now + by.overlap
    const version = nextVersion(before.version, office.random)
    const after = { ...rotated(before, hash, replaced && { ...replaced, until }, now), version }
    if (!(await write(office, 'rotated', by, before, after))) return undefined
    won()
    return recordAfter(office, after)
  })
}

/** As many secrets are remembered that were written, maybe, and told to nobody. */
const MOST_UNSEEN = 1_000

function remember(unseen: Set<string>, hash: string): void {
  if (unseen.size >= MOST_UNSEEN) unseen.delete(unseen.values().next().value as string)
  unseen.add(hash)
}

/** Where nobody has the current secret, clients still use the one before: called again, a rotation is to replace that. */
function liveBefore({ previous }: StoredKey, now: number): PreviousSecret | undefined {
  return previous !== undefined && now < previous.until ? previous : undefined
}

function refuseInactive(stored: StoredKey, now: number): void {
  const status = statusOf(stored, now)
  if (status !== 'active') throw new KeywardError('STATE', `the key is ${status}; only an active one can be rotated`)
}

/** The secret before the one that is replaced stops working: never more than two are live. */
function rotated(stored: StoredKey, hash: string, replaced: PreviousSecret | undefined, now: number): StoredKey {
  const { previous: _, ...kept } = stored
  // A record shows a rotation by nothing but its time: no two have the same.
  const updatedAt = Math.max(now, stored.updatedAt + 1)
  const next = { hash, updatedAt, rotations: (stored.rotations ?? 0) + 1 }
  return { ...kept, ...next, ...(replaced !== undefined && now < replaced.until ? { previous: replaced } : {}) }
}
