import { randomBytes } from 'node:crypto'
import { flawedAt, type KeywardError } from '../model/errors.ts'
import type {
  CreditAccount,
  CreditMove,
  CreditSpend,
  MeterReading,
  Moved,
  Spend,
  SpendWindow,
  Taken,
} from '../model/store.ts'
import { escapeText } from './escaping.ts'
import type { Run } from './redis-connection.ts'
import { type Names, tagOfAccount } from './redis-keys.ts'
import { toKey } from './redis-records.ts'
import { MOVE, TAKE_PAID } from './redis-scripts-spending.ts'
import type { RunTake } from './redis-together.ts'
import { checkWhole, creditsOf } from './spends.ts'

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
  const { windows } = spend
  const costs = costsOf(windows, spend.cost)
  const given = creditsOf(spend)
  if (given === undefined) return takeAt(till, id, version, windows, costs, undefined)
  const credits = toPaid(given, now)
  checkWhole('credits.amount', credits.amount)
  const isNear = till.oneSlot || tagOfAccount(credits.account) === id
  return (isNear ? takeAt : takeApart)(till, id, version, windows, costs, credits)
}

export async function move({ run, names }: Till, credit: CreditMove, now: number): Promise<Moved> {
  const { settle, release } = credit
  if (credit.add !== undefined) return give({ run, names }, credit, now)
  if (release !== undefined) {
    const { balance } = await moved(run, names, credit, ['release', '0', escapeText(release)])
    return { balance }
  }
  if (settle === undefined) return { balance: (await moved(run, names, credit, [])).balance }
  const { id, amount, until } = settle
  const { balance, charged } = await moved(run, names, credit, [
    'settle',
    String(amount),
    escapeText(id),
    String(until - now),
  ])
  return { balance, charged }
}

async function give(
  { run, names }: Pick<Till, 'run' | 'names'>,
  credit: Extract<CreditMove, { readonly add: number }>,
  now: number,
): Promise<Moved> {
  const { add, once } = credit
  if (!Number.isSafeInteger(add)) throw tooMuch()
  const mark = once === undefined ? [] : [escapeText(once.id), String(once.until - now)]
  const { balance, charged } = await moved(run, names, credit, ['add', String(add), ...mark])
  if (balance < 0) throw tooMuch()
  return once === undefined ? { balance } : { balance, added: charged }
}

/** What is taken from a balance, and for how long, ms, what is held of it. */
interface Paid extends CreditAccount {
  readonly amount: number
  readonly hold?: { readonly id: string; readonly ms: number }
}

function toPaid({ hold, ...credits }: CreditSpend, now: number): Paid {
  return hold === undefined ? credits : { ...credits, hold: { id: hold.id, ms: hold.until - now } }
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
  const keys = [names.record(id), names.windows(id)]
  const args = [String(version), wantedOf(windows), costs] as const
  if (credits === undefined) return runTake(keys, args, (answers) => answers.next(id, windows))
  const { amount, hold } = credits
  const tag = tagOfAccount(credits.account)
  const held = hold ? [escapeText(hold.id), String(hold.ms)] : []
  return run(
    TAKE_PAID,
    [...keys, names.purse(tag), names.ends(tag)],
    [...args, ...accountArgs(credits), String(amount), ...held],
  ).then((answer) => takenOf(id, windows, true, answer))
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
  const { run, names } = till
  const { amount, hold = { id: randomBytes(12).toString('base64url'), ms: HELD_FOR } } = credits
  const isSpent = credits.hold === undefined
  const release = async (): Promise<number> =>
    (await moved(run, names, credits, ['release', '0', escapeText(hold.id)])).balance
  const abandon = (error: unknown): never => {
    release().catch(() => {})
    throw error
  }
  const held = await holdFirst(run, names, credits, hold).catch(abandon)
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
  const { balance } = await moved(run, names, credits, [
    'settle',
    String(amount),
    escapeText(hold.id),
    String(HELD_FOR),
  ])
  return { ...taken, balance }
}

async function holdFirst(
  run: Run,
  names: Names,
  credits: Paid,
  hold: NonNullable<Paid['hold']>,
): Promise<{ readonly ok: boolean; readonly balance: number }> {
  const { amount } = credits
  if (amount === 0 && credits.hold === undefined) return { ok: true, ...(await moved(run, names, credits, [])) }
  const { balance, charged } = await moved(run, names, credits, [
    'hold',
    String(amount),
    escapeText(hold.id),
    String(hold.ms),
  ])
  return { ok: charged !== 0, balance }
}

async function moved(
  run: Run,
  names: Names,
  credit: CreditAccount,
  deed: readonly string[],
): Promise<{ readonly balance: number; readonly charged: number }> {
  const tag = tagOfAccount(credit.account)
  const answer = await run(MOVE, [names.purse(tag), names.ends(tag)], [...accountArgs(credit), ...deed])
  const [balance = Number.NaN, charged = Number.NaN] = (answer as readonly unknown[]).map(Number)
  return { balance, charged }
}

/** As `creditAt` of the scripts reads it. */
function accountArgs({ account, opening, refill }: CreditAccount): readonly string[] {
  const refilled = refill === undefined ? ['', ''] : [String(refill.to), String(refill.due)]
  return [escapeText(account), String(opening.amount), String(opening.at), ...refilled]
}

/** As the scripts keep it beside the counters. */
export function wantedOf(windows: readonly SpendWindow[]): string {
  let text = ''
  for (const { limit, ms, name } of windows) text += `${limit}:${ms}:${escapeText(name)}\0`
  return text
}

/**
 * One for all where they are alike, which is the rule. A window's own cost is its own member only: what somebody put on
 * `Object.prototype` is no cost of ours.
 */
function costsOf(windows: readonly SpendWindow[], common: number): string {
  let areAlike = true
  const costs = windows.map((window) => {
    const { cost } = window
    const its = cost !== undefined && Object.hasOwn(window, 'cost') ? cost : common
    checkWhole('cost', its)
    if (its !== common) areAlike = false
    return its
  })
  return areAlike ? String(common) : costs.join(' ')
}

/** The answer of a script, as `TAKE_PAID` says. */
export function takenOf(id: string, windows: readonly SpendWindow[], hasCredits: boolean, answer: unknown): Taken {
  const numbers = Array.isArray(answer) ? answer : []
  const outcome = Number(numbers[0])
  if (outcome === 2) return { stale: toKey(id, numbers[1]) }
  const readings = windows.map(({ name, limit }, index): MeterReading => {
    const used = Number(numbers[2 * index + 2])
    return { name, limit, remaining: Math.max(0, limit - used), resetsAt: Number(numbers[2 * index + 3]) }
  })
  const ok = outcome === 1
  const at = Number(numbers[1])
  const balance = hasCredits ? Number(numbers.at(-1)) : undefined
  const retryAt = ok ? -1 : Number(numbers[2 * windows.length + 2])
  return { ok, readings, at, ...(retryAt >= 0 && { retryAt }), ...(balance !== undefined && { balance }) }
}

function tooMuch(): KeywardError {
  return flawedAt('INPUT', 'amount', `must not lift the balance above ${Number.MAX_SAFE_INTEGER}`)
}
