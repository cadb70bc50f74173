import { type CreateInput, createApiKeys, type Demand, type Verdict } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../support/both-stores.ts'

type LimitsInput = NonNullable<CreateInput['limits']>
type Refusal = Extract<Verdict, { ok: false }>

/** Requests that each meet two guards. */
async function requests(open: (typeof BOTH_STORES)[number][1], limits: LimitsInput) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'tg_', store: open().store, clock, trustedProxies: [] })
  const { key } = await keys.create({ owner: 'acct_1', limits })
  const ask = async (first: Demand, later: Demand): Promise<Verdict> => {
    const request = { headers: { 'x-api-key': key }, peer: '192.0.2.1' }
    const verdict = await keys.verify(request, first)
    return verdict.ok ? keys.verify(request, later) : verdict
  }
  return { clock, ask }
}

describe.each(BOTH_STORES)('When a request that its second guard refuses would pass both (%s)', (_, open) => {
  it.each<readonly [limits: LimitsInput, first: Demand, later: Demand]>([
    [{ minute: 2 }, {}, { cost: 3 }],
    [{ minute: 100 }, {}, { cost: 3, limits: { minute: 2 } }],
    [{ minute: 100 }, {}, { limits: { minute: 0 } }],
    [{ minute: 100 }, { cost: 3 }, { limits: { minute: 2 } }],
    [{ minute: 1000 }, { cost: 300 }, { limits: { minute: 200 } }],
  ])('is never, where it costs more than the limit: %j, %j and %j', async (limits, first, later) => {
    const { ask } = await requests(open, limits)
    const refusal = (await ask(first, later)) as Refusal
    expect([refusal.code, refusal.retryAfter]).toEqual(['rate_limited', undefined])
  })

  it.each<readonly [limits: LimitsInput, first: Demand, later: Demand, times: number]>([
    [{ minute: 10 }, {}, { limits: { minute: 2 } }, 5],
    [{ minute: 9 }, {}, { cost: 3 }, 3],
    [{ minute: 10, hour: 50 }, {}, { cost: 2, limits: { minute: 3 } }, 3],
    [{ minute: 400 }, { cost: 10 }, { limits: { minute: 150 } }, 20],
    [{ minute: 100 }, {}, { limits: [{ name: 'exports', limit: 2, window: '5m' }] }, 4],
  ])('is when the answer says: %j, %j and %j', async (limits, first, later, times) => {
    const { clock, ask } = await requests(open, limits)
    let refusal: Verdict = await ask(first, {})
    for (let i = 0; i < times; i++) {
      clock.advance(2_000)
      refusal = await ask(first, later)
    }
    expect(refusal).toMatchObject({ ok: false, code: 'rate_limited' })
    clock.advance(((refusal as Refusal).retryAfter ?? 0) * 1_000)
    expect(await ask(first, later)).toMatchObject({ ok: true })
  })

  it('shows every window of both guards, as it is', async () => {
    const { ask } = await requests(open, { minute: 10, hour: 50 })
    await ask({}, {})
    await ask({}, {})
    const { windows, readings } = (await ask({}, { limits: { minute: 2 } })) as Refusal
    expect(windows?.map(({ name, limit }) => [name, limit])).toEqual([
      ['minute', 2],
      ['hour', 50],
    ])
    expect(readings?.map(({ name, limit, remaining }) => [name, limit, remaining])).toEqual([
      ['minute', 2, 0],
      ['hour', 50, 47],
    ])
  })
})
