import { createApiKeys, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, judged, listener, refusalIn } from '../support/outcome.ts'
import { alteredStore, kept, spiedStore } from '../support/stores.ts'

const IN_A_MINUTE = 60_000

async function expiring(ms = IN_A_MINUTE) {
  const [clock, spied] = [fakeClock(), spiedStore()]
  const keys = createApiKeys({ prefix: 'exp_', store: spied.store, clock })
  const made = await keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + ms) })
  return { keys, clock, spied, ...made }
}

/** A key whose record says that it expires at whatever this is. */
async function keptAs(expiresAt: unknown) {
  const { events, onEvent } = listener()
  const store = alteredStore((stored) => ({ ...stored, expiresAt }))
  const keys = createApiKeys({ prefix: 'exp_', store, clock: fakeClock(), onEvent })
  const { key, record } = await keys.create({ owner: 'acct_1' })
  events.length = 0
  return { keys, key, record, events }
}

describe('E. Expiry: the moment', () => {
  it.each([
    [-1, 'admitted'],
    [0, 'expired'],
    [1, 'expired'],
    [86_400_000, 'expired'],
  ])('E-01 %d ms from expiresAt a key is %s, remembered or not', async (distance, code) => {
    const { keys, clock, key } = await expiring()
    const cold = await expiring()
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance(IN_A_MINUTE + distance)
    cold.clock.advance(IN_A_MINUTE + distance)
    expect(await judged(keys, key)).toBe(code)
    expect(await judged(cold.keys, cold.key)).toBe(code)
  })

  it('E-01 its record says the same at the same moment', async () => {
    const { keys, clock, record } = await expiring()
    clock.advance(IN_A_MINUTE - 1)
    expect((await keys.get(record.id))?.status).toBe('active')
    clock.advance(1)
    expect((await keys.get(record.id))?.status).toBe('expired')
    expect((await keys.list({ status: 'active' })).items).toEqual([])
    expect((await keys.list({ status: 'expired' })).items).toMatchObject([{ id: record.id }])
  })

  it('E-01 the refusal carries the record, and the stored one is not touched', async () => {
    const { keys, clock, key, record, spied } = await expiring()
    const before = await kept(spied.store, record.id)
    clock.advance(IN_A_MINUTE)
    expect(refusalIn(await keys.verify(key))).toMatchObject({
      status: 401,
      code: 'expired',
      record: { status: 'expired', expiresAt: record.expiresAt },
    })
    expect(await kept(spied.store, record.id)).toEqual(before)
    expect(spied.asked('replace') + spied.asked('remove')).toBe(0)
  })

  it.each([0, 500, 999])('E-14 a key that expires %d ms after it was remembered expires then', async (after) => {
    const { keys, clock, key, spied } = await expiring()
    clock.advance(IN_A_MINUTE - after - 1)
    expect(await judged(keys, key)).toBe('admitted')
    const finds = spied.asked('find')
    clock.advance(after)
    expect(await judged(keys, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(finds)
    clock.advance(1)
    expect(await judged(keys, key)).toBe('expired')
  })

  it('E-14 so does one with limits, which is remembered for longer', async () => {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: 'exp_', clock })
    const expiresAt = new Date(clock.now() + IN_A_MINUTE)
    const { key } = await keys.create({ owner: 'acct_1', limits: { day: 100 }, expiresAt })
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance(IN_A_MINUTE)
    expect(await judged(keys, key)).toBe('expired')
  })

  it('E-01 an expired key may be extended, and works again at once', async () => {
    const { keys, clock, key, record } = await expiring()
    clock.advance(IN_A_MINUTE)
    expect(await judged(keys, key)).toBe('expired')
    await keys.update(record.id, { expiresAt: new Date(clock.now() + 1) })
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance(1)
    expect(await judged(keys, key)).toBe('expired')
    await keys.update(record.id, { expiresAt: null })
    clock.advance('3650d')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('E-01 a key that expires sooner than before does so at the next request', async () => {
    const { keys, clock, key, record } = await expiring()
    expect(await judged(keys, key)).toBe('admitted')
    await keys.update(record.id, { expiresAt: new Date(clock.now() + 1) })
    clock.advance(1)
    expect(await judged(keys, key)).toBe('expired')
  })

  it.each([
    ['2038, where 32 bits end', '2038-01-19T03:14:08.000Z'],
    ['2100', '2100-02-28T23:59:59.999Z'],
    ['the last moment that four digits can write', '9999-12-31T23:59:59.999Z'],
  ])('E-07 a key may live until %s', async (_, expiresAt) => {
    const end = Date.parse(expiresAt)
    const clock = fakeClock(end - 1000)
    const keys = createApiKeys({ prefix: 'exp_', clock })
    const { key, record } = await keys.create({ owner: 'acct_1', expiresAt })
    expect(record.expiresAt).toBe(expiresAt)
    clock.advance(999)
    expect(accessIn(await keys.verify(key)).expiresAt).toBe(expiresAt)
    clock.advance(1)
    expect(await judged(keys, key)).toBe('expired')
  })
})

describe('E. Expiry: what stands in a store', () => {
  it.each([
    ['E-02', Number.NaN],
    ['E-02', new Date(Number.NaN)],
    ['E-02', new Date('2099-01-01')],
    ['E-02', 'soon'],
    ['E-02', null],
    ['E-02', false],
    ['E-02', {}],
    ['E-02', [4_000_000_000_000]],
    ['E-05', '9999999999999'],
    ['E-05', '2099-01-01T00:00:00Z'],
    ['E-05', '2099-01-01 00:00:00'],
    ['E-05', 9_999_999_999_999n],
    ['E-06', Number.POSITIVE_INFINITY],
    ['E-06', Number.NEGATIVE_INFINITY],
    ['E-06', 8.64e15 + 1],
    ['E-06', Number.MAX_SAFE_INTEGER],
  ])('%s %s is no time: the key is none, and a fault is told', async (_, expiresAt) => {
    const { keys, key, record, events } = await keptAs(expiresAt)
    expect(await judged(keys, key)).toBe('invalid_key')
    expect(events.filter(({ type }) => type === 'fault')).toMatchObject([{ code: 'record' }])
    expect(JSON.stringify(events)).toContain(record.id)
    expect(JSON.stringify(events)).not.toContain(key.slice(16))
  })

  it.each([
    ['E-04', 0],
    ['E-04', -1],
    ['E-04', -8.64e15],
    ['E-05', 1_700_000_000],
    ['E-05', 1_799_999_999],
  ])('%s %d is long past: seconds are not taken for milliseconds', async (_, expiresAt) => {
    const { keys, key } = await keptAs(expiresAt)
    expect(await judged(keys, key)).toBe('expired')
  })

  it('E-02 a key whose creation has no time is none either', async () => {
    for (const damage of [{ createdAt: Number.NaN }, { updatedAt: 'now' }, { createdAt: undefined }]) {
      const keys = createApiKeys({ prefix: 'exp_', store: alteredStore((stored) => ({ ...stored, ...damage })) })
      const { key } = await keys.create({ owner: 'acct_1' })
      expect(await judged(keys, key)).toBe('invalid_key')
    }
  })

  it('E-02 an overlap of a rotation that has no time ends the key, not the check', async () => {
    const inner = memoryStore()
    const store = alteredStore(
      (stored) => ({ ...stored, previous: { hash: stored.hash, since: 0, until: Number.NaN } }),
      inner,
    )
    const keys = createApiKeys({ prefix: 'exp_', store })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('invalid_key')
  })
})
