import { ID_LENGTH, type KeyText } from '../key/format.ts'
import { firstVersion } from '../key/version.ts'
import { hasCode, KeywardError } from '../model/errors.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import { own } from '../model/own.ts'
import { present } from '../model/present.ts'
import type { By } from './arguments.ts'
import { composeText } from './compose.ts'
import { refuseUngranted } from './grants.ts'
import { type Draft, refused } from './input.ts'
import { announced, eventOf, nameTaken, type Office, recordAfter, uniqueNameOf } from './office.ts'
import { madeBefore, type Once, onceFor } from './once.ts'

/** A key that was just made or rotated. Its text is returned this once: the store has only a hash. */
export interface Created<Scope extends string = string> {
  /** The whole text of the key; of a pair, its public half. */
  readonly key: string
  /** The secret half, where keys come in pairs (`pair: true`). */
  readonly secret?: string
  /** The key without its secret, as `get` returns it. */
  readonly record: KeyRecord<Scope>
}

/** How often a taken id is asked for again. */
const MORE_TRIES = 3

export async function create(office: Office, input: unknown, by: unknown): Promise<Created> {
  const author = office.input.creator(by)
  const draft = office.input.create(input, office.now())
  refuseForeign(draft, author)
  refuseUngranted(draft.scopes ?? [], author)
  refuseCredits(office, draft.credits)
  const once = onceFor(office, draft, author.idempotencyKey)
  for (let tries = 0; tries <= MORE_TRIES; tries++) {
    const { text, stored } = await compose(office, draft, once)
    const event = eventOf(office, 'created', author, undefined, stored)
    const isMade = (found: StoredKey | undefined) => found?.hash === stored.hash
    if (await announced(office, event, { isMade }, () => insert(office, stored)))
      return { ...text, record: await recordAfter(office, stored) }
  }
  throw new KeywardError('CONFLICT', 'no free id was found: generateId gives taken ones')
}

/** Conditions bind a new key as they bind those that exist. */
function refuseForeign(draft: Draft, { owner, resource }: By): void {
  if (owner !== undefined && draft.owner !== owner)
    throw refused([{ path: 'owner', message: 'must be the owner of the condition' }])
  if (resource !== undefined && draft.resource !== resource) {
    throw refused([{ path: 'resource', message: 'must be the resource of the condition' }])
  }
}

/** @throws KeywardError `CONFIG` where the store keeps no balances, `INPUT` where owners have them */
export function refuseCredits({ store, credits: mode }: Office, credits: Draft['credits'] | null): void {
  if (credits === undefined || credits === null) return
  if (mode === 'owner') throw refused([{ path: 'credits', message: 'must be left out: balances are kept per owner' }])
  if (store.take === undefined || store.move === undefined) {
    throw new KeywardError('CONFIG', 'credits need a store with take() and move()')
  }
}

/** @returns false when the id is taken, by another key than the one that this creation is to make once */
async function insert(office: Office, stored: StoredKey): Promise<boolean> {
  try {
    await office.store.insert(stored)
    return true
  } catch (error) {
    if (!hasCode(error, 'CONFLICT')) throw error
    const found = await findTaken(office, stored)
    office.unclear.see(stored.id, found)
    if (found === undefined) throw nameTaken()
    if (stored.origin !== undefined) throw madeBefore(found, stored)
    return false
  }
}

/** How long the record of a name that is taken may be on its way, ms, from look to look. */
const PAUSES = [10, 20, 40, 80]

/**
 * Who has the id. Stores may give away the name before the record is written: it may be that of this very creation, in
 * another process, which is not to be told as somebody else's.
 */
async function findTaken(office: Office, { id, origin, uniqueName }: StoredKey): Promise<StoredKey | undefined> {
  for (const pause of origin === undefined || uniqueName === undefined ? [] : PAUSES) {
    const found = await office.store.find(id)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
  return office.store.find(id)
}

async function compose(
  office: Office,
  draft: Draft,
  once: Once | undefined,
): Promise<{ text: KeyText; stored: StoredKey }> {
  const prefix = office.prefixes.makes.get(draft.environment ?? '') as string
  const id = once?.id ?? (await freshId(office))
  const { text, hash } = await composeText(office, prefix, id)
  const now = office.now()
  const stored: StoredKey = {
    id,
    version: firstVersion(office.random),
    prefix,
    status: 'active',
    hash,
    createdAt: now,
    updatedAt: now,
    ...present({ ...draft, credits: undefined }),
    ...openedCredits(draft.credits, now),
    owner: draft.owner,
    scopes: draft.scopes ?? [],
    ...present({ origin: once?.origin }),
    ...uniqueNameOf(office, draft.owner, draft.name),
  }
  return { text, stored }
}

/** A balance that begins now. */
export function openedCredits(credits: Draft['credits'], now: number): Pick<StoredKey, 'credits'> {
  if (credits === undefined) return {}
  const { remaining, refill } = own(credits)
  const balance = { remaining, opened: now }
  return { credits: own(refill === undefined ? balance : { ...balance, refill: own(refill) }) }
}

/** @throws KeywardError `CONFIG` when the host's function gives anything but an id */
async function freshId(office: Office): Promise<string> {
  const id: unknown = await office.generateId()
  if (typeof id === 'string' && id.length === ID_LENGTH && /^[0-9A-Za-z]+$/.test(id)) return id
  throw new KeywardError('CONFIG', `generateId must give ${ID_LENGTH} base62 characters`)
}
