import type { CreditSpend, LeaseSpend, Spend, Taken } from '../../model/store.ts'
import { type Account, bringUp, takeWith } from '../accounts.ts'
import { type Counted, endLeased, lease as leaseFrom, type Outcome, take as takeFrom } from '../counters.ts'
import { encodeCounters } from '../counters-text.ts'
import { spendAt } from '../lasting.ts'
import type { Timeline } from '../timeline.ts'
import { accountBeside, accountSeen, lockAccount } from './accounts.ts'
import { detoursOf } from './detours.ts'
import { wholeOf } from './engine.ts'
import { find } from './keys.ts'
import { type Meter, readMeter, writing } from './meter.ts'
import type { Tables } from './schema.ts'
import type { Connections, Session } from './session.ts'
import { settled } from './turns.ts'

/** A `take` or a `lease` of one key, and the caller's time. */
export interface TakeAsk {
  readonly version: number
  readonly spend: Spend
  readonly credits: CreditSpend | undefined
  /** In place of `spend`, where it is leased. */
  readonly leased: LeaseSpend | undefined
  readonly now: number
}

export function takeAsk(version: number, spend: Spend, now: number): TakeAsk {
  return { version, spend, credits: spend.credits, leased: undefined, now }
}

export function leaseAsk(version: number, spend: LeaseSpend, now: number): TakeAsk {
  return { version, spend, credits: undefined, leased: spend, now }
}

type Answers = readonly PromiseSettledResult<Taken>[]

/**
 * Takes of one key and one account (`rowOf`), one after the other, in one write.
 *
 * Without credits that is one conditional statement, which proves that neither the version nor what was counted has
 * changed since it was read. Where another process was faster, the row is hot: for a while such a statement is one that
 * also tells what is there now, so that the next attempt is one statement more; and in the end the row is locked.
 *
 * With credits the rows are locked. Where they were refused, they are only looked at for a while: whoever goes on when
 * nothing is left costs one statement.
 * @param clock of a database that has none
 */
export function takesOver(
  connections: Connections,
  tables: Tables,
  clock: Timeline | undefined,
): (row: string, asks: readonly TakeAsk[]) => Promise<Answers> {
  const detours = detoursOf()

  return async (row, asks) => {
    const id = idOf(row)
    const answers = await takeAll(row, id, asks)
    if (!answers.some(isStale)) return answers
    const stale = { stale: await find(connections, tables, id) }
    return answers.map((answer) => (isStale(answer) ? { status: 'fulfilled', value: stale } : answer))
  }

  function takeAll(row: string, id: string, asks: readonly TakeAsk[]): Promise<Answers> {
    // To lock costs nothing there.
    if (connections.engine.name === 'SQLite') return takeLocked(connections, tables, id, asks, clock)
    const credits = asks[0]?.credits
    return credits === undefined ? takeFree(row, id, asks) : takePaid(row, id, asks, credits)
  }

  async function takeFree(row: string, id: string, asks: readonly TakeAsk[]): Promise<Answers> {
    if (!detours.has(row)) {
      const taken = await takeIfUnchanged(connections, tables, id, asks)
      if (taken !== undefined) return taken
      detours.note(row)
    }
    const answers =
      (await takeFromHot(connections, tables, id, asks)) ?? (await takeLocked(connections, tables, id, asks))
    if (!isAdmitted(answers)) detours.forget(row)
    return answers
  }

  async function takePaid(row: string, id: string, asks: readonly TakeAsk[], credits: CreditSpend): Promise<Answers> {
    const refused = detours.has(row) ? await refuseUnlocked(connections, tables, id, asks, credits) : undefined
    if (refused !== undefined) return refused
    const answers = await takeLocked(connections, tables, id, asks)
    if (isAdmitted(answers)) detours.forget(row)
    else detours.note(row)
    return answers
  }
}

/** Those of one key and one account are served together. */
export function rowOf(id: string, account: string | undefined): string {
  return JSON.stringify([id, account])
}

function idOf(row: string): string {
  return (JSON.parse(row) as readonly [string])[0]
}

function isAdmitted(answers: Answers): boolean {
  return answers.some((answer) => answer.status === 'fulfilled' && answer.value.ok === true)
}

/** `undefined` where somebody else was faster. */
async function takeIfUnchanged(
  session: Session,
  tables: Tables,
  id: string,
  asks: readonly TakeAsk[],
): Promise<Answers | undefined> {
  const meter = await readMeter(session, tables, id)
  const { answers, windows } = decide(meter, undefined, asks)
  if (meter === undefined || windows === meter.windows) return answers
  return (await session.run(...writing(session, tables, id, meter, windows))) > 0 ? answers : undefined
}

