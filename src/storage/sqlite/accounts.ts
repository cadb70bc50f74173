import type { CreditAccount } from '../../model/store.ts'
import { type Account, bringUp, type Hold, type Holds, openAccount } from '../accounts.ts'
import { escapeText } from '../escaping.ts'
import type { Statements } from './statements.ts'

/** Does something to an account as it is at `now`, within a transaction, and keeps what becomes of it. */
export function onAccount<T>(
  statements: Statements,
  credit: CreditAccount,
  now: number,
  work: (account: Account) => T,
): T {
  const name = escapeText(credit.account)
  const row = statements.account.get(name) as AccountRow | undefined
  const holds = holdsOf(statements, name)
  const account = row === undefined ? openAccount(credit, holds) : accountOf(row, holds)
  bringUp(account, credit, now)
  const result = work(account)
  const { free, held, refilledAt } = account
  // One that is as it was opened is opened the same again.
  const before = row ?? { free: credit.opening.amount, held: 0, refilled_at: credit.opening.at }
  const isKept = before.free === free && before.held === held && before.refilled_at === refilledAt
  if (!isKept) statements.keepAccount.run(name, free, held, refilledAt)
  return result
}

interface AccountRow {
  readonly free: number
  readonly held: number
  readonly refilled_at: number
}

function accountOf({ free, held, refilled_at: refilledAt }: AccountRow, holds: Holds): Account {
  return { free, held, refilledAt, holds }
}

interface HoldRow {
  readonly id: string
  readonly amount: number
  readonly until: number
  readonly charged: number | null
}

/** Their ids are Keyward's own, plain letters and digits, so they need no escaping. */
function holdsOf(statements: Statements, account: string): Holds {
  return {
    get(id) {
      const row = statements.hold.get(account, id) as HoldRow | undefined
      return row && holdOf(row)
    },
    set: (id, { amount, until, charged }) => void statements.keepHold.run(account, id, amount, until, charged ?? null),
    delete: (id) => void statements.removeHold.run(account, id),
    over: (now) => (statements.holdsOver.all(account, now) as readonly HoldRow[]).map((row) => [row.id, holdOf(row)]),
  }
}

function holdOf({ amount, until, charged }: HoldRow): Hold {
  return { amount, until, charged: charged ?? undefined }
}
