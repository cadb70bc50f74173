import { type Kysely, sql, type Transaction } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { storedKey } from '../stored-key.ts'
import { connect, type Prepared, prepare, SERVERS } from './databases.ts'

/** The isolation that a server has by itself, and the strictest. */
const ISOLATIONS = {
  PostgreSQL: [[], ['default_transaction_isolation=serializable']],
  MariaDB: [[], ['--transaction-isolation=SERIALIZABLE']],
} as const

const SERVED = SERVERS.flatMap((engine) => ISOLATIONS[engine].map((settings) => [engine, settings] as const))

describe.each(SERVED)('over %s %j, revokeWhere', (engine, settings) => {
  let prepared: Prepared
  let kysely: Kysely<unknown>

  beforeAll(async () => {
    prepared = await prepare(engine, settings)
    kysely = connect(prepared.target)
    await migrate(kysely)
  }, 60_000)
  afterAll(async () => {
    await kysely?.destroy()
    await prepared?.end()
  })

  /** Keys of one owner and one of another, among tables that are theirs alone. */
  async function kept(prefix: string, count: number) {
    await migrate(kysely, { prefix })
    const store = sqlStore(kysely, { prefix })
    const theirs = Array.from({ length: count }, () => storedKey({ owner: 'acct_x', resource: 'agent:42' }))
    const other = storedKey({ owner: 'acct_y' })
    for (const key of [...theirs, other]) await store.insert(key)
    return { store, table: sql.table(`${prefix}keys`), theirs, other }
  }

  const locking = <T>(work: (transaction: Transaction<unknown>) => Promise<T>) => kysely.transaction().execute(work)

  it.each([{ owner: 'acct_x' }, { resource: 'agent:42' }])(
    'by %j waits for no key that does not match',
    async (which) => {
      const { store, table, theirs, other } = await kept(`${Object.keys(which)[0]}_`, 3)
      await locking(async (transaction) => {
        await sql`SELECT 1 FROM ${table} WHERE id = ${other.id} FOR UPDATE`.execute(transaction)
        expect(await store.revokeWhere?.({ prefixes: ['agk_'], ...which }, 9_000, 'leaked')).toBe(3)
      })
      for (const { id, version } of theirs) {
        expect(await store.find(id)).toMatchObject({ status: 'revoked', version: version + 1, revokedReason: 'leaked' })
      }
      expect(await store.find(other.id)).toEqual(other)
    },
  )

  it('neither changes nor counts what another has revoked meanwhile, and keeps no key of others locked', async () => {
    const { store, table, theirs, other } = await kept('race_', 3)
    const [first] = theirs.map(({ id }) => id).sort()
    const asked = await locking(async (transaction) => {
      await sql`UPDATE ${table} SET status = 'revoked', revoked_at = 5, revoked_reason = 'first'
        WHERE id = ${first}`.execute(transaction)
      const asked = store.revokeWhere?.({ prefixes: ['agk_'], owner: 'acct_x' }, 9_000, 'second')
      await waitUntilBlocked()
      await sql`SELECT 1 FROM ${table} WHERE id = ${other.id} FOR UPDATE NOWAIT`.execute(transaction)
      return { asked }
    })
    expect(await asked.asked).toBe(2)
    expect(await store.find(first as string)).toMatchObject({ revokedAt: 5, revokedReason: 'first', version: 7 })
  })

  it('revokes and counts as many as there are', async () => {
    const { store, other } = await kept('many_', 250)
    expect(await store.revokeWhere?.({ prefixes: ['agk_'], owner: 'acct_x' }, 9_000)).toBe(250)
    expect(await store.revokeWhere?.({ prefixes: ['agk_'], owner: 'acct_x' }, 9_000)).toBe(0)
    expect(await store.find(other.id)).toEqual(other)
  })

  /** Until a statement waits for a lock. */
  async function waitUntilBlocked(): Promise<void> {
    const blocked =
      engine === 'PostgreSQL'
        ? sql`SELECT 1 FROM pg_locks WHERE NOT granted`
        : sql`SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`
    // MariaDB shows again what it showed less than 100 ms ago.
    const patiently = { timeout: 10_000, interval: 150 }
    await expect.poll(async () => (await blocked.execute(kysely)).rows.length, patiently).toBeGreaterThan(0)
  }
})
