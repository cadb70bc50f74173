import { setTimeout } from 'node:timers/promises'
import {
  type ApiKeysOptions,
  type CreateInput,
  createApiKeys,
  type Duration,
  memoryStore,
  type UpdatePatch,
} from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { failure, judged } from '../support/outcome.ts'
import { kept, wrapStore } from '../support/stores.ts'

const clock = fakeClock(Date.UTC(2026, 0, 1))
const store = memoryStore()
const keys = createApiKeys({ prefix: 'exp_', store, clock })

const REFUSED: readonly (readonly [string, unknown])[] = [
  ...[0, -1, 1_700_000_000, 4_000_000_000_000].map((value) => ['E-04', value] as const),
  ...[new Date(0), new Date(-1), '1970-01-01T00:00:00Z', '2025-12-31T23:59:59.999Z'].map(
    (value) => ['E-04', value] as const,
  ),
  ...['9999999999999', '1700000000', '4102444800', 9_999_999_999_999n].map((value) => ['E-05', value] as const),
  ...['2027-01-01 00:00:00', '2027-01-01T00:00:00', '2027-01-01', '2027'].map((value) => ['E-05', value] as const),
  ...[8.64e15 + 1, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, Number.NaN].map(
    (value) => ['E-06', value] as const,
  ),
  ...[new Date(8.64e15), new Date(Number.NaN), '+275760-09-13T00:00:00.000Z'].map((value) => ['E-06', value] as const),
  ...['+275761-01-01T00:00:00Z', '10000-01-01T00:00:00Z', new Date(Date.UTC(10_000, 0))].map(
    (value) => ['E-06', value] as const,
  ),
  ...['2027-02-30T00:00:00Z', '2027-13-01T00:00:00Z', '2027-00-10T00:00:00Z'].map((value) => ['E-08', value] as const),
  ...['2027-04-31T00:00:00Z', '2027-02-29T00:00:00Z', '2027-01-32T00:00:00Z'].map((value) => ['E-08', value] as const),
  ...['2027-01-01T24:00:00Z', '2026-12-31T23:59:60Z', '2027-01-01T00:60:00Z'].map((value) => ['E-08', value] as const),
  ...['2027-01-01T00Z', '2027-01-01T00:00', '2027-01-01T00:00+2', '2027-01-01T00:00+02:', '2027-01-01T00:00:00.Z'].map(
    (value) => ['E-08', value] as const,
  ),
  ...['2027-01-01T00:00:00+02:60', '0099-01-01T00:00:00Z', '2027-01-01t00:00:00z', '20270101T000000Z'].map(
    (value) => ['E-08', value] as const,
  ),
  ...['2027-01-01T00:00:00+25:00', '2027-01-01T00:00:00+5', '2027-01-01T00:00:00 Z'].map(
    (value) => ['E-08', value] as const,
  ),
  ...['soon', '', ' ', 'tomorrow', 'Fri, 01 Jan 2027 00:00:00 GMT', '2027-W01-1T00:00:00Z'].map(
    (value) => ['E-08', value] as const,
  ),
  ...['1d', '24h', true, {}, [], ['2027-01-01T00:00:00Z'], { valueOf: () => 4e12 }].map(
    (value) => ['E-09', value] as const,
  ),
]

