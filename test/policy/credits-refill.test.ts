import fc from 'fast-check'
import { createApiKeys, type Refill } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
// The calendar is looked at by itself, too: what the door shows of it takes a request per day.
import { lastDue } from '../../src/policy/credits.ts'
import { hold, purse } from '../support/money.ts'
import { judged } from '../support/outcome.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** A key that is made at a time, with nothing but what refills give. */
async function madeAt(start: string, every: Refill['every']) {
  const clock = fakeClock(new Date(start))
  const keys = createApiKeys({ prefix: 'pay_', clock })
  const { key, record } = await keys.create({
    owner: 'acct_1',
    credits: { remaining: 0, refill: { amount: 3, every } },
  })
  /** The balance at a time. */
  const at = async (moment: string): Promise<number> => {
    clock.advance(Date.parse(moment) - clock.now())
    return keys.balance({ id: record.id })
  }
  /** Spends all that is there. */
  const empty = async (): Promise<void> => {
    while ((await judged(keys, key)) === 'admitted');
  }
  return { at, empty, keys, key, clock }
}

describe('Refills: when they are due', () => {
  it.each<[Refill['every'], string, string]>([
    ['day', '2026-03-01T10:29:59.999Z', '2026-03-01T10:30:00.000Z'],
    ['week', '2026-03-07T10:29:59.999Z', '2026-03-07T10:30:00.000Z'],
    ['month', '2026-03-28T10:29:59.999Z', '2026-03-28T10:30:00.000Z'],
    ['6h', '2026-02-28T16:29:59.999Z', '2026-02-28T16:30:00.000Z'],
    ['1h', '2026-02-28T11:29:59.999Z', '2026-02-28T11:30:00.000Z'],
    ['720h', '2026-03-30T10:29:59.999Z', '2026-03-30T10:30:00.000Z'],
  ])('%s counts from the creation of the key, to the millisecond, in UTC', async (every, before, due) => {
    const { at } = await madeAt('2026-02-28T10:30:00Z', every)
    expect(await at(before)).toBe(0)
    expect(await at(due)).toBe(3)
  })

  it('month ends are clamped, and the day of creation comes back after a short month', async () => {
    const { at, empty } = await madeAt('2026-01-31T12:00:00Z', 'month')
    const dues = ['02-28', '03-31', '04-30', '05-31', '06-30', '07-31', '08-31', '09-30', '10-31', '11-30', '12-31']
    for (const day of dues) {
      expect(await at(`2026-${day}T11:59:59.999Z`), `before ${day}`).toBe(0)
      expect(await at(`2026-${day}T12:00:00.000Z`), day).toBe(3)
      await empty()
    }
  })

  it('a leap day is the last day of February in other years', async () => {
    const { at, empty } = await madeAt('2024-02-29T00:00:00Z', 'month')
    await at('2025-01-29T00:00:00Z')
    await empty()
    expect(await at('2025-02-27T23:59:59.999Z')).toBe(0)
    expect(await at('2025-02-28T00:00:00.000Z')).toBe(3)
    await empty()
    expect(await at('2025-03-28T23:59:59.999Z')).toBe(0)
    expect(await at('2025-03-29T00:00:00.000Z')).toBe(3)
  })

  it('January 31 in a leap year is due on February 29', async () => {
    const { at } = await madeAt('2028-01-31T23:59:59.999Z', 'month')
    expect(await at('2028-02-29T23:59:59.998Z')).toBe(0)
    expect(await at('2028-02-29T23:59:59.999Z')).toBe(3)
  })

  it('E-13 the zone of the machine changes nothing, not even on a day of 23 hours', async () => {
    const zone = process.env.TZ
    process.env.TZ = 'America/New_York'
    try {
      // The clocks of New York go forward on 2026-03-08 at 07:00 UTC.
      expect([7, 9].map((day) => new Date(Date.UTC(2026, 2, day)).getTimezoneOffset())).toEqual([300, 240])
      const { at, empty } = await madeAt('2026-03-07T07:30:00Z', 'day')
      for (const day of ['08', '09', '10']) {
        expect(await at(`2026-03-${day}T07:29:59.999Z`)).toBe(0)
        expect(await at(`2026-03-${day}T07:30:00.000Z`)).toBe(3)
        await empty()
      }
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })

  it('lastDue agrees with a loop that walks from due to due', () => {
    const anchors = fc.integer({ min: 0, max: Date.UTC(2060, 0, 1) })
    const intervals = fc.oneof(
      fc.constantFrom<Refill['every']>('day', 'week', 'month'),
      fc.integer({ min: 1, max: 9999 }).map((hours): Refill['every'] => `${hours}h`),
    )
    fc.assert(
      fc.property(anchors, intervals, fc.integer({ min: -400 * DAY, max: 1500 * DAY }), (anchor, every, later) => {
        expect(lastDue(anchor, every, anchor + later)).toBe(walked(anchor, every, anchor + later))
      }),
      { numRuns: 3_000 },
    )
  })

  it('lastDue agrees with the loop a millisecond before, at and after each due, from the end of any month', () => {
    for (let month = 0; month < 24; month++) {
      const anchor = Date.UTC(2023, month + 1, 0, 23, 59, 59, 999)
      for (let months = 1; months < 40; months++) {
        const due = monthsLater(anchor, months)
        for (const now of [due - 1, due, due + 1]) {
          expect(lastDue(anchor, 'month', now)).toBe(walked(anchor, 'month', now))
        }
      }
    }
  })
})

describe('Refills: what they do', () => {
  it('set the balance to their amount, and add nothing to what was left', async () => {
    const { left, clock } = await purse({ remaining: 100, refill: { amount: 10, every: 'day' } })
    clock.advance('1d')
    expect(await left()).toBe(10)
  })

  it('are made by the request that needs them, which nobody has to prepare', async () => {
    const { ask, left, clock } = await purse({ remaining: 1, refill: { amount: 5, every: 'day' } })
    await ask()
    expect(await ask()).toBe('insufficient_balance')
    clock.advance('1d')
    expect(await ask({ cost: 5 })).toBe('admitted')
    expect(await left()).toBe(0)
  })

  it('that were missed are one: a key that slept for a year has one amount', async () => {
    const { ask, left, clock } = await purse({ remaining: 0, refill: { amount: 5, every: '6h' } })
    clock.advance('365d')
    expect(await left()).toBe(5)
    await ask({ cost: 5 })
    expect(await ask()).toBe('insufficient_balance')
  })

  it('come once for each due, however often it is asked', async () => {
    const { ask, left, clock } = await purse({ remaining: 0, refill: { amount: 5, every: 'day' } })
    clock.advance('1d')
    for (const rest of [4, 3, 2]) {
      await ask()
      clock.advance('1h')
      expect(await left()).toBe(rest)
    }
  })

  it('do not take back what is held, and count it: what is free is the amount less what is held', async () => {
    const kept = await purse({ remaining: 10, refill: { amount: 10, every: 'day' } })
    kept.clock.advance(DAY - 60_000)
    const { settle } = await hold(kept, { reserve: 6 })
    kept.clock.advance('1m')
    expect(await kept.left()).toBe(4)
    expect(await settle(6)).toEqual({ charged: 6, short: 0 })
    expect(await kept.left()).toBe(4)
  })

  it('are whole again when what is held comes back', async () => {
    const kept = await purse({ remaining: 10, refill: { amount: 10, every: 'day' } })
    kept.clock.advance(DAY - 60_000)
    const { release } = await hold(kept, { reserve: 6 })
    kept.clock.advance('1m')
    release()
    expect(await kept.left()).toBe(10)
  })

  it('leave nothing free, and nothing below zero, where more is held than they give', async () => {
    const kept = await purse({ remaining: 10, refill: { amount: 2, every: 'day' } })
    kept.clock.advance(DAY - 60_000)
    const { settle } = await hold(kept, { reserve: 9 })
    kept.clock.advance('1m')
    expect([await kept.left(), await kept.ask()]).toEqual([0, 'insufficient_balance'])
    expect(await settle(9)).toEqual({ charged: 9, short: 0 })
    expect(await kept.left()).toBe(0)
  })

  it('that were due before a balance was given are over: those of a new balance come at the next due', async () => {
    const { keys, id, left, clock } = await purse({ remaining: 0, refill: { amount: 5, every: 'day' } })
    clock.advance('36h')
    await keys.update(id, { credits: { remaining: 1, refill: { amount: 8, every: 'day' } } })
    expect(await left()).toBe(1)
    clock.advance('12h') // the key is two days old
    expect(await left()).toBe(8)
  })

  it('L-07 a wall clock that is set back and forth again refills nothing twice', async () => {
    const { ask, left, clock } = await purse({ remaining: 0, refill: { amount: 5, every: 'day' } })
    clock.advance('1d')
    await ask({ cost: 5 })
    const now = clock.now()
    clock.set(now - 3 * DAY)
    expect(await left()).toBe(0)
    clock.set(now)
    expect(await left()).toBe(0)
  })
})

/** By steps, as one would count on a calendar. */
function walked(anchor: number, every: Refill['every'], now: number): number | undefined {
  let last: number | undefined
  for (let times = 1; ; times++) {
    const due = every === 'month' ? monthsLater(anchor, times) : anchor + times * lengthOf(every)
    if (due > now) return last
    last = due
  }
}

function lengthOf(every: Exclude<Refill['every'], 'month'>): number {
  if (every === 'day') return DAY
  return every === 'week' ? 7 * DAY : Number.parseInt(every, 10) * HOUR
}

/** Written a second time on purpose: from day to day, back while the month is the wrong one. */
function monthsLater(anchor: number, months: number): number {
  const from = new Date(anchor)
  const wanted = (from.getUTCMonth() + months) % 12
  const later = new Date(anchor)
  later.setUTCMonth(from.getUTCMonth() + months)
  while (later.getUTCMonth() !== wanted) later.setUTCDate(later.getUTCDate() - 1)
  return later.getTime()
}
