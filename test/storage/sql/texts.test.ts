import { createApiKeys } from 'keyward'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { storedKey } from '../stored-key.ts'
import { connect, type ENGINES, type Prepared, prepare } from './databases.ts'

const TEXTS = [
  "' OR '1'='1",
  "'; DROP TABLE keyward_keys; --",
  "\\'; DROP TABLE keyward_keys; -- ",
  "\\\\' OR 1=1 -- ",
  "x' /*!50000 OR 1=1 */ -- ",
  '" OR ""="',
  '`; DROP TABLE keyward_keys; --',
  "$1 ? :id @id ?? ?'",
  '$$; DROP TABLE keyward_keys; $$',
  "E'\\x27 OR 1=1'",
  "X'27'",
  '%',
  '_',
  'a\\',
  '\0',
  "\0' OR 1=1 -- ",
  '\u00bf\u5c27 OR 1=1 -- ',
  "縗\\' OR 1=1 -- ",
  '{"$ne":null}',
  '[object Object]',
  'NULL',
  'a\r\nb\tc\u001a',
  '🔑é中',
]

/** Settings under which clients that write values into the text have been broken out of. */
const DOORS: readonly (readonly [
  string,
  (typeof ENGINES)[number],
  readonly string[],
  Readonly<Record<string, string>>,
])[] = [
  ['PostgreSQL', 'PostgreSQL', [], {}],
  [
    'PostgreSQL without standard strings',
    'PostgreSQL',
    ['standard_conforming_strings=off', 'escape_string_warning=off'],
    {},
  ],
  ['MariaDB', 'MariaDB', [], {}],
  ['MariaDB without backslash escapes', 'MariaDB', ['--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES'], {}],
  ['MariaDB over GBK', 'MariaDB', ['--character-set-server=gbk', '--sql-mode='], { charset: 'GBK_CHINESE_CI' }],
  ['SQLite', 'SQLite', [], {}],
]

