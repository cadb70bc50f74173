import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../src/testing/fake-clock.ts'

describe('fakeClock', () => {
  it('stands still where it was started', () => {
    expect(fakeClock(5).now()).toBe(5)
    expect(fakeClock(new Date(7)).now()).toBe(7)
    expect(new Date(fakeClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z')
  })

  it('moves both clocks on', () => {
    const clock = fakeClock(1_000)
    const before = clock.monotonic()
    clock.advance(5)
    clock.advance('10s')
    expect([clock.now(), clock.monotonic() - before]).toEqual([11_005, 10_005])
  })

  it('sets the wall clock alone, back and forth', () => {
    const clock = fakeClock(1_000)
    const before = clock.monotonic()
    clock.set(10)
    expect(clock.now()).toBe(10)
    clock.set(new Date(99_999))
    expect([clock.now(), clock.monotonic()]).toEqual([99_999, before])
  })

  it.each([-1, '10', '1x', Number.NaN, undefined])('refuses to advance by %j', (duration) => {
    expect(() => fakeClock().advance(duration as number)).toThrow(expect.objectContaining({ code: 'INPUT' }))
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, new Date('soon'), 'soon'])('refuses to stand at %s', (moment) => {
    const refused = expect.objectContaining({ code: 'INPUT' })
    expect(() => fakeClock(moment as number)).toThrow(refused)
    expect(() => fakeClock().set(moment as number)).toThrow(refused)
  })
})
