import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiKeys, type KeyStore } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { migrate, sqlStore } from '../../src/storage/sql.ts'
import { accessIn } from '../support/outcome.ts'
import { connect } from './sql/databases.ts'
import { storedKey } from './stored-key.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 5, 1)

/** As many stores over one file, each of a process of its own. */
type Open = (count: number) => Promise<readonly Required<KeyStore>[]>

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-apart-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'keys.db')
}

const STORES: readonly (readonly [string, Open])[] = [
  [
    'sqliteStore',
    async (count) => {
      const file = newFile()
      return Array.from({ length: count }, () => {
        const store = sqliteStore(file) as Required<KeyStore>
        onTestFinished(() => void store.close())
        return store
      })
    },
  ],
  [
    'sqlStore',
    async (count) => {
      const file = newFile()
      const databases = Array.from({ length: count }, () => connect({ engine: 'SQLite', file }))
      onTestFinished(async () => void (await Promise.all(databases.map((database) => database.destroy()))))
      await migrate(databases[0] as never)
      return databases.map((database) => sqlStore(database) as Required<KeyStore>)
    },
  ],
]

describe.each(STORES)('processes on one file whose steady clocks are an hour apart (%s)', (_, open) => {
  it.each([10, 1000])('keep a limit of %i together', async (limit) => {
    const [behind, ahead] = await open(2)
    const key = storedKey()
    await behind?.insert(key)
    const spend = { windows: [{ name: 'minute', limit, ms: 60_000 }], cost: limit / 10 }
    let admitted = 0
    for (let i = 0; i < 40; i++) {
      for (const [store, now] of [
        [ahead, NOW + HOUR],
        [behind, NOW],
      ] as const) {
        const taken = await store?.take(key.id, key.version, spend, now + i)
        if (taken?.ok) admitted++
      }
    }
    expect(admitted).toBe(10)
    for (const [store, now] of [
      [behind, NOW],
      [ahead, NOW + HOUR],
    ] as const) {
      expect(await store?.take(key.id, key.version, spend, now + 62_000)).toMatchObject({ ok: true })
    }
  })

  it('hold credit for as long as it is meant to be held', async () => {
    const [behind, ahead] = await open(2)
    const time = { wall: NOW + HOUR, steady: 0 }
    const slept = { by: HOUR }
    const clock = { now: () => time.wall - slept.by, monotonic: () => time.steady }
    const options = { prefix: 'ca_', limits: { default: { minute: 100 } }, clock }
    const first = createApiKeys({ ...options, store: behind as KeyStore })
    slept.by = 0
    const second = createApiKeys({ ...options, store: ahead as KeyStore })
    const { key } = await second.create({ owner: 'acct_1', credits: { remaining: 100 } })
    expect((await second.verify(key, { cost: 1 })).ok).toBe(true)
    const access = accessIn(await first.verify(key, { reserve: 90 }))
    time.wall += 1_000
    time.steady += 1_000
    expect(await second.verify(key, { reserve: 90 })).toMatchObject({ code: 'insufficient_balance' })
    expect(await access.settle(90)).toEqual({ charged: 90, short: 0 })
  })

  it('those that are less than a second apart go by their own: else each would push the other on', async () => {
    const [one, other] = await open(2)
    const key = storedKey()
    await one?.insert(key)
    const spend = { windows: [{ name: 'minute', limit: 9, ms: 60_000 }], cost: 1 }
    for (const [store, now] of [
      [one, NOW + 900],
      [other, NOW],
      [one, NOW + 901],
    ] as const) {
      const taken = await store?.take(key.id, key.version, spend, now)
      expect(taken).toMatchObject({ ok: true })
      expect(taken).not.toHaveProperty('at')
    }
  })

  it('a clock that was wrong once locks nobody out', async () => {
    const [store] = await open(1)
    const key = storedKey()
    await store?.insert(key)
    const spend = { windows: [{ name: 'minute', limit: 1, ms: 60_000 }], cost: 1 }
    const take = async (now: number) => (await store?.take(key.id, key.version, spend, now))?.ok
    expect([await take(NOW + 24 * HOUR), await take(NOW), await take(NOW + 61_000)]).toEqual([true, false, true])
  })
})
