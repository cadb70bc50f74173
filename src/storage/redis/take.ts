import { randomBytes } from 'node:crypto'
import { flawedAt, type KeywardError } from '../../model/errors.ts'
import { own } from '../../model/own.ts'
import type { CreditAccount, CreditMove, CreditSpend, Moved, Spend, SpendWindow, Taken } from '../../model/store.ts'
import { keyOfAccount } from '../accounts.ts'
import { escapeText } from '../escaping.ts'
import { checkWhole } from '../spends.ts'
import type { Run } from './connection.ts'
import { type Names, tagOfAccount } from './keys.ts'
import { MOVE, TAKE_PAID } from './scripts-spending.ts'
import { TakeAnswers } from './take-answers.ts'
import { costsOf, wantedOf } from './take-args.ts'
import type { RunTake } from './together.ts'

/** How long what a take holds on a balance in another slot waits for its windows, ms. */
const HELD_FOR = 30_000

export interface Till {
  readonly run: Run
  /** A take without credits. */
  readonly runTake: RunTake
  readonly names: Names
  /** Whether a script can reach a balance that is not the key's own. */
  readonly oneSlot: boolean
}

/**
 * @param now by the caller's clock: what it holds ends as long after the server's
 * @throws KeywardError `INPUT` for a cost that is none
 */
export function take(till: Till, id: string, version: number, spend: Spend, now: number): Promise<Taken> {
  const { windows, credits: given } = spend
  const costs = costsOf(windows, spend.cost)
  if (given === undefined) return takeAt(till, id, version, windows, costs, undefined)
  const credits = toPaid(given, now)
  checkWhole('credits.amount', credits.amount)
  const isNear = till.oneSlot || tagOfAccount(credits.account) === id
  return (isNear ? takeAt : takeApart)(till, id, version, windows, costs, credits)
}

export async function move(till: Till, credit: CreditMove, now: number): Promise<Moved> {
  const { settle, release } = credit
  if (credit.add !== undefined) return give(till, credit, now)
  if (settle !== undefined) return moved(till, credit, 'settle', settle.amount, settle.id, settle.until - now)
  const { balance } = await moved(till, credit, release === undefined ? '' : 'release', 0, release)
  return { balance }
}

async function give(till: Till, credit: Extract<CreditMove, { readonly add: number }>, now: number): Promise<Moved> {
  const { add, once } = credit
  if (!Number.isSafeInteger(add)) throw tooMuch()
  const { balance, charged } = await moved(till, credit, 'add', add, once?.id, once && once.until - now)
  if (balance < 0) throw tooMuch()
  return once === undefined ? { balance } : { balance, added: charged }
}

/** What is taken from a balance, and for how long, ms, what is held of it. */
interface Paid extends CreditAccount {
  readonly amount: number
  readonly hold: { readonly id: string; readonly ms: number } | undefined
}

function toPaid(credits: CreditSpend, now: number): Paid {
  const { hold } = credits
  return own({ ...credits, hold: hold && { id: hold.id, ms: hold.until - now } })
}

/** One command: everything or nothing. */
function takeAt(
  { run, runTake, names }: Till,
  id: string,
  version: number,
  windows: readonly SpendWindow[],
  costs: string,
  credits: Paid | undefined,
): Promise<Taken> {
  const asked = {
    record: names.record(id),
    counters: names.windows(id),
    version: String(version),
    windows: wantedOf(windows),
    costs,
  }
  if (credits === undefined) return runTake(asked, (answers) => answers.next(id, windows))
  const { amount, hold } = credits
  const tag = tagOfAccount(credits.account)
  const held = hold ? [escapeText(hold.id), String(hold.ms)] : []
  return run(
    TAKE_PAID,
    [asked.record, asked.counters, names.purse(tag), names.ends(tag)],
    [asked.version, asked.windows, costs, ...accountArgs(credits), String(amount), ...held],
  ).then((reply) => new TakeAnswers(reply).paid(id, windows))
}

/**
 * The balance lies in another slot of a Cluster: the amount is held there first, then the windows are taken, and what
 * was held is charged, or released when they refuse. If this process dies on the way, the hold ends by itself.
 */
async function takeApart(
  till: Till,
  id: string,
  version: number,
  windows: readonly SpendWindow[],
  costs: string,
  credits: Paid,
): Promise<Taken> {
  const { amount, hold = { id: randomBytes(12).toString('base64url'), ms: HELD_FOR } } = credits
  const isSpent = credits.hold === undefined
  const release = async (): Promise<number> => (await moved(till, credits, 'release', 0, hold.id)).balance
  const abandon = (error: unknown): never => {
    release().catch(() => {})
    throw error
  }
  const held = await holdFirst(till, credits, hold).catch(abandon)
  if (!held.ok) {
    const looked = await takeAt(till, id, version, windows, '0', undefined)
    return looked.ok === undefined ? looked : { ...looked, ok: false, balance: held.balance }
  }
  const taken = await takeAt(till, id, version, windows, costs, undefined).catch(abandon)
  if (taken.ok === undefined) {
    if (amount > 0 || !isSpent) await release()
    return taken
  }
  if (!taken.ok) return { ...taken, balance: amount > 0 || !isSpent ? await release() : held.balance }
  if (!isSpent || amount === 0) return { ...taken, balance: held.balance }
  const { balance } = await moved(till, credits, 'settle', amount, hold.id, HELD_FOR)
  return { ...taken, balance }
}

async function holdFirst(
  till: Till,
  credits: Paid,
  hold: NonNullable<Paid['hold']>,
): Promise<{ readonly ok: boolean; readonly balance: number }> {
  const { amount } = credits
  if (amount === 0 && credits.hold === undefined) return { ok: true, ...(await moved(till, credits)) }
  const { balance, charged } = await moved(till, credits, 'hold', amount, hold.id, hold.ms)
  return { ok: charged !== 0, balance }
}

/** What MOVE does: with an id for as long, ms. */
async function moved(
  { run, names }: Till,
  credit: CreditAccount,
  deed = '',
  amount = 0,
  ...once: readonly (string | number | undefined)[]
): Promise<{ readonly balance: number; readonly charged: number }> {
  const tag = tagOfAccount(credit.account)
  const given = once.flatMap((one) => (one === undefined ? [] : escapeText(String(one))))
  const args = [...accountArgs(credit), deed, String(amount), ...given]
  const key = keyOfAccount(credit.account)
  const record = key === undefined ? [] : [names.record(key)]
  const answer = await run(MOVE, [names.purse(tag), names.ends(tag), ...record], args)
  const [balance = Number.NaN, charged = Number.NaN] = (answer as readonly unknown[]).map(Number)
  return { balance, charged }
}

/** As `creditAt` of the scripts reads it. */
function accountArgs({ account, opening, refill }: CreditAccount): readonly string[] {
  const refilled = refill === undefined ? ['', ''] : [String(refill.to), String(refill.due)]
  return [escapeText(account), String(opening.amount), String(opening.at), ...refilled]
}

function tooMuch(): KeywardError {
  return flawedAt('INPUT', 'amount', `must not lift the balance above ${Number.MAX_SAFE_INTEGER}`)
}
