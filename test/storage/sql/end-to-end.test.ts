import { createApiKeys } from 'keyward'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { connect, ENGINES, type Prepared, prepare } from './databases.ts'

describe.each(ENGINES)('keys in %s', (engine) => {
  let prepared: Prepared
  let count = 0

  beforeAll(async () => {
    prepared = await prepare(engine)
  }, 60_000)
  afterAll(() => prepared?.end())

  /** Two instances as two processes have them: connections, caches and stores of their own. */
  async function twoNodes(options: Partial<Parameters<typeof createApiKeys>[0]> = {}) {
    const prefix = `node${++count}_`
    const nodes = []
    for (const kysely of [connect(prepared.target), connect(prepared.target)]) {
      await migrate(kysely, { prefix })
      const keys = createApiKeys({
        prefix: 'agk_',
        store: sqlStore(kysely, { prefix }),
        storeTimeout: '10s',
        ...options,
      })
      nodes.push(keys)
      onTestFinished(async () => {
        await keys.close()
        await kysely.destroy()
      })
    }
    return nodes as [(typeof nodes)[number], (typeof nodes)[number]]
  }

  it('live their whole life: made, used, changed, rotated, disabled, revoked, removed', async () => {
    const [one, two] = await twoNodes({ names: 'unique', cache: false })
    const input = {
      owner: 'acct_1',
      name: 'Sync',
      scopes: ['a:read'],
      metadata: { plan: 'pro' },
      limits: { minute: 9 },
    }
    const { key, record } = await one.create(input)
    expect(await two.verify(key, { scopes: ['a:read'] })).toMatchObject({ ok: true, access: { owner: 'acct_1' } })
    await expect(two.create(input)).rejects.toMatchObject({ code: 'CONFLICT' })
    await two.update(record.id, { name: 'Other', scopes: ['b:read'] })
    expect(await one.verify(key, { scopes: ['a:read'] })).toMatchObject({ code: 'insufficient_scope' })
    const rotated = await one.rotate(record.id, { overlap: 0 })
    expect(await two.verify(key)).toMatchObject({ ok: false })
    expect(await two.verify(rotated.key)).toMatchObject({ ok: true, access: { name: 'Other' } })
    await two.disable(record.id)
    expect(await one.verify(rotated.key)).toMatchObject({ code: 'disabled' })
    await two.enable(record.id)
    await one.flush()
    await two.flush()
    expect(await one.get(record.id)).toMatchObject({
      uses: 2,
      metadata: { plan: 'pro' },
      lastUsedAt: expect.any(String),
    })
    await one.revoke(record.id, { reason: 'leaked' })
    expect(await two.verify(rotated.key)).toMatchObject({ code: 'revoked' })
    expect((await two.list({ owner: 'acct_1' })).items).toMatchObject([{ status: 'revoked', revokedReason: 'leaked' }])
    await one.remove(record.id)
    expect(await two.verify(rotated.key)).toMatchObject({ code: 'invalid_key' })
    await two.create({ ...input, name: 'Other' })
  })

  it('C-01: with limits are refused by every process as soon as they are revoked, caches or not', async () => {
    const [one, two] = await twoNodes()
    const { key, record } = await one.create({ owner: 'acct_1', limits: { minute: 90 } })
    for (let time = 0; time < 3; time++) expect(await two.verify(key)).toMatchObject({ ok: true })
    await one.revoke(record.id, { reason: 'leaked' })
    expect(await two.verify(key)).toMatchObject({ ok: false, code: 'revoked' })
  })

  it('D-22: a verification that begins after a revocation was acknowledged is never admitted', async () => {
    const [one, two] = await twoNodes()
    for (let round = 0; round < 5; round++) {
      const { key, record } = await one.create({ owner: 'acct_1', limits: { minute: 900 } })
      let revoked = false
      const late: unknown[] = []
      const asking = Array.from({ length: 5 }, async () => {
        for (let time = 0; time < 10; time++) {
          const begunAfter = revoked
          const { ok } = await two.verify(key)
          if (begunAfter && ok) late.push(time)
        }
      })
      await one.revoke(record.id, { reason: 'leaked' })
      revoked = true
      await Promise.all(asking)
      expect(late).toEqual([])
    }
  })

  it('D-21: a use mark that comes late does not bring a key back', async () => {
    const [one, two] = await twoNodes()
    const { key, record } = await one.create({ owner: 'acct_1' })
    expect(await two.verify(key)).toMatchObject({ ok: true })
    await one.remove(record.id)
    await two.flush()
    expect(await one.get(record.id)).toBeUndefined()
    expect((await one.list({})).items).toEqual([])
  })

  it('L-13: keep their counters through a rotation, and begin anew when the id comes back', async () => {
    const [one, two] = await twoNodes({ generateId: () => 'abcdefghijkl', cache: false })
    const first = await one.create({ owner: 'acct_1', limits: { hour: 2 } })
    expect(await two.verify(first.key)).toMatchObject({ ok: true })
    const second = await one.rotate(first.record.id, { overlap: 0 })
    expect(await two.verify(second.key)).toMatchObject({ ok: true })
    expect(await one.verify(second.key)).toMatchObject({ code: 'rate_limited' })
    await two.remove(first.record.id)
    const third = await two.create({ owner: 'acct_1', limits: { hour: 2 } })
    expect(await one.verify(third.key)).toMatchObject({ ok: true, access: { readings: [{ remaining: 1 }] } })
  })

  it('R-20: of one owner are revoked at once, and nobody else is', async () => {
    const [one, two] = await twoNodes({ cache: false })
    const made = []
    for (let at = 0; at < 12; at++) made.push(await one.create({ owner: at % 2 === 0 ? 'acct_1' : 'acct_2' }))
    expect(await two.revokeAll({ owner: 'acct_1', reason: 'left' })).toBe(6)
    expect(await two.revokeAll({ owner: 'acct_1' })).toBe(0)
    const verdicts = await Promise.all(made.map(({ key }) => one.verify(key)))
    expect(verdicts.map((verdict) => verdict.ok || verdict.code)).toEqual(
      made.map((_, at) => at % 2 === 1 || 'revoked'),
    )
  })

  it('X: two processes that rotate one key at once: one wins, the other is told CONFLICT', async () => {
    const [one, two] = await twoNodes({ cache: false })
    const { record } = await one.create({ owner: 'acct_1' })
    const rotations = await Promise.allSettled(
      [one, two, one, two].map((node) => node.rotate(record.id, { overlap: 0 })),
    )
    const won = rotations.flatMap((rotation) => (rotation.status === 'fulfilled' ? [rotation.value.key] : []))
    for (const rotation of rotations) {
      if (rotation.status === 'rejected') expect(rotation.reason).toMatchObject({ code: 'CONFLICT' })
    }
    expect(won.length).toBeGreaterThanOrEqual(1)
    const verdicts = await Promise.all(won.map((key) => two.verify(key)))
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1)
  })
})
