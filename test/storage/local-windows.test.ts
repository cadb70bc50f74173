import { describe, expect, it } from 'vitest'
import type { Taken } from '../../src/model/store.ts'
import { localWindows } from '../../src/storage/local-windows.ts'

const MINUTE = 60_000
const WINDOWS = [{ name: 'failures', limit: 2, ms: MINUTE }]

/** Windows of two a minute, for so many networks at most. */
function counting(most?: number) {
  const count = localWindows(most === undefined ? {} : { most })
  const remaining = (taken: Taken) => ('readings' in taken ? taken.readings?.[0]?.remaining : undefined)
  return {
    take: (id: string, now = 0) => remaining(count(id, 0, { windows: WINDOWS, cost: 1 }, now)),
    look: (id: string, now = 0) => remaining(count(id, 0, { windows: WINDOWS, cost: 0 }, now)),
  }
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

describe('Windows of this process', () => {
  it('count each id apart, and what is over is free again', () => {
    const { take, look } = counting()
    expect([take('a'), take('a'), take('b')]).toEqual([1, 0, 1])
    expect([look('a', MINUTE - 1), look('a', MINUTE)]).toEqual([0, 2])
  })

  it('remember nothing of who only looks', () => {
    const { take, look } = counting(3)
    for (const id of ['a', 'b', 'c']) take(id)
    for (const id of names('passer-by ', 100)) expect(look(id)).toBe(2)
    expect(['a', 'b', 'c'].map((id) => look(id))).toEqual([1, 1, 1])
  })

  it('A-09 are bounded: of more ids than they may count, some are forgotten', () => {
    const { take, look } = counting(1_000)
    const ids = names('network ', 20_000)
    for (const id of ids) take(id)
    expect(ids.filter((id) => look(id) === 1)).toHaveLength(1_000)
  })

  it.each([1, 63, 64, 65, 100, 900])('A-09 the %i that are full are not let go for newcomers', (blocked) => {
    const { take, look } = counting(1_000)
    const full = names('blocked ', blocked)
    for (const id of [...full, ...full]) take(id)
    for (const id of names('newcomer ', 20_000)) take(id)
    expect(full.filter((id) => look(id) !== 0)).toEqual([])
  })

  it('A-09 where all are full, the oldest makes place, and the newcomer is counted', () => {
    const { take, look } = counting(10)
    const full = names('blocked ', 10)
    for (const id of [...full, ...full]) take(id)
    expect([take('newcomer'), take('newcomer')]).toEqual([1, 0])
    expect(full.map((id) => look(id))).toEqual([2, ...Array(9).fill(0)])
  })

  it('A-09 where nearly all are full, newcomers are still counted, and do not push each other out', () => {
    const { take, look } = counting(1_000)
    const full = names('blocked ', 1_000)
    for (const id of [...full, ...full]) take(id)
    const newcomers = names('newcomer ', 20)
    for (const id of [...newcomers, ...newcomers]) take(id)
    expect(newcomers.map((id) => look(id))).toEqual(Array(20).fill(0))
    expect(full.filter((id) => look(id) === 0).length).toBeGreaterThan(800)
  })

  it('full ones whose window is over make place like any other', () => {
    const { take, look } = counting(10)
    const full = names('blocked ', 10)
    for (const id of [...full, ...full]) take(id)
    const later = 10 * MINUTE
    const newcomers = names('newcomer ', 10)
    for (const id of [...newcomers, ...newcomers]) take(id, later)
    expect(newcomers.map((id) => look(id, later))).toEqual(Array(10).fill(0))
  })

  it('without a bound, those that are over are let go in time, and none that counts', () => {
    const { take, look } = counting()
    for (const id of names('old ', 30_000)) take(id)
    const later = 10 * MINUTE
    const fresh = names('fresh ', 30_000)
    for (const id of fresh) take(id, later)
    expect(fresh.filter((id) => look(id, later) !== 1)).toEqual([])
  })
})
