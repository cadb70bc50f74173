import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endLeased, lease, take } from '../../src/storage/counters.ts'
import { decodeCounters, encodeCounters } from '../../src/storage/counters-text.ts'
import { type Admitted, lengths, limits, metered, START, spend, within } from './metering.ts'

/** What happens next, `wait` windows after the last thing: somebody takes, leases, uses what it leased, or ends a lease. */
const steps = fc.array(
  fc.record({
    wait: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 0.2, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    what: fc.constantFrom('take', 'take-all', 'lease', 'lease-all', 'use', 'use-last', 'use-last', 'end', 'renew'),
    who: fc.integer({ min: 0, max: 2 }),
    cost: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 60 })),
    /** Of the window, how long the lease is. */
    length: fc.double({ min: 0, max: 1, noNaN: true }),
    limit: limits,
  }),
  { minLength: 20, maxLength: 120 },
)
type Step = typeof steps extends fc.Arbitrary<readonly (infer T)[]> ? T : never

interface Held {
  readonly id: string
  readonly until: number
  left: number
}

/** Several processes that keep to the contract, over one counter; what each used, and when. */
function play(ms: number, fixed: number | undefined, all: readonly Step[], rewrite: boolean): readonly Admitted[] {
  const counters = metered()
  const held = new Map<number, Held>()
  const used: Admitted[] = []
  let now = START
  let ids = 0
  for (const { wait, what, who, length, ...step } of all) {
    const limit = fixed ?? step.limit
    const mine = held.get(who)
    now = what === 'use-last' && mine !== undefined ? Math.max(now, mine.until) : now + Math.floor(wait * ms)
    if (rewrite) counters.counters = decodeCounters(encodeCounters(counters.counters, now))
    const room = take(counters, spend(limit, ms, 0), now).readings[0]?.remaining ?? 0
    const cost = what.endsWith('-all') ? room : step.cost
    if (what.startsWith('take') && take(counters, spend(limit, ms, cost), now).ok) used.push({ at: now, cost })
    if (what.startsWith('use') && mine !== undefined && now <= mine.until) {
      const units = what === 'use-last' ? mine.left : Math.min(mine.left, cost)
      mine.left -= units
      used.push({ at: now, cost: units })
    }
    if (what.startsWith('take') || what.startsWith('use')) continue
    const ended = mine !== undefined && what !== 'lease' ? { ended: { id: mine.id, unused: mine.left } } : {}
    const id = `l${++ids}`
    const until = now + 1 + Math.floor(length * (ms - 1))
    const more = what === 'end' || cost === 0 ? { cost: 0 } : { cost, lease: { id, ms: until - now } }
    const asked = { windows: spend(limit, ms).windows, ...more, ...ended }
    // Whoever leases without ending its last lease lets that run out.
    held.delete(who)
    endLeased(counters, asked, now)
    // A command may arrive twice.
    if (what === 'end') endLeased(counters, asked, now)
    if (lease(counters, asked, now).ok && more.cost > 0) held.set(who, { id, until, left: cost })
  }
  return used
}

describe('leases over one window', () => {
  it('let no interval of its length have more uses than the limit, whoever leases, uses and gives back what when', () => {
    fc.assert(
      fc.property(lengths, limits, steps, fc.boolean(), (ms, limit, all, rewrite) => {
        const used = play(ms, limit, all, rewrite)
        for (const { at } of used) {
          const sum = within(used, at - ms) - within(used, at)
          expect(sum).toBeLessThanOrEqual(limit)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('read the same after they were written and read', () => {
    fc.assert(
      fc.property(lengths, steps, (ms, all) => {
        expect(play(ms, undefined, all, true)).toEqual(play(ms, undefined, all, false))
      }),
    )
  })

  it('are given back whole where nothing was used: the whole limit is there again', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 15 }),
        (ms, limit, costs) => {
          const counters = metered()
          const windows = spend(limit, ms).windows
          for (const [at, cost] of costs.entries())
            lease(counters, { windows, cost, lease: { id: `l${at}`, ms } }, START)
          for (const [at, cost] of costs.entries()) {
            endLeased(counters, { windows: [], cost: 0, ended: { id: `l${at}`, unused: cost } }, START + 1)
          }
          expect(take(counters, spend(limit, ms, 0), START + 1).readings).toMatchObject([{ remaining: limit }])
        },
      ),
    )
  })

  it('stand no further ahead than a window after the clock was set back', () => {
    const counters = metered()
    lease(counters, { windows: spend(5, 1_000).windows, cost: 5, lease: { id: 'a', ms: 500 } }, START)
    const back = START - 3_600_000
    expect(take(counters, spend(5, 1_000), back)).toMatchObject({ ok: false, retryAt: back + 2_000 })
    expect(take(counters, spend(5, 1_000), back + 2_000).ok).toBe(true)
  })
})

describe('what a window with a lease tells', () => {
  const MINUTE = 60_000
  /** Two were taken, and five are leased until a second after the start. */
  function leased() {
    const counters = metered()
    take(counters, spend(10, MINUTE, 2), START)
    lease(counters, { windows: spend(10, MINUTE).windows, cost: 5, lease: { id: 'l1', ms: 1_000 } }, START)
    return counters
  }

  it('counts what is leased behind what was taken: the oldest leave first', () => {
    for (const [cost, leaves] of [
      [4, START + MINUTE],
      [5, START + MINUTE],
      [6, START + 1_000 + MINUTE],
      [10, START + 1_000 + MINUTE],
    ] as const) {
      expect(take(leased(), spend(10, MINUTE, cost), START + 10)).toMatchObject({ ok: false, retryAt: leaves })
    }
  })
})

describe('counters with leases, as text', () => {
  it('take less than 1.5 KiB for a window, however many leases there are', () => {
    const counters = metered()
    for (let at = 0; at < 60; at++) {
      const id = `${'a'.repeat(24)}${1_000_000 + at}`
      lease(counters, { windows: spend(10_000, 60_000).windows, cost: 100, lease: { id, ms: 1_000 } }, START + at)
      take(counters, spend(10_000, 60_000), START + at * 900)
    }
    expect(encodeCounters(counters.counters, START + 60 * 900 - 1).length).toBeLessThan(1_536)
  })

  it('are refused where they are damaged', () => {
    const whole = encodeCounters(leased().counters, START)
    expect(() => decodeCounters(whole)).not.toThrow()
    for (const text of [
      whole.replace('"a"', '7'),
      whole.replace('[["w"', '[[7'),
      whole.replace(',5]', ',-5]'),
      whole.replace(',5]', ',null]'),
      whole.replace(',5]', ',5,5]'),
      whole.replace(',2,', ',4,'),
    ]) {
      expect(text).not.toBe(whole)
      expect(() => decodeCounters(text)).toThrow()
    }
  })

  function leased() {
    const counters = metered()
    lease(counters, { windows: spend(5, 1_000).windows, cost: 5, lease: { id: 'a', ms: 500 } }, START)
    return counters
  }
})
