import type { Prefixes } from '../key/prefix.ts'
import { toRecord } from '../key/record.ts'
import { nextVersion } from '../key/version.ts'
import type { Awaitable } from '../model/awaitable.ts'
import { flawedAt, hasCode, isOutcomeUnknown, KeywardError } from '../model/errors.ts'
import type { Announcer, ChangeEvent, ChangeType } from '../model/event.ts'
import type { Hasher } from '../model/hasher.ts'
import { iso } from '../model/iso.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import { present } from '../model/present.ts'
import { show } from '../model/redact.ts'
import type { KeyStore } from '../model/store.ts'
import { struckRecord } from '../model/struck.ts'
import { accountOf, type CreditMode } from '../policy/credits.ts'
import { effectiveWindows, type LimitPlan } from '../policy/limits.ts'
import { soundKey } from '../policy/soundness.ts'
import type { By, UpdateBy } from './arguments.ts'
import { MOST_TRIES_TO_END, untilAtRest } from './at-rest.ts'
import { damaged, found } from './found.ts'
import type { InTurn } from './in-turn.ts'
import type { Input } from './input.ts'
import type { Race } from './race.ts'
import { made, type Trace, type Unclear } from './unclear.ts'

/** What the management verbs share. */
export interface Office {
  readonly store: KeyStore
  /** The store's, or where it has none, this process's own. */
  readonly take: NonNullable<KeyStore['take']>
  readonly input: Input
  readonly hasher: Hasher
  readonly prefixes: Prefixes
  readonly pair: boolean
  readonly plan: LimitPlan
  readonly uniqueNames: boolean
  readonly credits: CreditMode
  readonly random: (size: number) => Uint8Array
  readonly generateId: () => Awaitable<string>
  readonly now: () => number
  /** The steady clock, by which windows and holds are counted. */
  readonly steady: () => number
  readonly events: Announcer
  /** A change is durable: what this process remembers of the key is to be forgotten. */
  readonly onChange: (id: string | '*') => void
  /** The hashes of secrets that rotations of this process may have written, and told nobody: their outcome is unknown. */
  readonly unseen: Set<string>
  /** Edits of one key in this process, one after the other. */
  readonly inTurn: InTurn
  /** Rotations of one key, of which one wins. */
  readonly race: Race
  /** Changes that may have been made, and are told when they are seen. */
  readonly unclear: Unclear
}

export function nameTaken(): KeywardError {
  return flawedAt('CONFLICT', 'name', 'is taken by another key of this owner')
}

/**
 * Changes a key: reads it, lets `edit` say what it becomes, and writes that if nobody else has changed it meanwhile;
 * else begins again. `edit` gives the same object to change nothing.
 */
export function change(
  office: Office,
  type: ChangeType,
  id: string,
  by: UpdateBy,
  edit: (stored: StoredKey, now: number) => StoredKey,
): Promise<KeyRecord> {
  const attempt = async () => {
    const { key: before, flaw } = await found(office, id, by)
    const now = office.now()
    expect(office, before, by, now)
    const edited = edit(before, now)
    // What is damaged is not written back as nothing; but what stops a key goes first.
    const isStopped = type === 'revoked' || type === 'disabled'
    if (flaw !== undefined && edited.scopes === before.scopes && !isStopped) throw damaged(id, flaw)
    if (edited === before) {
      // Nothing to write; but that it is so already may be somebody else's change, which this process has not heard of.
      office.onChange(id)
      return recordFor(office, before)
    }
    const after = { ...edited, version: nextVersion(before.version, office.random), updatedAt: now }
    return (await write(office, type, by, before, after)) ? recordAfter(office, after) : undefined
  }
  // What stops a key waits for nobody.
  if (type === 'revoked') return untilAtRest(attempt, MOST_TRIES_TO_END)
  return type === 'disabled' ? untilAtRest(attempt) : office.inTurn(id, () => untilAtRest(attempt))
}

/**
 * @throws KeywardError `CONFLICT` where the key, as it is about to be changed, is not what the caller wants to change;
 * `INPUT` where they do not say whether it is
 */
