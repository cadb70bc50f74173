import { describe, expect, it } from 'vitest'
import type { Address } from '../../src/network/address.ts'
import { compileDemand } from '../../src/policy/demand.ts'
import { NOBODY, newAttempt } from '../../src/verify/attempt.ts'
import { createThrottle } from '../../src/verify/throttle.ts'

const HERE: Address = { text: '203.0.113.9', words: [0xcb007109] }
const HELD_UNTIL = 60_000

/** A network that is always held back, so that what was proved is all that passes. */
function heldBack() {
  const throttle = createThrottle({ spentUntil: () => HELD_UNTIL, count: () => {} }, () => HERE)
  const requirement = compileDemand({}, { vocabulary: undefined, environments: [] })
  const attempt = newAttempt(NOBODY, '', requirement, {}, undefined, { wall: 0, steady: 0, now: 0 })
  return { prove: throttle.proved, passes: (text: string) => throttle.heldUntil(attempt, text) === undefined }
}

describe('Proofs that the failure budget remembers', () => {
  it('let their text pass, and no other', () => {
    const { prove, passes } = heldBack()
    prove('text', 'hash')
    expect([passes('text'), passes('Text'), passes('hash'), passes('')]).toEqual([true, false, false, false])
  })

  it('are bounded: the oldest few go, the newest stay', () => {
    const { prove, passes } = heldBack()
    for (let i = 0; i < 10_001; i++) prove(`text ${i}`, `hash ${i}`)
    expect([passes('text 0'), passes('text 200'), passes('text 10000')]).toEqual([false, true, true])
  })

  it('come back when what was forgotten is proved again', () => {
    const { prove, passes } = heldBack()
    for (let i = 0; i < 10_001; i++) prove(`text ${i}`, `hash ${i}`)
    prove('text 0', 'hash 0')
    expect(passes('text 0')).toBe(true)
  })

  it('outlive the upgrade of a hash: the older hash goes, the text is still proved by the newer', () => {
    const { prove, passes } = heldBack()
    prove('text', 'old hash')
    for (let i = 0; i < 9_999; i++) prove(`text ${i}`, `hash ${i}`)
    prove('text', 'new hash')
    expect([passes('text'), passes('text 0')]).toEqual([true, false])
    for (let i = 10_000; i < 20_000; i++) prove(`text ${i}`, `hash ${i}`)
    expect(passes('text')).toBe(false)
    prove('text', 'new hash')
    expect(passes('text')).toBe(true)
  })
})
