import fc from 'fast-check'
import { type ApiKeys, createApiKeys, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { distantStore, wrapStore } from '../support/stores.ts'

/** What happens next: time passes, a process gets a burst of requests, a record is changed, a process ends and another begins. */
const events = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant('burst' as const),
        who: fc.nat(2),
        count: fc.oneof(fc.nat(20), fc.constant(60), fc.constant(300)),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('wait' as const),
        ms: fc.oneof(
          fc.nat(30),
          fc.constantFrom(49, 74, 99, 149, 199, 500, 749, 900, 925, 1_000, 1_900),
          fc.nat(2_500),
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constantFrom('update' as const, 'restart' as const, 'crash' as const),
        who: fc.nat(2),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('jump' as const), ms: fc.integer({ min: -5_000, max: 5_000 }) }),
    },
  ),
  { minLength: 20, maxLength: 60 },
)

const windows = fc.constantFrom(
  [{ name: 'w', limit: 100, window: 1_000 }],
  [{ name: 'w', limit: 300, window: 1_000 }],
  [
    { name: 'w', limit: 250, window: 2_000 },
    { name: 'v', limit: 900, window: 6_000 },
  ],
)

describe('several processes that lease one key', () => {
  it('never admit more than its limit in any interval of a window, whatever comes when', async () => {
    let total = 0
    await fc.assert(
      fc.asyncProperty(
        windows,
        events,
        fc.boolean(),
        fc.integer({ min: 2, max: 100 }),
        async (limits, all, far, lease) => {
          const { admitted, leased } = await play(limits, all, far, lease)
          for (const { limit, window } of limits) expect(mostWithin(admitted, window)).toBeLessThanOrEqual(limit)
          total += leased
        },
      ),
      { numRuns: 30 },
    )
    // They did lease.
    expect(total).toBeGreaterThan(30)
  })
})

async function play(
  limits: readonly { readonly name: string; readonly limit: number; readonly window: number }[],
  all: typeof events extends fc.Arbitrary<infer T> ? T : never,
  far: boolean,
  lease: number,
) {
  const clock = fakeClock()
  const inner = memoryStore()
  let leased = 0
  const counted = wrapStore(inner, (verb, ask, args) => {
    if (verb === 'lease' && (args[2] as { cost: number }).cost > 0) leased++
    // A network takes its time, and the clock goes on meanwhile.
    if (verb === 'lease' && far) clock.advance(args.length * 7)
    return ask()
  })
  const store = far ? distantStore(counted) : counted
  const begin = (): ApiKeys => createApiKeys({ prefix: 'pr_', store, clock, storeTimeout: '10s', limits: { lease } })
  // They begin before any clock is set: where the store has no clock of its own, it is theirs that must agree.
  const spare = all.map(begin)
  const processes = [begin(), begin(), begin()]
  const { key, record } = await begin().create({ owner: 'acct_1', limits })
  const zero = clock.now() - clock.monotonic()
  const admitted: number[] = []
  for (const event of all) {
    if (event.type === 'wait') clock.advance(event.ms)
    else if (event.type === 'jump') clock.set(clock.now() + event.ms)
    else {
      const by = processes[event.who] as ApiKeys
      if (event.type === 'burst') {
        const asked = Array.from({ length: event.count }, async () => {
          const began = clock.monotonic()
          const verdict = await by.verify(key)
          if (!verdict.ok) return
          // By when it was decided: an answer may be heard later, while others are on their way.
          const decided = (verdict as { at?: number }).at ?? Number.NaN
          expect(decided - zero).toBeGreaterThanOrEqual(began)
          expect(decided - zero).toBeLessThanOrEqual(clock.monotonic())
          admitted.push(decided)
        })
        await Promise.all(asked)
      } else if (event.type === 'update') await by.update(record.id, { name: `n${clock.monotonic()}` })
      else {
        // One that crashes gives nothing back, one that ends does.
        if (event.type === 'restart') await by.close()
        processes[event.who] = spare.pop() as ApiKeys
      }
    }
  }
  return { admitted: admitted.toSorted((a, b) => a - b), leased }
}

/** Times are in order. */
function mostWithin(times: readonly number[], ms: number): number {
  let most = 0
  let from = 0
  for (const [at, time] of times.entries()) {
    while (time - (times[from] as number) >= ms) from++
    most = Math.max(most, at - from + 1)
  }
  return most
}
