import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { iso } from '../../src/model/iso.ts'

const LAST = Date.parse('9999-12-31T23:59:59.999Z')
const MINUTE = 60_000

const written = (ms: number) => new Date(ms).toISOString()

describe('iso()', () => {
  it('writes every time from 1970 to 9999 as Date does, whatever it wrote before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: LAST }), { minLength: 1, maxLength: 20 }), (times) => {
        expect(times.map(iso)).toEqual(times.map(written))
      }),
    )
  })

  it('tells times apart whose minutes lie in one place', () => {
    const times = fc.record({ base: fc.integer({ min: 0, max: LAST - 64 * MINUTE }), order: fc.array(fc.nat(7)) })
    fc.assert(
      fc.property(times, ({ base, order }) => {
        // Eight minutes apart: the same place, now and then the same millisecond of it.
        const near = order.map((step) => base + step * 8 * MINUTE)
        expect(near.map(iso)).toEqual(near.map(written))
      }),
    )
  })

  it('writes a part of a millisecond as Date does', () => {
    expect([0.9, 59_999.5, 60_000.25].map(iso)).toEqual([0.9, 59_999.5, 60_000.25].map(written))
  })
})
