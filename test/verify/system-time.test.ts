import { createApiKeys } from 'keyward'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { timekeeper } from '../../src/verify/time.ts'
import { accessIn, judged } from '../support/outcome.ts'

const START = Date.parse('2026-11-21T12:00:00.000Z')

afterEach(() => {
  vi.restoreAllMocks()
})

/** The system's two clocks, in our hands. */
function clocks() {
  const at = { wall: START, steady: 5000 }
  const wall = vi.spyOn(Date, 'now').mockImplementation(() => at.wall)
  const steady = vi.spyOn(performance, 'now').mockImplementation(() => at.steady)
  const pass = (ms: number) => {
    at.wall += ms
    at.steady += ms
  }
  return { at, pass, reads: () => [wall.mock.calls.length, steady.mock.calls.length] }
}

/** Its steady time begins with the first look. */
function started() {
  const look = timekeeper(systemClock)
  look()
  return look
}

describe('The time of a request, by the system’s clocks', () => {
  it('is the time of both while they run alike', () => {
    const { pass } = clocks()
    const look = started()
    for (const ms of [0, 1, 7, 49, 50, 51, 3000]) {
      pass(ms)
      const { wall, steady, now } = look()
      expect([steady, now]).toEqual([wall, wall])
    }
  })

  it('reads the wall clock alone nearly always', () => {
    const { pass, reads } = clocks()
    const look = started()
    const [wall = 0, steady = 0] = reads()
    for (let ms = 0; ms < 49; ms++) {
      pass(1)
      look()
    }
    expect(reads()).toEqual([wall + 49, steady])
    pass(1)
    look()
    expect(reads()).toEqual([wall + 50, steady + 1])
  })

  it('is one and the same within a millisecond', () => {
    const { pass } = clocks()
    const look = started()
    pass(3)
    const first = look()
    expect(look()).toBe(first)
    pass(1)
    expect(look()).not.toBe(first)
  })

  it('goes on by the monotonic clock when the wall clock is set forward', () => {
    const { at, pass } = clocks()
    const look = started()
    at.wall += 3_600_000
    pass(10)
    expect(look()).toEqual({ wall: START + 3_600_010, steady: START + 10, now: START + 3_600_010 })
  })

  it('goes on by the monotonic clock when the wall clock is set back, and keys expire by the later', () => {
    const { at, pass } = clocks()
    const look = started()
    at.wall -= 3_600_000
    pass(10)
    expect(look()).toEqual({ wall: START - 3_599_990, steady: START + 10, now: START + 10 })
    pass(20)
    expect(look()).toEqual({ wall: START - 3_599_970, steady: START + 30, now: START + 30 })
  })

  it('notices within 50 ms that the wall clock was set by less than that', () => {
    const { at, pass } = clocks()
    const look = started()
    at.wall += 20
    pass(10)
    expect(look().steady).toBe(START + 30)
    pass(20)
    expect(look().steady).toBe(START + 30)
  })
})

describe('E. Keys by the system’s clocks', () => {
  it('E-10 a key that expired stays expired when the wall clock is set back', async () => {
    const { at, pass } = clocks()
    const keys = createApiKeys({ prefix: 'sys_' })
    const { key } = await keys.create({ owner: 'acct_1', expiresAt: new Date(START + 60_000) })
    pass(59_999)
    expect(await judged(keys, key)).toBe('admitted')
    pass(1)
    expect(await judged(keys, key)).toBe('expired')
    at.wall -= 3_600_000
    expect(await judged(keys, key)).toBe('expired')
  })

  it('L-07 a correction of the wall clock neither empties nor locks a window', async () => {
    const { at, pass } = clocks()
    const keys = createApiKeys({ prefix: 'sys_', limits: { default: { minute: 2 } } })
    const { key } = await keys.create({ owner: 'acct_1' })
    accessIn(await keys.verify(key))
    at.wall += 3_600_000
    pass(100)
    accessIn(await keys.verify(key))
    expect(await judged(keys, key)).toBe('rate_limited')
    at.wall -= 7_200_000
    pass(100)
    expect(await judged(keys, key)).toBe('rate_limited')
    pass(59_800)
    expect(await judged(keys, key)).toBe('admitted')
  })
})
