import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { accessIn, judged } from '../../support/outcome.ts'
import { connect, type Prepared, prepare, SERVERS } from './databases.ts'

describe.each(SERVERS)('D-17: over %s, while a row is locked,', (engine) => {
  let prepared: Prepared
  let host: Kysely<unknown>

  beforeAll(async () => {
    prepared = await prepare(engine)
    host = connect(prepared.target, 2)
    await migrate(host)
  }, 60_000)
  afterAll(async () => {
    await host?.destroy()
    await prepared?.end()
  })

  function open(storeTimeout: ApiKeysOptions['storeTimeout']) {
    const kysely = connect(prepared.target)
    const keys = createApiKeys({ prefix: 'agk_', store: sqlStore(kysely), storeTimeout })
    onTestFinished(async () => {
      await keys.close()
      await kysely.destroy()
    })
    return keys
  }

  async function whileLocked(table: 'keys' | 'accounts', work: () => Promise<unknown>): Promise<void> {
    await host.transaction().execute(async (transaction) => {
      await sql`SELECT * FROM ${sql.table(`keyward_${table}`)} FOR UPDATE`.execute(transaction)
      await work()
    })
  }

  it('requests that are refused as unavailable are not charged when it is free again', async () => {
    const keys = open(200)
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 }, limits: { hour: 500 } })
    expect(await judged(keys, key)).toBe('admitted')
    await whileLocked('keys', async () => {
      const asked = await Promise.all(Array.from({ length: 40 }, () => judged(keys, key)))
      expect(new Set(asked)).toEqual(new Set(['unavailable']))
    })
    await expect.poll(() => judged(keys, key, { cost: 0 }), { timeout: 5_000 }).toBe('admitted')
    const left = accessIn(await keys.verify(key, { cost: 0 })).readings[0]?.remaining
    // The first had its turn, and waited for the row: it alone may be charged.
    expect(left).toBeGreaterThanOrEqual(500 - 2)
    expect(await keys.balance({ id: record.id })).toBeGreaterThanOrEqual(100 - 2)
  })

  it('what is settled is settled when it is free again, however long that took', async () => {
    const keys = open(50)
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
    const held = await Promise.all([1, 2, 3].map(() => keys.verify(key, { reserve: 10 })))
    await whileLocked('accounts', async () => {
      const settled = held.map((verdict) => accessIn(verdict).settle(4))
      const codes = (await Promise.allSettled(settled)).map(({ status }) => status)
      expect(codes).toEqual(['rejected', 'rejected', 'rejected'])
    })
    await expect.poll(() => keys.balance({ id: record.id }), { timeout: 5_000 }).toBe(100 - 3 * 4)
  })

  it('those who may wait for longer do, and are served', async () => {
    const keys = open('20s')
    const { key } = await keys.create({ owner: 'acct_1', limits: { hour: 30 } })
    const asked: Promise<string>[] = []
    await whileLocked('keys', async () => {
      for (let time = 0; time < 40; time++) asked.push(judged(keys, key))
      await new Promise((resolve) => setTimeout(resolve, 400))
    })
    const codes = await Promise.all(asked)
    expect(codes.filter((code) => code === 'admitted')).toHaveLength(30)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(10)
  })
})
