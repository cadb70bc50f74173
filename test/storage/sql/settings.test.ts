import { Kysely, MysqlDialect } from 'kysely'
import mysql, { type PoolOptions } from 'mysql2'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { type Mariadb, startMariadb } from '../../support/mariadb.ts'
import { storedKey } from '../stored-key.ts'

let server: Mariadb

beforeAll(async () => {
  server = await startMariadb()
}, 60_000)
afterAll(() => server?.end())

/** A pool as a host may have it: with options of its own, and a hook that sets up each connection. */
function connected(options: PoolOptions, setting?: string): Kysely<unknown> {
  const pool = mysql.createPool({ ...server.connection, connectionLimit: 3, ...options })
  if (setting !== undefined) pool.on('connection', (connection) => connection.query(`SET ${setting}`))
  const kysely = new Kysely<unknown>({ dialect: new MysqlDialect({ pool }) })
  onTestFinished(() => kysely.destroy())
  return kysely
}

describe('connections of MariaDB', () => {
  it.each([
    ['autocommit = 0', 'autocommit is OFF, and must be ON'],
    ['completion_type = 1', 'completion_type is CHAIN, and must be NO_CHAIN'],
    ['completion_type = 2', 'completion_type is RELEASE, and must be NO_CHAIN'],
  ])('that would not commit what is acknowledged are refused (%s)', async (setting, told) => {
    await migrate(connected({}))
    const kysely = connected({}, setting)
    const refused = { code: 'CONFIG', message: expect.stringContaining(told) }
    await expect(migrate(kysely)).rejects.toMatchObject(refused)
    const key = storedKey()
    await expect(sqlStore(kysely).insert(key)).rejects.toMatchObject(refused)
    expect(await sqlStore(connected({})).find(key.id)).toBeUndefined()
  })

  it.each([{ rowsAsArray: true }, { nestTables: true }])(
    'that answer rows without names are refused (%j)',
    async (options) => {
      const kysely = connected(options)
      const refused = { code: 'CONFIG', message: expect.stringContaining('rowsAsArray') }
      await expect(migrate(kysely, { prefix: 'rows_' })).rejects.toMatchObject(refused)
      await expect(sqlStore(kysely).find('a')).rejects.toMatchObject(refused)
      // And nobody is kept waiting by a lock that was left.
      await migrate(connected({}), { prefix: 'rows_' })
    },
  )

  it.each(["sql_mode = 'ORACLE'", 'sql_safe_updates = 1', "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"])(
    'with %s serve every verb',
    async (setting) => {
      const kysely = connected({}, setting)
      await migrate(kysely)
      const store = sqlStore(kysely)
      const key = storedKey({ resource: `agent:${setting}` })
      await store.insert(key)
      const window = { name: 'minute', limit: 5, ms: 60_000 }
      const account = { account: `${key.id}:1`, opening: { amount: 9, at: 1 } }
      const spend = { windows: [window], cost: 1, credits: { ...account, amount: 4 } }
      expect(await store.take?.(key.id, key.version, spend, Date.now())).toMatchObject({ ok: true, balance: 5 })
      expect(await store.move?.({ ...account, add: 2 }, Date.now())).toMatchObject({ balance: 7 })
      const filter = { prefixes: [key.prefix], resource: `agent:${setting}` }
      expect(await store.revokeWhere?.(filter, Date.now(), 'all of them')).toBe(1)
      expect(await store.find(key.id)).toMatchObject({ status: 'revoked', version: key.version + 1 })
      expect(await store.remove(key.id)).toBe(true)
    },
  )
})
