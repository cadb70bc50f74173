import type { CreditAccount, CreditMove, Moved } from '../model/store.ts'
import { type Account, bringUp, move as moveOn, openAccount } from './accounts.ts'
import { escapeText } from './escaping.ts'
import { wholeOf } from './sql-engine.ts'
import { stageHolds } from './sql-holds.ts'
import { checkLength, orNull } from './sql-rows.ts'
import type { Tables } from './sql-schema.ts'
import type { Connections, Row, Session } from './sql-session.ts'
import { settled } from './sql-turns.ts'

/** An account that nobody else can change, until the transaction is over. */
export interface Ledger {
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
): Promise<readonly PromiseSettledResult<Moved>[]> {
  const [first] = asks
  if (first === undefined) return []
  const ids = asks.flatMap(({ credit: { settle, release } }) => settle?.id ?? release ?? [])
  return connections.transaction(async (session) => {
    const latest = Math.max(...asks.map(({ now }) => now))
    const ledger = await lockAccount(session, tables, first.credit, { now: latest, ids })
    const answers = asks.map(({ credit, now }) =>
      settled(() => {
        bringUp(ledger.account, credit, ledger.at ?? now)
        return moveOn(ledger.account, credit)
      }),
    )
    await ledger.keep()
    return answers
  })
}

/**
 * Opens the account if need be. `ids` are those of all holds that may be made or ended; those that are over come by
 * themselves. `now` counts where the server has no clock.
 */
export async function lockAccount(
  session: Session,
  tables: Tables,
  credit: CreditAccount,
  needed: { readonly now: number; readonly ids: readonly string[] },
): Promise<Ledger> {
  const { engine } = session
  checkLength('account', escapeText(credit.account))
  const name = engine.text(credit.account)
  const clock = engine.clock === undefined ? '' : `, ${engine.clock} AS now_ms`
  const select = `SELECT free, held, refilled_at${clock} FROM ${tables.accounts} WHERE account = ?${engine.lock}`
  let [row] = await session.rows(select, [name])
  if (row === undefined) {
    const { free, held, refilledAt } = openAccount(credit, NO_HOLDS)
    await session.run(openSql(session, tables), [name, free, held, Math.floor(refilledAt)])
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
      const { free, held, refilledAt } = account
      if (free !== before.free || held !== before.held || refilledAt !== before.refilledAt) {
        const sql = `UPDATE ${tables.accounts} SET free = ?, held = ?, refilled_at = ? WHERE account = ?`
        await session.run(sql, [free, held, Math.floor(refilledAt), name])
      }
      await holds.keep()
    },
  }
}

const NO_HOLDS: Account['holds'] = { get: () => undefined, set: () => {}, delete: () => {}, over: () => [] }

function openSql({ engine }: Session, { accounts }: Tables): string {
  const insert = `INSERT INTO ${accounts} (account, free, held, refilled_at) VALUES (?, ?, ?, ?)`
  return engine.name === 'MySQL'
    ? `${insert} ON DUPLICATE KEY UPDATE free = free`
    : `${insert} ON CONFLICT (account) DO NOTHING`
}

function balancesOf(row: Row): Omit<Account, 'holds'> {
  return { free: wholeOf(row.free), held: wholeOf(row.held), refilledAt: wholeOf(row.refilled_at) }
}
