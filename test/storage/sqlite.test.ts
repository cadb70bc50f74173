import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { KeyStore, ListPage } from '../../src/model/store.ts'
import { libsql, nodeSqlite, openDatabase } from '../../src/storage/sqlite/driver.ts'
import { prepareDatabase } from '../../src/storage/sqlite/schema.ts'
import { storeOver } from '../../src/storage/sqlite/store.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { storeChecks } from '../../src/testing/store-checks.ts'
import { NONSENSE, storedKey } from './stored-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyward-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = () => join(folder, `${++files}.db`)

const WINDOWS = [
  { name: 'minute', limit: 5, ms: 60_000 },
  { name: 'day', limit: 500, ms: 86_400_000 },
]
const SPEND = { windows: WINDOWS, cost: 2 }

const [viaLibsql, viaNode] = [libsql(), nodeSqlite()]
const drivers = [
  ...(viaLibsql === undefined ? [] : [{ driver: 'libsql', open: viaLibsql }]),
  ...(viaNode === undefined ? [] : [{ driver: 'node:sqlite', open: viaNode }]),
]

it('finds libsql, and node:sqlite where Node has it', () => {
  const newest = Number(process.versions.node.split('.')[0]) >= 24
  expect(drivers.map(({ driver }) => driver)).toEqual(
    expect.arrayContaining(newest ? ['libsql', 'node:sqlite'] : ['libsql']),
  )
})

