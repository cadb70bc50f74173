import { createApiKeys } from 'keyward'
import { migrate, sqlStore } from 'keyward/sql'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connect, SERVERS } from '../storage/sql/databases.ts'
import { type FullDisk, onSmallDisk } from '../support/full-disk.ts'
import { accessIn, codeOf, failure } from '../support/outcome.ts'

/** More than fits into what tables have free inside. */
const MANY = 250

describe.each(SERVERS)('D-17 over %s, whose disk is full,', (engine) => {
  let disk: FullDisk

  beforeAll(async () => {
    disk = await onSmallDisk(engine)
    const kysely = connect(disk.target, 1)
    await migrate(kysely)
    await kysely.destroy()
  }, 60_000)
  afterAll(() => disk?.end())

  function node() {
    const kysely = connect(disk.target, 4)
    const keys = createApiKeys({ prefix: 'fd_', store: sqlStore(kysely), storeTimeout: '10s', cache: false })
    onTestFinished(async () => {
      await keys.close()
      await kysely.destroy()
    })
    return keys
  }

  it('nothing is written by halves: what is refused was not charged, and all goes on when there is room', async () => {
    const keys = node()
    const { key, record } = await keys.create({ owner: 'a', limits: { day: 9_000 }, credits: { remaining: 9_000 } })
    const other = await keys.create({ owner: 'a', metadata: { size: 'small' } })
    await disk.fill()
    // As many as find room between the others are made, and then none is.
    const outcomes: string[] = []
    for (let made = 0; made < MANY && outcomes.at(-1) !== 'STORE'; made++) {
      const metadata = { filler: Math.random().toString(36).repeat(80) }
      const outcome = await keys.create({ owner: 'b', metadata }).then(
        () => 'made',
        ({ code, outcome }) => (outcome === 'unknown' ? code : 'a lie'),
      )
      outcomes.push(outcome)
    }
    expect(outcomes.at(-1)).toBe('STORE')
    expect((await keys.list({ owner: 'b', limit: 100 })).items.length).toBe(Math.min(100, outcomes.length - 1))
    // Each holds a credit: a row that is added. Window and balance go together.
    const codes: string[] = []
    for (let asked = 0; asked < MANY; asked++) codes.push(codeOf(await keys.verify(key, { reserve: 1 })))
    expect(new Set(codes)).toContain('unavailable')
    const admitted = codes.filter((code) => code === 'admitted').length
    expect(admitted + codes.filter((code) => code === 'unavailable').length).toBe(MANY)
    const large = Math.random().toString(36).repeat(900)
    const failed = await failure(() => keys.update(other.record.id, { metadata: { size: large } })).catch(
      () => undefined,
    )
    const now = (await keys.get(other.record.id))?.metadata
    expect(now).toEqual(failed === undefined ? { size: large } : { size: 'small' })
    expect(codeOf(await keys.verify(other.key))).toBe('admitted')

    await disk.free()
    expect(await keys.balance({ id: record.id })).toBe(9_000 - admitted)
    const [window] = accessIn(await keys.verify(key, { cost: 0 })).readings
    expect(window).toMatchObject({ name: 'day', remaining: 9_000 - admitted })
    // MariaDB takes its time to give room back.
    const reserved = async () => codeOf(await keys.verify(key, { reserve: 1 }))
    await expect.poll(reserved, { timeout: 10_000 }).toBe('admitted')
    await expect.poll(() => keys.create({ owner: 'b' }).then(() => 'made', String), { timeout: 10_000 }).toBe('made')
  })
})
