import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiKeys } from 'keyward'
import { afterAll, describe, expect, it } from 'vitest'
import type { KeyStore } from '../../../src/model/store.ts'
import { openDatabase } from '../../../src/storage/sqlite/driver.ts'
import { sqliteStore } from '../../../src/storage/sqlite.ts'
import { judged } from '../../support/outcome.ts'
import { storedKey } from '../stored-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyward-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = () => join(folder, `${++files}.db`)

/** While another connection writes, for longer than the store waits. */
async function whileLocked(file: string, work: () => unknown): Promise<void> {
  const locker = openDatabase(file)
  locker.exec('BEGIN IMMEDIATE')
  await work()
  locker.exec('ROLLBACK')
  locker.close()
}

const held = storedKey()
const CHANGES: Record<string, (store: KeyStore) => unknown> = {
  insert: (store) => store.insert(storedKey()),
  replace: (store) => store.replace({ ...held, version: 8 }, 7),
  remove: (store) => store.remove(held.id),
  revokeWhere: (store) => store.revokeWhere?.({ prefixes: ['agk_'], owner: 'nobody' }, 5),
  touch: (store) => store.touch?.([{ id: held.id, at: 5, uses: 1 }]),
  move: (store) => store.move?.({ account: ':a', opening: { amount: 1, at: 1 }, add: 1 }, 1),
}

describe.each(Object.entries(CHANGES))('sqliteStore, where %s met a lock,', (_, change) => {
  it('leaves nothing open: what is acknowledged later is there for other processes', async () => {
    const file = newFile()
    const [store, other] = [sqliteStore(file, { busyTimeout: 5 }), sqliteStore(file, { busyTimeout: 5 })]
    store.insert(held)
    await whileLocked(file, () => expect(() => change(store)).toThrow(/locked|busy/))
    const later = storedKey()
    store.insert(later)
    expect(other.find(later.id)).toEqual(later)
    const spend = { windows: [{ name: 'w', limit: 5, ms: 1_000 }], cost: 1 }
    expect(store.take?.(held.id, 7, spend, 5)).toMatchObject({ ok: true })
    expect(other.take?.(later.id, 7, spend, 5)).toMatchObject({ ok: true })
    store.close?.()
    other.close?.()
  })
})

it('R-19: a revocation that was acknowledged after a lock stands, in this process and in others', async () => {
  const file = newFile()
  const open = () =>
    createApiKeys({ prefix: 'agk_', store: sqliteStore(file, { busyTimeout: 5 }), cache: false, storeTimeout: '5s' })
  const [one, other] = [open(), open()]
  const { key, record } = await one.create({ owner: 'acct_1', limits: { minute: 100 } })
  await whileLocked(file, () => expect(one.revokeAll({ owner: 'acct_1' })).rejects.toMatchObject({ code: 'STORE' }))
  expect(await one.revoke(record.id)).toMatchObject({ status: 'revoked' })
  expect([await judged(other, key), await judged(one, key)]).toEqual(['revoked', 'revoked'])
  await Promise.all([one.close(), other.close()])
})

it('D-17: a change that met a lock costs that change, and no verification after it', async () => {
  const file = newFile()
  const keys = createApiKeys({ prefix: 'agk_', store: sqliteStore(file, { busyTimeout: 5 }) })
  const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 100 } })
  await whileLocked(file, () =>
    expect(keys.update(record.id, { name: 'new' })).rejects.toMatchObject({ code: 'STORE', outcome: 'unknown' }),
  )
  expect(await judged(keys, key)).toBe('admitted')
  await keys.close()
})
