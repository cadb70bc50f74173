import { CamelCasePlugin, DummyDriver, Kysely, MssqlAdapter, MssqlIntrospector, MssqlQueryCompiler, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { SqlDatabase } from '../../../src/storage/sql.ts'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { storedKey } from '../stored-key.ts'
import { connect, ENGINES, type Prepared, prepare } from './databases.ts'

describe.each(ENGINES)('over %s, migrate', (engine) => {
  let prepared: Prepared
  let kysely: ReturnType<typeof connect>

  beforeAll(async () => {
    prepared = await prepare(engine)
    kysely = connect(prepared.target)
  }, 60_000)
  afterAll(async () => {
    await kysely?.destroy()
    await prepared?.end()
  })

  const versionsOf = async (prefix: string) => {
    const { rows } = await sql<{ version: number }>`SELECT version FROM ${sql.table(`${prefix}schema`)}`.execute(kysely)
    return rows.map(({ version }) => Number(version))
  }

  it('is harmless when it was done, and keeps what is there', async () => {
    await migrate(kysely)
    const store = sqlStore(kysely)
    const key = storedKey()
    await store.insert(key)
    await migrate(kysely)
    expect(await store.find(key.id)).toEqual(key)
    expect(await versionsOf('keyward_')).toEqual([1, 2])
  })

  it('makes the tables once when many do it at once', async () => {
    const options = { prefix: 'many_' }
    const others = Array.from({ length: 8 }, () => connect(prepared.target, 1))
    await Promise.all(others.map((other) => migrate(other, options)))
    await Promise.all(others.map((other) => other.destroy()))
    expect(await versionsOf('many_')).toEqual([1, 2])
    const store = sqlStore(kysely, options)
    await store.insert(storedKey())
    expect((await store.list({ prefixes: ['agk_'], limit: 9 })).items).toHaveLength(1)
  })

  if (engine === 'PostgreSQL') {
    it('goes on where the tables are, also behind a schema that came later', async () => {
      const options = { prefix: 'path_' }
      await migrate(kysely, options)
      await sql`DELETE FROM path_schema WHERE version = 2`.execute(kysely)
      await sql`DROP TABLE path_notes`.execute(kysely)
      await sql`CREATE SCHEMA later`.execute(kysely)
      const later = connect(prepared.target, 1)
      await sql`SET search_path TO later, public`.execute(later)
      await migrate(later, options)
      const { rows } = await sql<{ name: string }>`
        SELECT schemaname AS name FROM pg_tables WHERE tablename LIKE 'path\\_%'`.execute(later)
      await later.destroy()
      expect(rows.map(({ name }) => name)).toEqual(Array(5).fill('public'))
      expect(await versionsOf('path_')).toEqual([1, 2])
    })

    it.each(['LATIN1', 'SQL_ASCII'])('makes no tables where not every text can be kept (%s)', async (encoding) => {
      const name = `of_${encoding.toLowerCase()}`
      const settings = `ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`
      await sql.raw(`CREATE DATABASE ${name} ${settings}`).execute(kysely)
      const { target } = prepared
      if (target.engine !== 'PostgreSQL') throw new Error('no PostgreSQL')
      const other = connect({ ...target, connection: { ...target.connection, database: name } }, 2)
      onTestFinished(() => other.destroy())
      if (encoding === 'SQL_ASCII') {
        await migrate(other)
        const key = storedKey({ owner: 'Zürich 東京 😀' })
        await sqlStore(other).insert(key)
        expect((await sqlStore(other).list({ prefixes: ['agk_'], owner: key.owner, limit: 9 })).items).toEqual([key])
      } else {
        await expect(migrate(other)).rejects.toThrow(config(`the encoding of this database is ${encoding}`))
        expect((await sql`SELECT 1 FROM pg_tables WHERE tablename LIKE 'keyward%'`.execute(other)).rows).toEqual([])
      }
    })
  }

  it('goes on where an earlier attempt was cut off', async () => {
    const options = { prefix: 'half_' }
    await migrate(kysely, options)
    await sql`DELETE FROM half_schema`.execute(kysely)
    await sql`DROP TABLE half_holds`.execute(kysely)
    await migrate(kysely, options)
    expect(await versionsOf('half_')).toEqual([1, 2])
    const account = { account: 'a:1', opening: { amount: 5, at: 1 } }
    expect(await sqlStore(kysely, options).move?.({ ...account, release: 'none' }, 1)).toEqual({ balance: 5 })
  })

  it('refuses a schema that is newer than this program, as does every verb', async () => {
    const options = { prefix: 'newer_' }
    await migrate(kysely, options)
    await sql`INSERT INTO newer_schema (version) VALUES (7)`.execute(kysely)
    const newer = { code: 'CONFIG', message: expect.stringContaining('the schema 7 of this database is newer') }
    await expect(migrate(kysely, options)).rejects.toMatchObject(newer)
    const store = sqlStore(kysely, options)
    await expect(store.find('a')).rejects.toMatchObject(newer)
    await expect(store.insert(storedKey())).rejects.toMatchObject(newer)
    await expect(store.take?.('a', 1, { windows: [], cost: 1 }, 1)).rejects.toMatchObject(newer)
    expect(await versionsOf('newer_')).toEqual([1, 2, 7])
  })

  it('is asked for where it was not done, and the store works once it was', async () => {
    const options = { prefix: 'later_' }
    const store = sqlStore(kysely, options)
    const missing = { code: 'CONFIG', message: expect.stringContaining('await migrate(kysely) first') }
    await expect(store.find('a')).rejects.toMatchObject(missing)
    await expect(store.list({ prefixes: ['agk_'], limit: 9 })).rejects.toMatchObject(missing)
    await migrate(kysely, options)
    expect(await store.find('a')).toBeUndefined()
    await sql`DROP TABLE later_keys`.execute(kysely)
    await expect(store.find('a')).rejects.toMatchObject(missing)
  })

  it('keeps the tables of two prefixes apart', async () => {
    await migrate(kysely, { prefix: 'one_' })
    await migrate(kysely, { prefix: 'two_' })
    const [one, two] = [sqlStore(kysely, { prefix: 'one_' }), sqlStore(kysely, { prefix: 'two_' })]
    const key = storedKey({ uniqueName: 'n' })
    await one.insert(key)
    expect(await two.find(key.id)).toBeUndefined()
    await two.insert({ ...key, version: 9 })
    expect(await one.find(key.id)).toEqual(key)
  })

  it("does not mind the host's plugins, which rename columns", async () => {
    const renaming = kysely.withPlugin(new CamelCasePlugin())
    const options = { prefix: 'camel_' }
    await migrate(renaming, options)
    const key = storedKey({ uniqueName: 'n' })
    await sqlStore(renaming, options).insert(key)
    expect(await sqlStore(kysely, options).find(key.id)).toEqual(key)
    expect(await sqlStore(renaming, options).find(key.id)).toEqual(key)
  })

  it('refuses a transaction, which ends before the store does', async () => {
    await kysely.transaction().execute(async (transaction) => {
      expect(() => sqlStore(transaction)).toThrow(config('transaction'))
      await expect(migrate(transaction)).rejects.toThrow(config('transaction'))
    })
  })

  it.each(['', 'A_', '1a', 'a-b', 'a.b', 'a"', 'a`', 'a; DROP TABLE x', 'ä_', 'x'.repeat(33), 5, null])(
    'refuses %j as a prefix, and shows it',
    async (prefix) => {
      const options = { prefix } as object
      const refused = expect.objectContaining({ code: 'CONFIG', issues: [expect.objectContaining({ path: 'prefix' })] })
      expect(() => sqlStore(kysely, options)).toThrow(refused)
      await expect(migrate(kysely, options)).rejects.toThrow(refused)
    },
  )

  it('refuses an option that it has not got', async () => {
    expect(() => sqlStore(kysely, { table: 'x' } as object)).toThrow(config('sqlStore has no option "table"'))
    await expect(migrate(kysely, { table: 'x' } as object)).rejects.toThrow(config('migrate has no option "table"'))
  })
})

describe('sqlStore', () => {
  it.each([undefined, null, {}, 'postgres://localhost', new Map()])('refuses %j, which is no Kysely', (value) => {
    expect(() => sqlStore(value as unknown as SqlDatabase)).toThrow(config('sqlStore needs a Kysely'))
  })

  it('refuses a dialect that it does not speak', () => {
    const dialect = {
      createAdapter: () => new MssqlAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (database: Kysely<unknown>) => new MssqlIntrospector(database),
      createQueryCompiler: () => new MssqlQueryCompiler(),
    }
    expect(() => sqlStore(new Kysely({ dialect }))).toThrow(config('none of PostgreSQL, MySQL (or MariaDB) and SQLite'))
  })
})

function config(part: string): unknown {
  return expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(part) })
}
