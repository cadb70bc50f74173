import { own } from '../model/own.ts'
import type { CreditSpend, LeaseSpend, Spend, Taken } from '../model/store.ts'
import { type Account, bringUp, takeWith } from './accounts.ts'
import { endLeased, lease as leaseFrom, type Metered, type Outcome, ownLease, take as takeFrom } from './counters.ts'
import { encodeCounters, readCounters } from './counters-text.ts'
import { lockAccount } from './sql-accounts.ts'
import { textOf, wholeOf } from './sql-engine.ts'
import { find } from './sql-keys.ts'
import { orNull } from './sql-rows.ts'
import type { Tables } from './sql-schema.ts'
import type { Connections, Session } from './sql-session.ts'
import { settled } from './sql-turns.ts'

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
  return { version, spend, credits: creditsOf(spend), leased: undefined, now }
}

export function leaseAsk(version: number, spend: LeaseSpend, now: number): TakeAsk {
  return { version, spend, credits: undefined, leased: ownLease(spend), now }
}

type Answers = readonly PromiseSettledResult<Taken>[]

/**
 * Takes of one key and one account, one after the other, in one write.
 *
 * Without credits that is one conditional statement, which proves that neither the version nor what was counted has
 * changed since it was read; when it has, and with credits, the rows are locked.
 */
export async function takeAll(
  connections: Connections,
  tables: Tables,
  id: string,
  asks: readonly TakeAsk[],
): Promise<Answers> {
  const answers =
    (await takeIfUnchanged(connections, tables, id, asks)) ?? (await takeLocked(connections, tables, id, asks))
  if (!answers.some(isStale)) return answers
  const stale = { stale: await find(connections, tables, id) }
  return answers.map((answer) => (isStale(answer) ? { status: 'fulfilled', value: stale } : answer))
}

/** `undefined` where somebody else was faster, where there is an account to lock, and where to lock costs nothing. */
async function takeIfUnchanged(
  session: Session,
  tables: Tables,
  id: string,
  asks: readonly TakeAsk[],
): Promise<Answers | undefined> {
  if (asks[0]?.credits !== undefined || session.engine.name === 'SQLite') return undefined
  const meter = await readMeter(session, tables, id, '')
  const { answers, windows } = decide(meter, undefined, asks)
  if (meter === undefined || windows === meter.windows) return answers
  const sql = `UPDATE ${tables.keys} SET windows = ?, revision = revision + 1 WHERE id = ? AND version = ? AND revision = ?`
  const { engine } = session
  const count = await session.run(sql, [engine.text(windows), engine.text(id), meter.version, meter.revision])
  return count > 0 ? answers : undefined
}

function takeLocked(connections: Connections, tables: Tables, id: string, asks: readonly TakeAsk[]): Promise<Answers> {
  const credits = asks[0]?.credits
  return connections.transaction(async (session) => {
    const { engine } = session
    const meter = await readMeter(session, tables, id, engine.lock)
    // What is taken from nobody opens no account.
    const isCurrent = asks.some(({ version }) => version === meter?.version)
    const now = Math.max(...asks.map((ask) => ask.now))
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

interface Meter {
  readonly version: number
  readonly revision: number
  readonly windows: string
  readonly metered: Metered
  /** The server's time, ms. */
  readonly at: number | undefined
}

async function readMeter(session: Session, { keys }: Tables, id: string, lock: string): Promise<Meter | undefined> {
  const { engine } = session
  const clock = engine.clock === undefined ? '' : `, ${engine.clock} AS now_ms`
  const sql = `SELECT version, revision, windows${clock} FROM ${keys} WHERE id = ?${lock}`
  const [row] = await session.rows(sql, [engine.text(id)])
  if (row === undefined) return undefined
  const windows = orNull(row.windows, textOf) ?? ''
  return {
    version: wholeOf(row.version),
    revision: wholeOf(row.revision),
    windows,
    metered: { counters: readCounters(windows, id) },
    at: orNull(row.now_ms, wholeOf) ?? undefined,
  }
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
      const outcome = takeOne(metered, account, ask, at ?? ask.now)
      return at === undefined ? outcome : { ...outcome, at }
    }),
  )
  const last = at ?? asks.findLast((ask) => ask.version === version || ask.leased !== undefined)?.now
  // Nearly every refusal leaves the text as it was, and is not written; one whose clock ran back does not.
  return { answers, windows: last === undefined ? meter.windows : encodeCounters(metered.counters, last) }
}

function takeOne(
  metered: Metered,
  account: Account | undefined,
  { spend, credits, leased }: TakeAsk,
  now: number,
): Outcome {
  if (leased !== undefined) return leaseFrom(metered, leased, now)
  if (account === undefined || credits === undefined) return takeFrom(metered, spend, now)
  bringUp(account, credits, now)
  return takeWith(account, credits, metered, spend, now)
}

/** What a take is asked for with credits of its own, not with those that someone put on a prototype. */
function creditsOf(spend: Spend): CreditSpend | undefined {
  return Object.hasOwn(spend, 'credits') && spend.credits ? own(spend.credits) : undefined
}
