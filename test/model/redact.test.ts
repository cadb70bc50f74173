import { describe, expect, it } from 'vitest'
import { messageOf, redact, show } from '../../src/model/redact.ts'

describe('redact', () => {
  it.each([
    ['connect redis://user:p@ss/w//rd@host:6379/0 failed', 'connect redis://[redacted]@host:6379/0 failed'],
    ['a//b@c d//e@f', 'a//[redacted]@c d//[redacted]@f'],
    ['//@', '//@'],
    ['a@b//c', 'a@b//c'],
    ['password=hunter2, pwd: "x y"', 'password=[redacted], pwd: [redacted] y"'],
    ["'secret': 'a', AUTH=b;c", "'secret': [redacted], AUTH=[redacted];c"],
    ['password=   ', 'password=   '],
    ['compass=north', 'compass=north'],
    [`key agk_live_${'aB3'.repeat(16)} here`, 'key agk_live_[redacted] here'],
    [`${'a/+'.repeat(14)}=`, '[redacted]'],
    [`x${'a/+'.repeat(14)}= y`, '[redacted] y'],
    [
      '$argon2id$v=19$m=1,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$BBBBBBBBBBBBBBBBBBBBBB',
      '$argon2id$v=19$m=1,t=1,p=1$[redacted]$[redacted]',
    ],
    ['a'.repeat(31), 'a'.repeat(31)],
  ])('strikes out of %j what may be a secret', (text, shown) => {
    expect(redact(text)).toBe(shown)
  })

  // In time that grows with the square of the length, each of these would take hours.
  const LONG = 1_000_000
  it.each([
    '/',
    '_',
    ' ',
    '\n',
    '//',
    'a/',
    '/@',
    '//@',
    '$',
    '$a',
    'a',
    'pass=',
    'pass= ',
    'pass="',
    'secret',
    '=',
    '"',
    '@ ',
  ])('P-05, M-11: reads any length of %j', (piece) => {
    const text = piece.repeat(LONG / piece.length)
    for (const whole of [text, `password=${text}`, `x//${text}`, `$${text}`, `${text}=`, `${text}@`]) {
      expect(typeof redact(whole)).toBe('string')
    }
    expect(show(text).length).toBeLessThanOrEqual(80)
    expect(typeof messageOf(new Error(text))).toBe('string')
  })
})