describe('E. Expiry: what may be given', () => {
  it.each(REFUSED)('%s %s is refused when a key is made', async (_, expiresAt) => {
    const input = { owner: 'nobody', expiresAt } as unknown as CreateInput
    const error = await failure(() => keys.create(input))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'expiresAt' }] })
    expect((await keys.list({ owner: 'nobody' })).items).toEqual([])
  })

  it.each(REFUSED)('%s %s is refused when a key is changed, and the key stays as it was', async (_, expiresAt) => {
    const { record } = await keys.create({ owner: 'acct_1', expiresAt: '2030-01-01T00:00:00Z' })
    const before = await kept(store, record.id)
    for (const field of ['expiresAt', 'previousSecretUntil']) {
      const patch = { [field]: expiresAt } as UpdatePatch
      const error = await failure(() => keys.update(record.id, patch))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: field }] })
    }
    expect(await kept(store, record.id)).toEqual(before)
  })

  it.each([
    ['E-04 the next millisecond', new Date(clock.now() + 1), '2026-01-01T00:00:00.001Z'],
    ['E-05 a Date', new Date(Date.UTC(2030, 5, 1)), '2030-06-01T00:00:00.000Z'],
    ['E-05 text with a zone', '2030-06-01T05:45:00+05:45', '2030-06-01T00:00:00.000Z'],
    ['E-05 text with a zone west of it', '2030-05-31T20:30:00.250-03:30', '2030-06-01T00:00:00.250Z'],
    ['E-05 a time without seconds', '2030-06-01T00:00Z', '2030-06-01T00:00:00.000Z'],
    ['E-05 a zone without a colon', '2030-06-01T02:00:00+0200', '2030-06-01T00:00:00.000Z'],
    ['E-05 a zone of hours alone', '2030-05-31T19:00:30-05', '2030-06-01T00:00:30.000Z'],
    ['E-05 more than milliseconds', '2030-06-01T00:00:00.1239999Z', '2030-06-01T00:00:00.123Z'],
    ['E-05 a comma, as ISO 8601 prefers it', '2030-06-01T00:00:00,5Z', '2030-06-01T00:00:00.500Z'],
    ['E-07 2038', '2038-01-19T03:14:08Z', '2038-01-19T03:14:08.000Z'],
    ['E-07 a leap day', '2028-02-29T12:00:00Z', '2028-02-29T12:00:00.000Z'],
    ['E-07 the last moment of 9999', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is taken exactly', async (_, expiresAt, shown) => {
    const { record } = await keys.create({ owner: 'acct_1', expiresAt })
    expect(record.expiresAt).toBe(shown)
    expect((await kept(store, record.id)).expiresAt).toBe(Date.parse(shown))
  })

  it('E-04 the present moment is no future', async () => {
    const error = await failure(() => keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now()) }))
    expect(error.issues).toEqual([{ path: 'expiresAt', message: expect.stringContaining('in the future') }])
  })

  it('E-05 a Date that is changed afterwards changes nothing', async () => {
    const expiresAt = new Date(Date.UTC(2030, 0))
    const { record } = await keys.create({ owner: 'acct_1', expiresAt })
    expiresAt.setTime(0)
    expect((await keys.get(record.id))?.expiresAt).toBe('2030-01-01T00:00:00.000Z')
  })
})

const DURATIONS = [
  -1,
  1.5,
  1e21,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '-1s',
  '1.5h',
  '1y',
  '1 d',
  '24',
  '',
  'd',
  '0x1s',
  null,
  {},
  [],
]

describe('E. Lengths of time', () => {
  it.each(DURATIONS)('E-09 %s is no overlap of a rotation', async (overlap) => {
    const { record } = await keys.create({ owner: 'acct_1' })
    const error = await failure(() => keys.rotate(record.id, { overlap: overlap as Duration }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'overlap' }] })
  })

  it.each([...DURATIONS, 0, '0s'])('E-09 %s is no time for a store and no lag of a cache', async (given) => {
    const time = given as Duration
    for (const options of [{ storeTimeout: time }, { cache: { maxLag: time } }] as Partial<ApiKeysOptions>[]) {
      const error = await failure(() => createApiKeys({ prefix: 'exp_', ...options }))
      expect(error.code).toBe('CONFIG')
      expect(error.message).toMatch(/storeTimeout|cache/)
    }
  })

  it.each([
    ['1d', 86_400_000],
    ['24h', 86_400_000],
    ['2w', 1_209_600_000],
    ['500ms', 500],
    [60_000, 60_000],
  ] as const)('E-09 an overlap of %s is %d ms', async (overlap, ms) => {
    const { record } = await keys.create({ owner: 'acct_1' })
    const { record: rotated } = await keys.rotate(record.id, { overlap })
    expect(rotated.previousSecretUntil).toBe(new Date(clock.now() + ms).toISOString())
  })

  it.each(['25d', '60d', '3650d'] as const)(
    'E-09 a storeTimeout of %s, longer than a timer can be, is refused or waited for, never over at once',
    async (storeTimeout) => {
      const store = wrapStore(memoryStore(), async (_verb, ask) => {
        await setTimeout(5)
        return ask()
      })
      const outcome = async () => {
        const slow = createApiKeys({ prefix: 'exp_', store, storeTimeout, cache: false })
        const { key } = await slow.create({ owner: 'acct_1' })
        return [await judged(slow, key), await judged(slow, key)]
      }
      const seen = await outcome().catch((error: { code: string }) => [error.code])
      expect([['admitted', 'admitted'], ['CONFIG']]).toContainEqual(seen)
    },
  )
})
