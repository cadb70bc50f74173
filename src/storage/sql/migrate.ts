import { KeywardError } from '../../model/errors.ts'
import { requireCommits } from './commits.ts'
import { wholeOf } from './engine.ts'
import { lacksTable } from './errors.ts'
import { MIGRATIONS, schemaTable, type Tables } from './schema.ts'
import { type Connections, persistently, type Session } from './session.ts'

/** How long a process waits for another that migrates, s. */
const PATIENCE = 60
/** The same in SQLite, which knows of no waiting but to try again. */
const TRIES = 1_000

/**
 * Brings a database to the schema of this version. Harmless when it has it, and when several processes do it at once.
 * @throws KeywardError `CONFIG` for a schema that is newer than this program, and for a database that cannot hold every text
 */
export async function bringUpToDate(connections: Connections, tables: Tables): Promise<void> {
  const { engine } = connections
  await persistently(engine, () => requireCommits(connections))
  // A look first: where all is done, the program needs no right to create tables.
  const found = await persistently(engine, () => schemaVersion(connections, tables), TRIES)
  if (found === MIGRATIONS.length) return
  refuseNewer(found)
  if (found === 0) await persistently(engine, () => requireUnicode(connections))
  await persistently(engine, () => (engine.name === 'MySQL' ? underName : inTransaction)(connections, tables), TRIES)
}

/** Says what to do where the schema is not that of this version. */
export async function requireSchema(connections: Connections, tables: Tables): Promise<void> {
  await requireCommits(connections)
  const found = await schemaVersion(connections, tables)
  refuseNewer(found)
  if (found === MIGRATIONS.length) return
  throw new KeywardError(
    'CONFIG',
    found === 0
      ? `${connections.engine.name} has no tables of Keyward: await migrate(kysely) first`
      : `the schema ${found} of ${tables.schema} is older than this keyward: await migrate(kysely) first`,
  )
}

/** SQL_ASCII keeps bytes as they come. Tables that are there already go on: whatever they could not hold was refused. */
const UNICODE: readonly unknown[] = ['UTF8', 'SQL_ASCII']

/** Another encoding refuses names and owners of half the world, or finds none of them, and not before somebody has one. */
async function requireUnicode(session: Session): Promise<void> {
  if (session.engine.name !== 'PostgreSQL') return
  const [row] = await session.rows(`SELECT current_setting('server_encoding') AS encoding`)
  if (UNICODE.includes(row?.encoding)) return
  throw new KeywardError('CONFIG', `the encoding of this database is ${row?.encoding}, and must be UTF8`)
}

/** 0 where there is none yet. */
async function schemaVersion(session: Session, { schema }: Tables): Promise<number> {
  try {
    const [row] = await session.rows(`SELECT MAX(version) AS version FROM ${schema}`)
    return row?.version == null ? 0 : wholeOf(row.version)
  } catch (error) {
    if (lacksTable(error)) return 0
    throw error
  }
}

function refuseNewer(found: number): void {
  if (found <= MIGRATIONS.length) return
  throw new KeywardError(
    'CONFIG',
    `the schema ${found} of this database is newer than this keyward, which knows ${MIGRATIONS.length}`,
  )
}

/**
 * Where the tables are, wherever on the path that is: a new one would be made in its first schema, and if that came later
 * (a role that got one of its own name) all would be made there once more, empty.
 */
const STAY = `SELECT set_config('search_path', quote_ident(n.nspname) || ', ' || current_setting('search_path'), true)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(?)`

/** PostgreSQL and SQLite undo a migration that fails; a lock lets one process make it and the others find it made. */
function inTransaction(connections: Connections, tables: Tables): Promise<void> {
  return connections.transaction(async (session) => {
    if (session.engine.name === 'PostgreSQL') {
      await session.rows(STAY, [tables.schema])
      await session.rows('SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext(?))', [tables.schema])
    }
    await makeAll(session, tables)
  })
}

/** MySQL commits at every CREATE: a lock by name, which the connection holds. */
function underName(connections: Connections, tables: Tables): Promise<void> {
  return connections.alone(async (session) => {
    const lock = `SHA1(CONCAT('keyward ', COALESCE(DATABASE(), ''), ' ', ?))`
    const [row] = await session.rows(`SELECT GET_LOCK(${lock}, ${PATIENCE}) AS locked`, [tables.schema])
    if (Number(row?.locked) !== 1) throw new KeywardError('STORE', 'another process has been migrating for too long')
    try {
      await makeAll(session, tables)
    } finally {
      await session.rows(`SELECT RELEASE_LOCK(${lock}) AS released`, [tables.schema])
    }
  })
}

async function makeAll(session: Session, tables: Tables): Promise<void> {
  await session.run(schemaTable(session.engine, tables))
  const found = await schemaVersion(session, tables)
  refuseNewer(found)
  for (const [index, migration] of [...MIGRATIONS.entries()].slice(found)) {
    for (const sql of migration(session.engine, tables)) await session.run(sql)
    await session.run(`INSERT INTO ${tables.schema} (version) VALUES (?)`, [index + 1])
  }
}
