import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { connect, type Prepared, prepare, type SERVERS } from '../storage/sql/databases.ts'
import { asUser } from './private-server.ts'

/** A database whose disk is full when it is filled, and has room again when it is freed. */
export interface FullDisk extends Prepared {
  fill(): Promise<void>
  free(): Promise<void>
}

/**
 * MariaDB has all tables in one file that may not grow: what it says then is what it says of a full disk. The tables of
 * PostgreSQL lie on a small disk of their own where we may make one (root), else every row that is added is refused in
 * the words of a full disk.
 */
export async function onSmallDisk(engine: (typeof SERVERS)[number]): Promise<FullDisk> {
  const small = ['--innodb-file-per-table=0', '--innodb-data-file-path=ibdata1:12M:autoextend:max:16M']
  const prepared = await prepare(engine, engine === 'MariaDB' ? small : [])
  const admin = connect(prepared.target, 1)
  const unmount = engine === 'PostgreSQL' ? await putOnSmallDisk(admin) : undefined
  const end = async () => {
    await admin.destroy()
    await prepared.end()
    unmount?.()
  }
  return { ...prepared, end, ...fillingOf(admin, engine === 'MariaDB' || unmount !== undefined) }
}

function fillingOf(admin: Kysely<unknown>, isSmall: boolean): Pick<FullDisk, 'fill' | 'free'> {
  if (!isSmall) return refusingOf(admin)
  return {
    async fill() {
      await sql`CREATE TABLE filler (text TEXT)`.execute(admin)
      // Large rows as long as there is room for them, then what still fits beside them.
      for (const size of [100_000, 2_000]) while (await isAdded(admin, size)) {}
    },
    free: async () => void (await sql`DROP TABLE filler`.execute(admin)),
  }
}

async function isAdded(admin: Kysely<unknown>, size: number): Promise<boolean> {
  // Not to be compressed.
  const text = Array.from({ length: size / 10 }, () => Math.random().toString(36).slice(2, 12).padEnd(10, '0')).join('')
  try {
    await sql`INSERT INTO filler VALUES (${text})`.execute(admin)
    return true
  } catch {
    return false
  }
}

const TABLES = ['keyward_keys', 'keyward_accounts', 'keyward_holds'] as const

function refusingOf(admin: Kysely<unknown>): Pick<FullDisk, 'fill' | 'free'> {
  return {
    async fill() {
      await sql`CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$`.execute(admin)
      for (const table of TABLES) {
        const words = `CREATE TRIGGER full_disk AFTER INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION is_full()`
        await sql.raw(words).execute(admin)
      }
    },
    free: async () => void (await sql`DROP FUNCTION is_full CASCADE`.execute(admin)),
  }
}

/** From the next connection on, tables are made there. @returns what takes the disk away, where there is one */
async function putOnSmallDisk(admin: Kysely<unknown>): Promise<(() => void) | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmdirSync(folder)
    return undefined
  }
  const { uid = 0, gid = 0 } = asUser('postgres')
  chownSync(folder, uid, gid)
  await sql.raw(`CREATE TABLESPACE small LOCATION '${folder}'`).execute(admin)
  await sql`ALTER ROLE keyward SET default_tablespace = small`.execute(admin)
  await sql`SET default_tablespace = small`.execute(admin)
  return () => {
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' })
    rmdirSync(folder)
  }
}