export function expect(office: Office, stored: StoredKey, { when }: UpdateBy, now: number): void {
  if (when === undefined) return
  const word: unknown = when(shownAt(office, stored, now))
  if (word === true) return
  if (word === false) throw new KeywardError('CONFLICT', 'the key is not as it was expected to be')
  // Nobody else hears of its failure.
  if (word instanceof Promise) word.catch(() => {})
  throw flawedAt('INPUT', 'when', `must answer true or false, not ${show(word)}`)
}

/** One conditional write, and the event of it; this process obeys it from here on, even when its outcome is unknown. */
export async function write(
  office: Office,
  type: ChangeType,
  by: By,
  before: StoredKey,
  after: StoredKey,
): Promise<boolean> {
  try {
    const event = eventOf(office, type, by, before, after)
    const isWritten = await announced(office, event, made(before, after), async () =>
      office.store.replace(after, before.version),
    )
    if (isWritten) office.unclear.overtake(after.id, before.version)
    return isWritten
  } catch (error) {
    throw hasCode(error, 'CONFLICT') ? nameTaken() : error
  } finally {
    office.onChange(after.id)
  }
}

/**
 * Tells of a change once it is made; where the store does not say whether it was, as soon as that is seen.
 * @param event `undefined` where nobody listens
 */
export async function announced(
  { events, unclear }: Office,
  event: ChangeEvent | undefined,
  trace: Trace,
  change: () => Promise<boolean>,
): Promise<boolean> {
  try {
    const isDone = await change()
    if (isDone && event !== undefined) events.tell(event)
    return isDone
  } catch (error) {
    if (event !== undefined && isOutcomeUnknown(error)) unclear.add({ ...trace, event })
    throw error
  }
}

/** The key as it is shown, with what is free of its balance now. */
export async function recordFor(office: Office, stored: StoredKey): Promise<KeyRecord> {
  const balance = stored.credits === undefined ? undefined : await balanceOf(office, stored)
  return shownAt(office, stored, office.now(), balance)
}

/**
 * The same after a change that was made: a balance that cannot be read makes it no less made, and what was made may be
 * told but once. It is shown as it was opened then.
 */
export async function recordAfter(office: Office, stored: StoredKey): Promise<KeyRecord> {
  try {
    return await recordFor(office, stored)
  } catch {
    return shownAt(office, stored, office.now())
  }
}

function shownAt(office: Office, stored: StoredKey, now: number, balance?: number): KeyRecord {
  return toRecord(stored, effectiveWindows(stored.limits, office.plan), now, balance)
}

/** What is free of the balance that the key is charged to, `undefined` where there is none. */
export async function balanceOf(office: Office, stored: StoredKey): Promise<number | undefined> {
  const account = accountOf(office.credits, stored, office.now())
  if (account === undefined || office.store.move === undefined) return undefined
  return (await office.store.move(account, office.steady())).balance
}

/** Records in events are those of the change itself: their balances are not asked for. `undefined` where nobody listens. */
export function eventOf(
  office: Office,
  type: ChangeType,
  by: By,
  before: StoredKey | undefined,
  after: StoredKey | undefined,
): ChangeEvent | undefined {
  const stored = after ?? before
  if (stored === undefined || !office.events.wants(type)) return undefined
  return {
    type,
    at: iso(office.now()),
    id: stored.id,
    owner: stored.owner,
    ...authorOf(by),
    ...shown(office, 'before', before),
    ...shown(office, 'after', after),
  }
}

/** Who did it, and from where, as far as that was said. */
export function authorOf({ actor, address }: By): { readonly actor?: string; readonly address?: string } {
  return present({ actor, address })
}

/** No secret, wherever somebody wrote one. A damaged record, which can only be removed, cannot be shown. */
function shown(
  office: Office,
  when: 'before' | 'after',
  stored: StoredKey | undefined,
): { before?: KeyRecord; after?: KeyRecord } {
  if (stored === undefined || 'damage' in soundKey(stored.id, stored)) return {}
  return { [when]: struckRecord(shownAt(office, stored, office.now())) }
}

/** The name by which a store keeps an owner's names apart; text that cannot be put together in two ways. */
export function uniqueNameOf(office: Office, owner: string, name: string | undefined): { uniqueName?: string } {
  if (!office.uniqueNames || name === undefined) return {}
  return { uniqueName: JSON.stringify([office.prefixes.oldest, owner, name]) }
}