describe.each(drivers)('over $driver, sqliteStore', ({ open }) => {
  describe('keeps the storage contract', () => {
    const shared = over(newFile())
    for (const check of storeChecks(() => shared)) it.concurrent(check.name, check.run)
    afterAll(() => shared.close?.())
  })

  it('finds everything again when the file is opened anew', () => {
    const file = newFile()
    const first = over(file)
    const key = storedKey({ uniqueName: 'acct_1 n', metadata: { a: [1] }, revokedReason: 'r' })
    first.insert(key)
    first.touch?.([{ id: key.id, at: 5, uses: 2 }])
    first.take?.(key.id, key.version, SPEND, 1_000)
    first.close?.()
    const second = over(file)
    expect(second.find(key.id)).toEqual({ ...key, lastUsedAt: 5, uses: 2 })
    expect(second.take?.(key.id, key.version, SPEND, 2_000)).toMatchObject({
      ok: true,
      readings: [{ remaining: 1 }, { remaining: 496 }],
    })
    expect(() => second.insert(storedKey({ uniqueName: 'acct_1 n' }))).toThrow(taken)
    second.close?.()
  })

  it('keeps apart what differs in a NUL, a control character or half an emoji', () => {
    const store = over(':memory:')
    const texts = [
      'a',
      'a\0',
      'a\0b',
      'a\u0001',
      'a\u00010000',
      'a\u00010001',
      'a\ud83d',
      'a\ud83e',
      'a\ud83d\ude00',
      'a\ufffd',
    ]
    const keys = texts.map((id) =>
      storedKey({ id, owner: id, resource: id, uniqueName: id, name: id, revokedReason: id }),
    )
    for (const key of keys) store.insert(key)
    for (const key of keys) {
      expect(store.find(key.id)).toEqual(key)
      expect(store.list({ prefixes: ['agk_'], owner: key.owner, limit: 9 })).toEqual({ items: [key] })
    }
    const seen: string[] = []
    let page: ListPage = { items: [] }
    do {
      const { cursor } = page
      page = store.list({ prefixes: ['agk_'], limit: 3, ...(cursor !== undefined && { cursor }) }) as ListPage
      seen.push(...page.items.map(({ id }) => id))
    } while (page.cursor !== undefined)
    expect(seen).toEqual(texts.toReversed())
    store.close?.()
  })

  it('answers nothing of its own beside the key', () => {
    const store = over(':memory:')
    const key = storedKey()
    store.insert(key)
    expect(Object.keys(store.find(key.id) ?? {}).sort()).toEqual(Object.keys(key).sort())
    store.close?.()
  })

  it('calls a record or counters that are damaged by their id, without what stands there', () => {
    const database = open(':memory:')
    prepareDatabase(database, 200)
    const store = storeOver(database)
    const key = storedKey({ hash: 'sha256$secret' })
    for (const data of ['{"hash":"sha256$secret"', 'null', '[]', '"sha256$secret"', '']) {
      store.remove(key.id)
      store.insert(key)
      database.prepare('UPDATE keyward_keys SET data = ?').run(data)
      expect(() => store.find(key.id)).toThrow(storeError(`the record of ${key.id} is damaged`))
    }
    database.prepare('INSERT INTO keyward_counters VALUES (?, ?)').run(key.id, '[["minute",60000,0,null]]')
    expect(() => store.take?.(key.id, key.version, SPEND, 1)).toThrow(
      storeError(`the counters of ${key.id} are damaged`),
    )
    store.close?.()
  })

  it('D-15 lists the others beside a record that is damaged, whose id it says', () => {
    const database = open(':memory:')
    prepareDatabase(database, 200)
    const store = storeOver(database)
    const keys = [storedKey(), storedKey(), storedKey()] as const
    for (const key of keys) store.insert(key)
    const [oldest, damaged, newest] = keys
    database.prepare('UPDATE keyward_keys SET data = ? WHERE id = ?').run('{', damaged.id)
    const first = store.list({ prefixes: ['agk_'], limit: 2 }) as ListPage
    expect(first).toEqual({ items: [newest], damaged: [damaged.id], cursor: expect.any(String) })
    expect(store.list({ prefixes: ['agk_'], limit: 9, cursor: first.cursor ?? '' })).toEqual({
      items: [oldest],
    })
    store.close?.()
  })

  it('leaves everything in the file alone when it is closed', () => {
    const [file, copy] = [newFile(), newFile()]
    const store = over(file)
    const key = storedKey()
    store.insert(key)
    store.take?.(key.id, key.version, SPEND, 1_000)
    expect(store.find(key.id)).toEqual(key)
    store.close?.()
    copyFileSync(file, copy)
    const other = over(copy)
    expect(other.find(key.id)).toEqual(key)
    expect(other.take?.(key.id, key.version, SPEND, 2_000)).toMatchObject({ readings: [{ remaining: 1 }, {}] })
    other.close?.()
  })

  it('is closed also while another reads', () => {
    const file = newFile()
    const store = over(file)
    const reader = open(file)
    reader.exec('BEGIN')
    expect(reader.prepare('SELECT id FROM keyward_keys').all()).toEqual([])
    const key = storedKey()
    store.insert(key)
    store.close?.()
    expect(reader.prepare('SELECT id FROM keyward_keys').all()).toEqual([])
    reader.exec('COMMIT')
    expect(reader.prepare('SELECT id FROM keyward_keys').all()).toMatchObject([{ id: key.id }])
    reader.close()
  })

  it('throws STORE after close, which is harmless twice', () => {
    const store = over(newFile())
    store.close?.()
    store.close?.()
    const key = storedKey()
    const closed = storeError('the SQLite store is closed')
    expect(() => store.find('a')).toThrow(closed)
    expect(() => store.insert(key)).toThrow(closed)
    expect(() => store.take?.('a', 1, SPEND, 1)).toThrow(closed)
  })

  it('throws STORE when another connection keeps the file locked, and goes on after that', () => {
    const file = newFile()
    const store = over(file)
    const key = storedKey()
    // Of the same library: two of them in one process do not see each other's locks.
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    expect(() => store.insert(key)).toThrow(storeError('SQLite: database is locked'))
    expect(() => store.take?.(key.id, 7, SPEND, 1)).toThrow(storeError('SQLite: database is locked'))
    expect(store.find(key.id)).toBeUndefined()
    other.exec('ROLLBACK')
    other.close()
    store.insert(key)
    expect(store.find(key.id)).toEqual(key)
    store.close?.()
  })

  it.each(NONSENSE)('refuses the cursor %j with INPUT', (cursor) => {
    const store = over(':memory:')
    const refused = expect.objectContaining({ code: 'INPUT', issues: [expect.objectContaining({ path: 'cursor' })] })
    expect(() => store.list({ prefixes: ['agk_'], limit: 9, cursor })).toThrow(refused)
    store.close?.()
  })

  function over(file: string): KeyStore {
    const database = open(file)
    prepareDatabase(database, 20)
    return storeOver(database)
  }
})

