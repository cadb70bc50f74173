import type { CreditAccount, CreditMove, Moved } from '../../model/store.ts'
import { type Account, bringUp, isChange, keyOfAccount, move as moveOn, openAccount } from '../accounts.ts'
import { escapeText } from '../escaping.ts'
import { moveAt } from '../lasting.ts'
import { insertSql } from '../placeholders.ts'
import type { Timeline } from '../timeline.ts'
import { unlessThere, type Value, wholeOf } from './engine.ts'
import { stageHolds } from './holds.ts'
import { checkLength, orNull } from './rows.ts'
import type { Tables } from './schema.ts'
import type { Connections, Row, Session } from './session.ts'
import { settled } from './turns.ts'

/** An account that nobody else can change, until the transaction is over. */
interface Ledger {
  readonly account: Account
  /** The server's time, ms. */
  readonly at: number | undefined
  /** Writes what became of it. */
  keep(): Promise<void>
}

/** A movement, and the caller's time. */
export interface MoveAsk {
  readonly credit: CreditMove
  readonly now: number
}

/** All of them are of one account. */
export async function moveAll(
  connections: Connections,
  tables: Tables,
  asks: readonly MoveAsk[],
  clock: Timeline | undefined,
): Promise<readonly PromiseSettledResult<Moved>[]> {
  const [first] = asks
  if (first === undefined) return []
  const ids = asks.flatMap(({ credit }) => credit.settle?.id ?? credit.release ?? onceOf(credit)?.id ?? [])
  return connections.transaction(async (session) => {
    const latest = Math.max(...asks.map(({ now }) => now))
    const shared = clock?.at(latest) ?? latest
    const looks = !asks.some(({ credit }) => isChange(credit))
    const ledger = await lockAccount(session, tables, first.credit, { now: shared, ids, looks })
    const at = ledger.at ?? (shared === latest ? undefined : shared)
    const answers = asks.map(({ credit, now }) =>
      settled(() => {
        bringUp(ledger.account, credit, at ?? now)
        return moveOn(ledger.account, moveAt(credit, now, at))
      }),
    )
    await ledger.keep()
    return answers
  })
}

function onceOf(credit: CreditMove): { readonly id: string } | undefined {
  return credit.add === undefined ? undefined : credit.once
}

/**
 * Opens the account if need be, but not where it is only looked at, nor that of a key that is gone. `ids` are those of all
 * holds that may be made or ended; those that are over come by themselves. `now` counts where the server has no clock.
 */
export async function lockAccount(
  session: Session,
  tables: Tables,
  credit: CreditAccount,
  needed: { readonly now: number; readonly ids: readonly string[]; readonly looks?: boolean },
): Promise<Ledger> {
  const { engine } = session
  checkLength('account', escapeText(credit.account))
  const name = engine.text(credit.account)
  const clock = engine.clock === undefined ? '' : `, ${engine.clock} AS now_ms`
  const select = `SELECT free, held, refilled_at${clock} FROM ${tables.accounts} WHERE account = ?${engine.lock}`
  let [row] = await session.rows(select, [name])
  if (row === undefined && (needed.looks || (await isOfNoKey(session, tables, credit)))) {
    return { account: openAccount(credit, NO_HOLDS), at: undefined, keep: async () => {} }
  }
  if (row === undefined) {
    const { free, held, refilledAt } = openAccount(credit, NO_HOLDS)
    const sql = insertSql(tables.accounts, ['account', 'free', 'held', 'refilled_at']) + unlessThere(engine, 'free')
    await session.run(sql, [name, free, held, Math.floor(refilledAt)])
    // Somebody else may have opened it at the same time, and taken from it since.
    row = (await session.rows(select, [name]))[0] ?? {}
  }
  const at = orNull(row.now_ms, wholeOf) ?? undefined
  const holds = await stageHolds(session, tables, credit.account, { now: at ?? needed.now, ids: needed.ids })
  const before = balancesOf(row)
  const account: Account = { ...before, holds }
  return {
    account,
    at,
    async keep() {
      if (!isAsBefore(account, before)) {
        const { free, held, refilledAt } = account
        const sql = `UPDATE ${tables.accounts} SET free = ?, held = ?, refilled_at = ? WHERE account = ?`
        await session.run(sql, [free, held, Math.floor(refilledAt), name])
      }
      await holds.keep()
    },
  }
}

/** A request may end after its key was removed: nobody would remove what it leaves. */
async function isOfNoKey({ engine, rows }: Session, { keys }: Tables, { account }: CreditAccount): Promise<boolean> {
  const key = keyOfAccount(account)
  if (key === undefined) return false
  return (await rows(`SELECT 1 FROM ${keys} WHERE id = ?`, [engine.text(key)])).length === 0
}

/** What a statement selects and joins to see an account beside its key, and the first of its parameters. */
export function accountBeside(
  { engine }: Session,
  { accounts, holds }: Tables,
  { account }: CreditAccount,
): { readonly columns: string; readonly join: string; readonly values: readonly Value[] } {
  const end = `(SELECT min(ends_at) FROM ${holds} WHERE account = ?)`
  const name = engine.text(account)
  return {
    columns: `, free, held, refilled_at, ${end} AS first_end`,
    join: ` LEFT JOIN ${accounts} ON account = ?`,
    values: [name, name],
  }
}

/** An account that was only looked at, so that it may be refused from, but not changed. */
interface Seen {
  readonly account: Account
  /** Whether what was decided on it has to be written. */
  isChanged(): boolean
}

/** `undefined` where it has to be changed before anything is decided: opened, or freed of holds that are over at `at`. */
export function accountSeen(row: Row, at: number | undefined): Seen | undefined {
  const firstEnd = orNull(row.first_end, wholeOf)
  if (row.free === null || at === undefined || (firstEnd !== null && firstEnd <= at)) return undefined
  let isHeld = false
  const hold = (): void => {
    isHeld = true
  }
  const before = balancesOf(row)
  const account: Account = { ...before, holds: { ...NO_HOLDS, set: hold } }
  return { account, isChanged: () => isHeld || !isAsBefore(account, before) }
}

type Balances = Omit<Account, 'holds'>

function isAsBefore({ free, held, refilledAt }: Account, before: Balances): boolean {
  return free === before.free && held === before.held && refilledAt === before.refilledAt
}

const NO_HOLDS: Account['holds'] = { get: () => undefined, set: () => {}, delete: () => {}, over: () => [] }

function balancesOf(row: Row): Balances {
  return { free: wholeOf(row.free), held: wholeOf(row.held), refilledAt: wholeOf(row.refilled_at) }
}
