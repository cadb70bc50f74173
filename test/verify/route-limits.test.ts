import { createApiKeys, type Demand, type Limits } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, failure, judged, refusalIn } from '../support/outcome.ts'

async function instance(limits?: Limits) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'rl_', clock })
  const made = await keys.create({ owner: 'acct_1', limits })
  const left = async (demand?: Demand) => {
    const { readings } = accessIn(await keys.verify(made.key, { ...demand, cost: 0 }))
    return Object.fromEntries(readings.map(({ name, limit, remaining }) => [name, `${remaining}/${limit}`]))
  }
  return { keys, clock, left, ...made }
}

const EXPORTS: Demand = { limits: [{ name: 'exports', limit: 2, window: '1h' }] }

describe('limits of a route', () => {
  it('are taken beside the key’s own, all or none', async () => {
    const { keys, key, left } = await instance({ minute: 10 })
    expect([await judged(keys, key, EXPORTS), await judged(keys, key, EXPORTS)]).toEqual(['admitted', 'admitted'])
    for (let i = 0; i < 5; i++) expect(await judged(keys, key, EXPORTS)).toBe('rate_limited')
    expect(await left(EXPORTS)).toEqual({ minute: '8/10', exports: '0/2' })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await left()).toEqual({ minute: '7/10' })
  })

  it('are told in the readings of that route, and in its refusals', async () => {
    const { keys, key } = await instance({ minute: 10 })
    await keys.verify(key, { ...EXPORTS, cost: 2 })
    expect(refusalIn(await keys.verify(key, EXPORTS))).toMatchObject({
      retryAfter: 3600,
      windows: [{ name: 'minute' }, { name: 'exports', limit: 2, ms: 3_600_000 }],
      readings: [{ remaining: 8 }, { name: 'exports', remaining: 0 }],
    })
  })

  it('apply to keys without limits of their own', async () => {
    const { keys, key } = await instance()
    const codes = [await judged(keys, key, EXPORTS), await judged(keys, key, EXPORTS), await judged(keys, key, EXPORTS)]
    expect(codes).toEqual(['admitted', 'admitted', 'rate_limited'])
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('are counted per key', async () => {
    const { keys, key } = await instance()
    const { key: other } = await keys.create({ owner: 'acct_1' })
    await keys.verify(key, { ...EXPORTS, cost: 2 })
    expect(await judged(keys, key, EXPORTS)).toBe('rate_limited')
    expect(await judged(keys, other, EXPORTS)).toBe('admitted')
  })

  it('of one name are one counter, on however many routes; of another name another', async () => {
    const { keys, key } = await instance()
    const csv = { limits: [{ name: 'exports', limit: 2, window: '1h' }] } as const
    const pdf = { limits: [{ name: 'exports', limit: 2, window: 3_600_000 }] } as const
    const mail = { limits: [{ name: 'mails', limit: 2, window: '1h' }] } as const
    expect([await judged(keys, key, csv), await judged(keys, key, pdf)]).toEqual(['admitted', 'admitted'])
    expect([await judged(keys, key, csv), await judged(keys, key, pdf)]).toEqual(['rate_limited', 'rate_limited'])
    expect(await judged(keys, key, mail)).toBe('admitted')
  })

  it('named as one of the key’s own are that counter, with the lower of both limits', async () => {
    const { keys, key, left } = await instance({ minute: 10 })
    expect(await left({ limits: { minute: 3 } })).toEqual({ minute: '3/3' })
    expect(await left({ limits: { minute: 30 } })).toEqual({ minute: '10/10' })
    for (let i = 0; i < 3; i++) expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key, { limits: { minute: 3 } })).toBe('rate_limited')
    expect(await judged(keys, key, { limits: { minute: 4 } })).toBe('admitted')
    expect(await left()).toEqual({ minute: '6/10' })
  })

  it('may be 0: the route is closed, the key is not', async () => {
    const { keys, key } = await instance({ minute: 10 })
    expect(refusalIn(await keys.verify(key, { limits: { day: 0 } }))).not.toHaveProperty('retryAfter')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('survive a rotation', async () => {
    const { keys, key, record } = await instance()
    await keys.verify(key, { ...EXPORTS, cost: 2 })
    const { key: fresh } = await keys.rotate(record.id, { overlap: 0 })
    expect(await judged(keys, fresh, EXPORTS)).toBe('rate_limited')
  })

  it('obey a change of the key at once, though the key was remembered', async () => {
    const { keys, key, record } = await instance()
    expect(await judged(keys, key, EXPORTS)).toBe('admitted')
    await keys.update(record.id, { limits: { hour: 0 } })
    expect(await judged(keys, key, EXPORTS)).toBe('rate_limited')
  })

  const MISTAKES: readonly unknown[] = [
    null,
    'sixty',
    60,
    { fortnight: 1 },
    { minute: -1 },
    { minute: '60' },
    { minute: null },
    [{ name: 'x', limit: 1 }],
    [{ name: 'x', limit: null, window: '1m' }],
    [{ name: 'a b', limit: 1, window: '1m' }],
    [{ name: 'a"b', limit: 1, window: '1m' }],
    [{ name: 'a\r\nb', limit: 1, window: '1m' }],
    [{ name: 'x', limit: 1, window: 0 }],
    [
      { name: 'x', limit: 1, window: '1m' },
      { name: 'x', limit: 2, window: '1h' },
    ],
    [{ name: 'minute', limit: 1, window: '1h' }],
    Array.from({ length: 9 }, (_, n) => ({ name: `w${n}`, limit: 1, window: '1m' })),
  ]

  it.each(MISTAKES.map((limits) => [limits]))('L-10, L-29 %j is a mistake', async (limits) => {
    const { keys, key } = await instance()
    const error = await failure(() => keys.verify(key, { limits } as Demand))
    expect(error.code).toBe('CONFIG')
    expect(error.issues?.every(({ path }) => path.startsWith('limits'))).toBe(true)
  })
})