describe('sqliteStore', () => {
  it('works in memory', () => {
    const store = sqliteStore(':memory:')
    const key = storedKey()
    store.insert(key)
    expect(store.find(key.id)).toEqual(key)
    expect(sqliteStore(':memory:').find(key.id)).toBeUndefined()
    store.close?.()
  })

  it('turns on the write-ahead log', () => {
    const file = newFile()
    const store = sqliteStore(file)
    const database = openDatabase(file)
    expect(database.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    store.close?.()
    database.close()
  })

  it('leaves a file that another program made its own tables', () => {
    const file = newFile()
    const database = openDatabase(file)
    database.exec("CREATE TABLE keys (id TEXT); INSERT INTO keys VALUES ('theirs')")
    const store = sqliteStore(file)
    store.insert(storedKey())
    expect(database.prepare('SELECT id FROM keys').all()).toHaveLength(1)
    store.close?.()
    database.close()
  })

  it('refuses a file that a newer version wrote', () => {
    const file = newFile()
    const database = openDatabase(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => sqliteStore(file)).toThrow(config(`cannot open ${file}`, 'newer than this keyward'))
  })

  it.each([1, 2])('refuses the file of another program (user_version %i), and leaves it as it is', (version) => {
    const file = newFile()
    const database = openDatabase(file)
    database.exec(`CREATE TABLE orders (id INTEGER); PRAGMA user_version = ${version}`)
    expect(() => sqliteStore(file)).toThrow(config(`cannot open ${file}`, 'another program'))
    expect(database.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: version })
    expect(database.prepare('SELECT name FROM sqlite_master').all()).toMatchObject([{ name: 'orders' }])
    database.close()
  })

  it('refuses a file that is no database, and leaves it as it is', () => {
    const file = newFile()
    const text = 'This is a letter, and no database.\n'.repeat(300)
    writeFileSync(file, text)
    expect(() => sqliteStore(file)).toThrow(config(`cannot open ${file}`, 'not a database'))
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('refuses a folder that is not there, a folder itself, and an address', () => {
    const missing = join(folder, 'none', 'keys.db')
    expect(() => sqliteStore(missing)).toThrow(config(`cannot open ${missing}`, 'its folder does not exist'))
    expect(() => sqliteStore(folder)).toThrow(config(`cannot open ${folder}`, 'it is a folder'))
    expect(() => sqliteStore('http://localhost:1')).toThrow(config('its folder does not exist'))
  })

  it.each(['', 'a\0b', undefined, 5])('refuses %j as a file', (file) => {
    expect(() => sqliteStore(file as string)).toThrow(config('the file of sqliteStore'))
  })

  it.each([-1, 0.5, '200', Number.NaN, 60_001])('refuses a busyTimeout of %j', (busyTimeout) => {
    expect(() => sqliteStore(':memory:', { busyTimeout: busyTimeout as number })).toThrow(config('busyTimeout'))
  })

  it.each([200, null, [], 'busyTimeout'])('refuses %j as options', (options) => {
    expect(() => sqliteStore(':memory:', options as object)).toThrow(config('the options of sqliteStore'))
  })

  it('refuses an option that it has not got', () => {
    expect(() => sqliteStore(':memory:', { timeout: 5 } as object)).toThrow(config('no option "timeout"'))
  })
})

const taken = expect.objectContaining({ code: 'CONFLICT' })

function storeError(message: string): unknown {
  return expect.objectContaining({ code: 'STORE', message })
}

function config(...parts: readonly string[]): unknown {
  return expect.toSatisfy((error) => {
    const { code, message } = error as { readonly code: string; readonly message: string }
    return code === 'CONFIG' && parts.every((part) => message.includes(part))
  })
}
