import { createApiKeys } from 'keyward'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { CreditMove } from '../../../src/model/store.ts'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { accessIn, judged } from '../../support/outcome.ts'
import { storedKey } from '../stored-key.ts'
import { connect, ENGINES, type Prepared, prepare } from './databases.ts'

const HOUR = 3_600_000
/** How far the caller's clock is from the server's: a machine that slept, one without NTP. */
const APART = [-HOUR, 0, HOUR]

describe.each(ENGINES)('over %s, for a process whose clock is wrong,', (engine) => {
  let prepared: Prepared
  let kysely: Kysely<unknown>

  beforeAll(async () => {
    prepared = await prepare(engine)
    kysely = connect(prepared.target)
    await migrate(kysely)
  }, 60_000)
  afterAll(async () => {
    await kysely?.destroy()
    await prepared?.end()
  })

  it.each(APART)('what is held is held (%i ms)', async (apart) => {
    let isAwake = false
    // Before it slept, its clocks agreed.
    const clock = { now: () => Date.now() + (isAwake ? 0 : apart), monotonic: () => performance.now() }
    const keys = createApiKeys({ prefix: 'agk_', store: sqlStore(kysely), clock })
    onTestFinished(() => keys.close())
    isAwake = true
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
    const access = accessIn(await keys.verify(key, { reserve: 60 }))
    expect(await judged(keys, key, { reserve: 60 })).toBe('insufficient_balance')
    expect(await access.settle(60)).toEqual({ charged: 60, short: 0 })
    expect(await access.settle(60)).toEqual({ charged: 60, short: 0 })
    expect(await keys.balance({ id: record.id })).toBe(40)
    const by = { idempotencyKey: 'once' }
    expect(await keys.credit({ id: record.id }, 5, by)).toBe(45)
    expect(await keys.credit({ id: record.id }, 5, by)).toBe(45)
    expect(await keys.balance({ id: record.id })).toBe(45)
  })

  it.each(APART)(
    'a hold, what was settled and what was given last as long as they were meant to (%i ms)',
    async (apart) => {
      const store = sqlStore(kysely)
      const now = () => Date.now() + apart
      const key = storedKey()
      await store.insert(key)
      const account = { account: `${key.id}:1`, opening: { amount: 10, at: 1 } }
      const take = async (id: string, ms: number) => {
        const credits = { ...account, amount: 1, hold: { id, until: now() + ms } }
        return store.take?.(key.id, 7, { windows: [], cost: 1, credits }, now())
      }
      const move = async (change: Partial<CreditMove> = {}) =>
        store.move?.({ ...account, ...change } as CreditMove, now())
      await Promise.all([take('long', 60_000), take('short', 300)])
      expect(await move({ add: 1, once: { id: 'given', until: now() + 60_000 } })).toEqual({ balance: 9, added: 1 })
      expect(await move({ settle: { id: 'long', amount: 1, until: now() + 60_000 } })).toMatchObject({ charged: 1 })
      // The short one comes back, and no other.
      await expect.poll(async () => (await move())?.balance, { timeout: 5_000 }).toBe(10)
      expect(await move({ settle: { id: 'long', amount: 1, until: now() + 60_000 } })).toEqual({
        balance: 10,
        charged: 1,
      })
      expect(await move({ add: 1, once: { id: 'given', until: now() + 60_000 } })).toEqual({ balance: 10, added: 1 })
    },
  )
})