describe.each(DOORS)('R-11: over %s', (_name, engine, settings, extra) => {
  let prepared: Prepared
  let kysely: ReturnType<typeof connect>

  beforeAll(async () => {
    prepared = await prepare(engine, settings)
    const { target } = prepared
    kysely = connect('connection' in target ? { ...target, connection: { ...target.connection, ...extra } } : target)
    await migrate(kysely)
  }, 60_000)
  afterAll(async () => {
    await kysely?.destroy()
    await prepared?.end()
  })

  it('text that is SQL comes back byte for byte wherever text goes, and does nothing else', async () => {
    const store = sqlStore(kysely)
    const keys = TEXTS.map((text) =>
      storedKey({
        id: text,
        prefix: text,
        owner: text,
        resource: text,
        name: text,
        uniqueName: text,
        hash: text,
        description: text,
        metadata: { [text]: text },
        revokedReason: text,
      }),
    )
    for (const key of keys) await store.insert(key)
    for (const key of keys) {
      const { id, version, prefix, owner, resource = '' } = key
      expect(await store.find(id)).toEqual(key)
      expect(await store.list({ prefixes: [prefix], owner, resource, limit: 9 })).toEqual({ items: [key] })
      const credits = { account: `${id}:1`, opening: { amount: 9, at: 1 }, amount: 2, hold: { id, until: 9e12 } }
      const taken = await store.take?.(
        id,
        version,
        { windows: [{ name: id, limit: 5, ms: 60_000 }], cost: 1, credits },
        1e12,
      )
      expect(taken).toMatchObject({ ok: true, balance: 7, readings: [{ name: id, remaining: 4 }] })
      expect(await store.move?.({ ...credits, settle: { id, amount: 1, until: 9e12 } }, 1e12)).toEqual({
        balance: 8,
        charged: 1,
      })
      await store.touch?.([{ id, at: 5, uses: 1 }])
      expect(await store.replace({ ...key, version: 8 }, 7)).toBe(true)
      expect(await store.revokeWhere?.({ prefixes: [prefix], owner, resource }, 50, id)).toBe(1)
      const revoked = { version: 9, status: 'revoked', revokedAt: 50, updatedAt: 50, revokedReason: id } as const
      expect(await store.find(id)).toEqual({ ...key, ...revoked, lastUsedAt: 5, uses: 1 })
    }
    const all = await store.list({ prefixes: TEXTS, limit: 50 })
    expect(all.items).toHaveLength(TEXTS.length)
    for (const [index, { id }] of keys.entries()) {
      expect(await store.remove(id)).toBe(true)
      expect((await store.list({ prefixes: TEXTS, limit: 50 })).items).toHaveLength(TEXTS.length - index - 1)
    }
    const left = await sql<{ count: unknown }>`SELECT count(*) AS count FROM keyward_accounts`.execute(kysely)
    expect(left.rows.map(({ count }) => Number(count))).toEqual([0])
  })

  it('text that is SQL names nobody else, in any verb of Keyward', async () => {
    const keys = createApiKeys({ prefix: 'agk_', store: sqlStore(kysely), names: 'unique', storeTimeout: '10s' })
    const { record } = await keys.create({ owner: 'acct_1', name: 'n' })
    for (const text of TEXTS.filter((text) => !/\p{Cc}/u.test(text))) {
      expect(await keys.get(text)).toBeUndefined()
      expect((await keys.list({ owner: text })).items).toEqual([])
      expect((await keys.list({ name: text })).items).toEqual([])
      await expect(keys.list({ cursor: text })).rejects.toMatchObject({ code: 'INPUT' })
      await expect(keys.revoke(text, { reason: text })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await keys.revokeAll({ owner: text })).toBe(0)
      const made = await keys.create({ owner: text, name: text, metadata: { text } })
      await expect(keys.create({ owner: text, name: text })).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await keys.get(made.record.id)).toMatchObject({ owner: text, name: text, metadata: { text } })
      expect(await keys.verify(made.key, { owner: text })).toMatchObject({ ok: true })
      expect(await keys.verify(made.key, { owner: 'acct_1' })).toMatchObject({ code: 'owner_mismatch' })
      expect(await keys.revokeAll({ owner: text })).toBe(1)
    }
    expect(await keys.get(record.id)).toMatchObject({ status: 'active', name: 'n' })
    await keys.close()
  })

  it('an error names no value, whatever the database says', async () => {
    const prefix = 'broken_'
    await migrate(kysely, { prefix })
    const store = sqlStore(kysely, { prefix })
    const mark = 'Zw4kM'
    const key = storedKey({ id: mark, owner: mark, uniqueName: mark, hash: mark, name: mark, resource: mark })
    await store.insert(key)
    const taken: unknown = await Promise.resolve(store.insert(key)).then(undefined, (error: unknown) => error)
    expect(taken).toMatchObject({ code: 'CONFLICT' })
    await sql`ALTER TABLE broken_keys RENAME COLUMN owner TO lost`.execute(kysely)
    await sql`ALTER TABLE broken_accounts RENAME COLUMN free TO lost`.execute(kysely)
    const spend = { windows: [], cost: 1, credits: { account: mark, opening: { amount: 1, at: 1 }, amount: 1 } }
    const deeds = [
      () => store.find(mark),
      () => store.insert(key),
      () => store.replace(key, 7),
      () => store.list({ prefixes: [mark], owner: mark, limit: 9 }),
      () => store.revokeWhere?.({ prefixes: [mark], owner: mark }, 5, mark),
      () => store.take?.(mark, 7, spend, 1),
      () => store.move?.({ ...spend.credits, add: 1 }, 1),
    ]
    for (const deed of deeds) {
      const error: unknown = await Promise.resolve(deed()).then(undefined, (error: unknown) => error)
      expect(error).toMatchObject({ code: 'STORE' })
      expect([String(error), JSON.stringify(error), (error as Error).stack].join()).not.toContain(mark)
      expect(Object.hasOwn(error as Error, 'cause')).toBe(false)
    }
    expect(String(taken)).not.toContain(mark)
  })
})
