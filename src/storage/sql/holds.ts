import type { Hold, Holds } from '../accounts.ts'
import { chunks } from '../chunks.ts'
import { insertSql, placeholders } from '../placeholders.ts'
import { plainTextOf, wholeOf } from './engine.ts'
import { orNull } from './rows.ts'
import type { Tables } from './schema.ts'
import type { Row, Session } from './session.ts'

/** Rows that go into one statement. */
const AT_ONCE = 100

/** The holds of an account that may be needed, in memory until `keep` writes what became of them. */
interface StagedHolds extends Holds {
  keep(): Promise<void>
}

/**
 * Loads the holds whose time is over at `now` and those that are named. Whoever asks for another finds none, so `ids`
 * must name every hold that is made, settled or released. Within a transaction that has the account locked.
 */
export async function stageHolds(
  session: Session,
  { holds: table }: Tables,
  account: string,
  { now, ids }: { readonly now: number; readonly ids: readonly string[] },
): Promise<StagedHolds> {
  const { engine } = session
  const name = engine.text(account)
  const select = `SELECT id, amount, ends_at, charged FROM ${table} WHERE account = ?`
  const values = [name, Math.floor(now), ...(ids.length === 0 ? [] : [name, ...ids.map((id) => engine.text(id))])]
  // Not one condition with OR, for which an engine might look at all holds of the account.
  const named = ids.length === 0 ? '' : ` UNION ${select} AND id IN (${placeholders(ids)})`
  const rows = await session.rows(`${select} AND ends_at <= ?${named}`, values)
  const before = new Map(rows.map(entryOf))
  const holds = new Map(before)

  return {
    get: (id) => holds.get(id),
    set: (id, hold) => void holds.set(id, hold),
    delete: (id) => void holds.delete(id),
    over: (at) => [...holds].filter(([, { until }]) => until <= at),
    async keep() {
      // Only rows that are there are deleted: to look for others would lock the gaps between them in MySQL.
      const gone = [...before].filter(([id, hold]) => holds.get(id) !== hold).map(([id]) => id)
      for (const some of chunks(gone, AT_ONCE)) {
        const sql = `DELETE FROM ${table} WHERE account = ? AND id IN (${placeholders(some)})`
        await session.run(sql, [name, ...some.map((id) => engine.text(id))])
      }
      const fresh = [...holds].filter(([id, hold]) => before.get(id) !== hold)
      for (const some of chunks(fresh, AT_ONCE)) {
        const sql = insertSql(table, ['account', 'id', 'amount', 'ends_at', 'charged'], some.length)
        const values = some.flatMap(([id, { amount, until, charged }]) => [
          ...[name, engine.text(id), amount, Math.ceil(until), charged ?? null],
        ])
        await session.run(sql, values)
      }
    },
  }
}

function entryOf(row: Row): readonly [string, Hold] {
  const charged = orNull(row.charged, wholeOf) ?? undefined
  return [plainTextOf(row.id), { amount: wholeOf(row.amount), until: wholeOf(row.ends_at), charged }]
}
