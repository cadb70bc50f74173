import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createApiKeys, type KeyStore, memoryStore, type StoredKey, sha256 } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { type Kysely, sql } from 'kysely'
import { randomBase62 } from '../src/key/base62.ts'
import { ID_LENGTH, SECRET_LENGTH, writeKey } from '../src/key/format.ts'
import { COLUMNS, toValues } from '../src/storage/key-rows.ts'
import { send } from '../src/storage/sql/database.ts'
import { engineOf } from '../src/storage/sql/engine.ts'
import { valuesOf } from '../src/storage/sql/rows.ts'
import { openDatabase } from '../src/storage/sqlite/driver.ts'
import { connect } from '../test/storage/sql/databases.ts'
import { openPlace, type Place, prefixOf, prepareTables, type ServerName, startPlace } from './place.ts'

/** A store that takes very many keys fast, and says what they weigh. */
export interface Shelf {
  readonly store: KeyStore
  fill(keys: readonly StoredKey[]): Promise<void>
  /** Bytes that it takes; absent in memory. */
  weight?(): Promise<number>
}

export interface OpenShelf extends Shelf {
  close(): Promise<void>
}

/** Two stores of one engine, side by side, so that whatever slows one slows the other. */
export interface Shelves {
  readonly small: Shelf
  readonly large: Shelf
  end(): Promise<void>
}

export const ENGINES = ['memory', 'SQLite', 'Redis', 'Redis Cluster', 'PostgreSQL', 'MariaDB'] as const
export type EngineName = (typeof ENGINES)[number]

export async function openShelves(engine: EngineName): Promise<Shelves> {
  if (engine === 'memory') return { small: memoryShelf(), large: memoryShelf(), end: async () => {} }
  if (engine === 'SQLite') {
    const folder = mkdtempSync(join(tmpdir(), 'keyward-drill-'))
    const [small, large] = ['small', 'large'].map((name) => sqliteShelf(join(folder, name))) as [OpenShelf, OpenShelf]
    return {
      small,
      large,
      async end() {
        await Promise.all([small.close(), large.close()])
        rmSync(folder, { recursive: true })
      },
    }
  }
  return openServer(engine)
}

async function openServer(engine: ServerName): Promise<Shelves> {
  const running = await startPlace(engine, { durable: false })
  const [small, large] = (await Promise.all(['small', 'large'].map((name) => shelfAt({ ...running.place, name })))) as [
    OpenShelf,
    OpenShelf,
  ]
  return {
    small,
    large,
    async end() {
      await small.close()
      await large.close()
      await running.end()
    },
  }
}

function memoryShelf(): Shelf {
  const store = memoryStore()
  return { store, fill: inserts(store) }
}

function sqliteShelf(file: string): OpenShelf {
  const store = sqliteStore(file)
  const database = openDatabase(file)
  const marks = COLUMNS.map(() => '?').join(', ')
  const insert = database.prepare(`INSERT INTO keyward_keys (${COLUMNS.join(', ')}) VALUES (${marks})`)
  return {
    store,
    async fill(keys) {
      database.exec('BEGIN')
      for (const key of keys) insert.run(...toValues(key))
      database.exec('COMMIT')
    },
    async weight() {
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      return statSync(file).size
    },
    async close() {
      database.close()
      await store.close?.()
    },
  }
}

export async function shelfAt(place: Place): Promise<OpenShelf> {
  await prepareTables(place)
  const { store, close } = openPlace(place, { isPatient: true })
  if (place.engine === 'Redis') return { store, close, fill: inserts(store), weight: () => redisWeight([place.port]) }
  if (place.engine === 'Redis Cluster')
    return { store, close, fill: inserts(store), weight: () => redisWeight(place.ports) }
  const kysely = connect(place, 2)
  const table = `${prefixOf(place)}keys`
  return {
    store,
    fill: (keys) => writeRows(kysely, table, keys),
    weight: () => (place.engine === 'PostgreSQL' ? postgresWeight(kysely, table) : mariadbWeight(kysely, table)),
    async close() {
      await close()
      await kysely.destroy()
    },
  }
}

/** The prefix of all keys of the drills. */
export const PREFIX = 'drl_'
/** Keys that are written together. */
const BATCH = 500

/** Keys that no store has yet, and their texts. */
export interface Printed {
  readonly keys: readonly StoredKey[]
  readonly texts: readonly string[]
}

/** Makes keys like one that `create` made. All have one secret, and hashes of their own: what is hashed holds the id. */
export async function print(count: number, ownerOf: (at: number) => string): Promise<Printed> {
  const made: StoredKey[] = []
  const store = { ...memoryStore(), insert: (stored: StoredKey) => void made.push(stored) }
  const { key } = await createApiKeys({ prefix: PREFIX, store }).create({ owner: '-', scopes: ['a:read', 'b:read'] })
  const [model] = made as [StoredKey]
  const secret = key.slice(PREFIX.length + ID_LENGTH, PREFIX.length + ID_LENGTH + SECRET_LENGTH)
  const { make } = sha256()
  const keys: StoredKey[] = []
  const texts: string[] = []
  for (let at = 0; at < count; at++) {
    const id = randomBase62(ID_LENGTH, randomBytes)
    const text = writeKey(PREFIX, id, secret).key
    const createdAt = model.createdAt + at
    keys.push({
      ...model,
      id,
      owner: ownerOf(at),
      name: `Key ${at}`,
      hash: String(make(text)),
      createdAt,
    })
    texts.push(text)
  }
  return { keys, texts }
}

export async function fill(shelf: Shelf, keys: readonly StoredKey[]): Promise<void> {
  for (let at = 0; at < keys.length; at += BATCH) await shelf.fill(keys.slice(at, at + BATCH))
}

function inserts(store: KeyStore): Shelf['fill'] {
  return async (keys) => void (await Promise.all(keys.map((key) => store.insert(key))))
}

/** One by one, a million would take as many round trips. */
async function writeRows(kysely: Kysely<unknown>, table: string, keys: readonly StoredKey[]): Promise<void> {
  const engine = engineOf(kysely)
  const row = `(${COLUMNS.map(() => '?').join(', ')}, 0)`
  const text = `INSERT INTO ${table} (${COLUMNS.join(', ')}, revision) VALUES ${keys.map(() => row).join(', ')}`
  await send(
    kysely,
    engine.placed(text),
    keys.flatMap((key) => valuesOf(engine, key)),
  )
}

async function redisWeight(ports: readonly number[]): Promise<number> {
  const clients = ports.map((port) => new Redis(port, '127.0.0.1'))
  const infos = await Promise.all(clients.map((client) => client.info('memory')))
  for (const client of clients) client.disconnect()
  return infos.reduce((sum, info) => sum + Number(/^used_memory:(\d+)/m.exec(info)?.[1]), 0)
}

async function postgresWeight(kysely: Kysely<unknown>, table: string): Promise<number> {
  const { rows } = await sql<{ size: unknown }>`SELECT pg_total_relation_size(${table}::regclass) AS size`.execute(
    kysely,
  )
  return Number(rows[0]?.size)
}

async function mariadbWeight(kysely: Kysely<unknown>, table: string): Promise<number> {
  const { rows } = await sql<{
    size: unknown
  }>`SELECT FILE_SIZE AS size FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME = ${`keyward/${table}`}`.execute(
    kysely,
  )
  return Number(rows[0]?.size)
}