/**
 * The same again and again, each time on what the last attempt saw. A lock would be held while this process and the
 * network take their time; this holds none. Only PostgreSQL has statements that do both.
 */
async function takeFromHot(
  session: Session,
  tables: Tables,
  id: string,
  asks: readonly TakeAsk[],
): Promise<Answers | undefined> {
  const { engine } = session
  if (engine.name !== 'PostgreSQL') return undefined
  let meter = await readMeter(session, tables, id)
  for (let tried = 0; tried < TRIES; tried++) {
    const { answers, windows } = decide(meter, undefined, asks)
    if (meter === undefined || windows === meter.windows) return answers
    const [sql, values] = writing(session, tables, id, meter, windows)
    const done = {
      before: `WITH done AS (${sql} RETURNING 1) `,
      columns: ', (SELECT count(*) FROM done) AS done',
      values,
    }
    meter = await readMeter(session, tables, id, done)
    if (meter !== undefined && wholeOf(meter.row.done) > 0) return answers
  }
  return undefined
}

/** How often a hot row is written without a lock: of those who try, one succeeds each time. */
const TRIES = 6

/** `undefined` where something would change. */
async function refuseUnlocked(
  session: Session,
  tables: Tables,
  id: string,
  asks: readonly TakeAsk[],
  credits: CreditSpend,
): Promise<Answers | undefined> {
  const meter = await readMeter(session, tables, id, accountBeside(session, tables, credits))
  const seen = meter && accountSeen(meter.row, meter.at)
  if (meter !== undefined && seen === undefined) return undefined
  const { answers, windows } = decide(meter, seen?.account, asks)
  const isChanged = seen?.isChanged() || (meter !== undefined && windows !== meter.windows)
  return isChanged ? undefined : answers
}

function takeLocked(
  connections: Connections,
  tables: Tables,
  id: string,
  asks: readonly TakeAsk[],
  clock?: Timeline,
): Promise<Answers> {
  const credits = asks[0]?.credits
  const latest = Math.max(...asks.map((ask) => ask.now))
  return connections.transaction(async (session) => {
    const { engine } = session
    const found = await readMeter(session, tables, id, { lock: engine.lock })
    const now = clock?.at(latest, found?.metered.counters) ?? latest
    const meter = found && now !== latest ? { ...found, at: now } : found
    // What is taken from nobody opens no account.
    const isCurrent = asks.some(({ version }) => version === meter?.version)
    const ids = asks.flatMap((ask) => ask.credits?.hold?.id ?? [])
    const ledger = credits && isCurrent ? await lockAccount(session, tables, credits, { now, ids }) : undefined
    const { answers, windows } = decide(meter, ledger?.account, asks)
    if (meter !== undefined && windows !== meter.windows) {
      const sql = `UPDATE ${tables.keys} SET windows = ?, revision = revision + 1 WHERE id = ?`
      await session.run(sql, [engine.text(windows), engine.text(id)])
    }
    await ledger?.keep()
    return answers
  })
}

/** Stands for `stale` until the key as it is now is known. */
const STALE: Taken = { stale: undefined }

function isStale(answer: PromiseSettledResult<Taken>): boolean {
  return answer.status === 'fulfilled' && answer.value === STALE
}

/** What each gets, and the windows after them. */
function decide(
  meter: Meter | undefined,
  account: Account | undefined,
  asks: readonly TakeAsk[],
): { readonly answers: Answers; readonly windows: string } {
  if (meter === undefined) return { answers: asks.map(() => ({ status: 'fulfilled', value: STALE })), windows: '' }
  const { at, version, metered } = meter
  const answers = asks.map((ask) =>
    settled((): Taken => {
      if (ask.leased !== undefined) endLeased(metered, ask.leased, at ?? ask.now)
      if (ask.version !== version) return STALE
      const outcome = takeOne(metered, account, ask, at)
      return at === undefined ? outcome : { ...outcome, at }
    }),
  )
  const last = at ?? asks.findLast((ask) => ask.version === version || ask.leased !== undefined)?.now
  // Nearly every refusal leaves the text as it was, and is not written; one whose clock ran back does not.
  return { answers, windows: last === undefined ? meter.windows : encodeCounters(metered.counters, last) }
}

function takeOne(
  metered: Counted,
  account: Account | undefined,
  { spend, credits, leased, now: asked }: TakeAsk,
  at: number | undefined,
): Outcome {
  const now = at ?? asked
  if (leased !== undefined) return leaseFrom(metered, leased, now)
  if (account === undefined || credits === undefined) return takeFrom(metered, spend, now)
  bringUp(account, credits, now)
  return takeWith(account, spendAt(credits, asked, at), metered, spend, now)
}
