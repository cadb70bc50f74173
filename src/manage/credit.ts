import { createHash } from 'node:crypto'
import { flawedAt, isOutcomeUnknown, KeywardError } from '../model/errors.ts'
import type { CreditEvent } from '../model/event.ts'
import { iso } from '../model/iso.ts'
import { own } from '../model/own.ts'
import type { CreditAccount } from '../model/store.ts'
import { accountOf, ownerAccount } from '../policy/credits.ts'
import type { By } from './arguments.ts'
import { existing } from './found.ts'
import { refused } from './input.ts'
import { authorOf, type Office } from './office.ts'

/** Whose balance: a key's, or, where `credits` is `'owner'`, an owner's. */
export type Whom = { readonly id: string; readonly owner?: never } | { readonly owner: string; readonly id?: never }

/** How long it is remembered that credit was given under an idempotency key, ms. */
const REMEMBERED = 30 * 24 * 3_600_000

/** Gives credit, and answers the balance. What was given before is told again: whoever lost the answer has lost its event. */
export async function credit(office: Office, whom: unknown, amount: unknown, by: unknown): Promise<number> {
  const add = office.input.amount(amount)
  const { idempotencyKey, ...rest } = office.input.crediting(by)
  const author = own(rest)
  const { account, whose } = await find(office, whom, author)
  const now = office.steady()
  const once = idempotencyKey === undefined ? {} : { once: { id: markOf(idempotencyKey), until: now + REMEMBERED } }
  const tell = (told: Pick<CreditEvent, 'balance' | 'outcome'>) => {
    if (!office.events.wants('credited')) return
    const at = iso(office.now())
    office.events.tell({ type: 'credited', at, ...whose, amount: add, ...told, ...authorOf(author) })
  }
  try {
    const { balance, added = add } = await mover(office)({ ...account, add, ...once }, now)
    if (added !== add) throw usedBefore()
    tell({ balance })
    return balance
  } catch (error) {
    // Nobody could say later whose it was: a balance tells nothing of what made it.
    if (isOutcomeUnknown(error)) tell({ outcome: 'unknown' })
    throw error
  }
}

/** Letters and digits, as the ids of holds are, and nothing that gives the idempotency key back. */
function markOf(idempotencyKey: string): string {
  return `given${createHash('sha256').update(idempotencyKey).digest('hex')}`
}

function usedBefore(): KeywardError {
  return flawedAt('CONFLICT', 'idempotencyKey', 'was used for another amount')
}

/** What is free: neither spent nor held. */
export async function balance(office: Office, whom: unknown, by: unknown): Promise<number> {
  const { account } = await find(office, whom, office.input.by(by))
  return (await mover(office)(account, office.steady())).balance
}

async function find(
  office: Office,
  whom: unknown,
  by: By,
): Promise<{ account: CreditAccount; whose: { id?: string; owner: string } }> {
  const { id, owner } = office.input.account(whom)
  if ((id === undefined) === (owner === undefined))
    throw refused([{ path: '', message: 'must be { id } or { owner }' }])
  if (id === undefined) return findOwner(office, owner as string, by)
  const stored = await existing(office, id, by)
  const account = accountOf(office.credits, stored, office.now())
  if (account === undefined) throw new KeywardError('STATE', 'the key has no credits; update() gives it some')
  return { account, whose: { id, owner: stored.owner } }
}

const PER_KEY = "has no balance: give { id }, or make the instance with credits: 'owner'"

function findOwner(office: Office, owner: string, by: By): { account: CreditAccount; whose: { owner: string } } {
  if (office.credits === 'key') throw refused([{ path: 'owner', message: PER_KEY }])
  if (by.resource !== undefined) throw refused([{ path: 'resource', message: 'is no condition on an owner' }])
  if (by.owner !== undefined && by.owner !== owner) throw new KeywardError('NOT_FOUND', 'there is no such owner')
  return { account: ownerAccount(owner), whose: { owner } }
}

function mover({ store }: Office): NonNullable<Office['store']['move']> {
  if (store.move === undefined) throw new KeywardError('CONFIG', 'credits need a store with take() and move()')
  return store.move
}
