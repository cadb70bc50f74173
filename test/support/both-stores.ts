import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KeyStore, memoryStore } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { onTestFinished } from 'vitest'
import { openDatabase } from '../../src/storage/sqlite/driver.ts'

const TABLES = { keyward_keys: 'id', keyward_uses: 'id', keyward_counters: 'id', keyward_accounts: 'account' } as const

/** An empty store until the test ends. */
export interface Opened {
  readonly store: KeyStore
  /** All that is kept of these keys, as text: records, use marks, counters, balances. */
  rows(ids: readonly string[]): Promise<string>
}

export const BOTH_STORES: readonly (readonly [string, () => Opened])[] = [
  ['memory', openMemory],
  ['sqlite', openSqlite],
]

/** What lies beside a record in memory is not to be seen but by asking: a cost of 0 and a move of nothing change nothing. */
function openMemory(): Opened {
  const store = memoryStore()
  const at = Date.UTC(2026, 0, 1)
  async function row(id: string): Promise<unknown> {
    const key = await store.find(id)
    if (key === undefined) return [id]
    const windows = Object.entries(key.limits ?? {}).flatMap(([name, limit]) =>
      limit === null ? [] : [{ name, limit: limit.limit, ms: limit.ms }],
    )
    const account = { account: `${id}:${key.credits?.opened ?? 0}`, opening: { amount: 0, at } }
    return [key, await store.take?.(id, key.version, { windows, cost: 0 }, at), await store.move?.(account, at)]
  }
  return { store, rows: async (ids) => JSON.stringify(await Promise.all(ids.map(row))) }
}

/** The file itself, through a connection of its own. */
function openSqlite(): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-attacks-'))
  const file = join(folder, 'keys.db')
  const store = sqliteStore(file)
  const database = openDatabase(file)
  onTestFinished(() => {
    database.close()
    store.close?.()
    rmSync(folder, { recursive: true })
  })
  const rowsOf = (table: string, column: string, id: string) =>
    database.prepare(`SELECT * FROM ${table} WHERE substr(${column}, 1, 12) = ? ORDER BY ${column}`).all(id)
  return {
    store,
    rows: async (ids) =>
      JSON.stringify(ids.map((id) => Object.entries(TABLES).map(([table, column]) => rowsOf(table, column, id)))),
  }
}
