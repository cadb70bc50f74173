import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Address, parseAddress, parseSocketAddress } from '../../src/network/address.ts'
import { type Numbered, numberOf, textOf } from './reference.ts'

/** What was understood, as a number. */
function numberIn({ words }: Address): Numbered {
  const value = words.reduce((value, word) => value * 4_294_967_296n + BigInt(word >>> 0), 0n)
  return { family: words.length === 1 ? 4 : 6, value }
}

const ipv4 = fc.ipV4()
const ipv6 = fc.ipV6()
/** Other spellings of an IPv6 address. */
const spelled = fc.tuple(ipv6, fc.boolean(), fc.boolean()).map(([text, upper, padded]) => {
  const full = padded && !text.includes('.') ? text.replace(/[0-9a-f]+/gi, (group) => group.padStart(4, '0')) : text
  return upper ? full.toUpperCase() : full
})
const embedded = fc.tuple(
  fc.constantFrom('::', '0::', '::ffff:', '::FFFF:', '64:ff9b::', '::0:', '2002::', '1:2:3:4:5:6:'),
  ipv4,
)
const mixed = embedded.map(([head, tail]) => head + tail)

describe('I. Addresses', () => {
  it('are the numbers that a reference reads from the same text', () => {
    const same = fc.property(fc.oneof(ipv4, ipv6, spelled, mixed), (text) => {
      const address = parseAddress(text)
      expect(address && numberIn(address)).toEqual(numberOf(text))
    })
    fc.assert(same, { numRuns: 2000 })
  })

  it('I-18 have one text, however they are spelled', () => {
    const one = fc.property(spelled, (text) => {
      const full = textOf(numberOf(text))
      expect(parseAddress(text)?.text).toBe(parseAddress(full)?.text)
      expect(isIP(parseAddress(text)?.text ?? '')).not.toBe(0)
    })
    fc.assert(one, { numRuns: 1000 })
  })

  it('P-05 are never what net.isIP does not take for one, and nothing is thrown', () => {
    const piece = fc.constantFrom(
      '10',
      '255',
      '256',
      '::',
      ':',
      '.',
      'ffff',
      '%eth0',
      '0',
      '00',
      ' ',
      '\u0000',
      '0x1',
      ']',
    )
    const pieces = fc.array(piece, { maxLength: 14 }).map((list) => list.join(''))
    const understood = fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), pieces), (text) => {
      const given = parseAddress(text)
      const socket = parseSocketAddress(text)
      if (isIP(text) === 0) expect([given, socket]).toEqual([undefined, undefined])
    })
    fc.assert(understood, { numRuns: 3000 })
  })

  it('P-05 are what net.isIP takes for one without a zone, exactly: a character more or less, or another, changes both alike', () => {
    const character = fc.constantFrom(...'0123456789abcdefABCDEFg:.% ', '\n', '１', '\u0130')
    const edit = fc.tuple(fc.nat({ max: 45 }), fc.constantFrom(0, 1, 2), fc.oneof(character, fc.constant('')))
    const nearly = fc.tuple(fc.oneof(ipv4, ipv6, spelled, mixed), fc.array(edit, { maxLength: 3 }))
    const groups = fc
      .array(fc.constantFrom('0', 'f', '12', 'abc', 'FFFF', '00000', '', '1.2.3.4'), { maxLength: 10 })
      .map((list) => list.join(':'))
    const text = fc.oneof(
      groups,
      nearly.map(([whole, edits]) =>
        edits.reduce((text, [at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone), whole),
      ),
    )
    const exact = fc.property(text, (text) => {
      const address = parseAddress(text)
      expect(address !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'))
      expect(address && numberIn(address)).toEqual(address && numberOf(text))
    })
    fc.assert(exact, { numRuns: 10_000 })
  })

  it.each(['::ffff:10.0.0.5', '::FFFF:10.0.0.5', '::ffff:0a00:0005', '0:0:0:0:0:ffff:a00:5'])(
    'I-15 %s is 10.0.0.5',
    (text) => {
      expect(parseAddress(text)).toEqual(parseAddress('10.0.0.5'))
    },
  )

  it.each(['::10.0.0.5', '64:ff9b::10.0.0.5', '2002:0a00:0005::', '::ffff:0:10.0.0.5', 'ffff::10.0.0.5'])(
    'I-16 %s is IPv6 and stays so',
    (text) => {
      expect(parseAddress(text)?.words).toHaveLength(4)
    },
  )

  it.each(['10.1', '010.0.0.5', '0x0a.0.0.5', '167772165', '10.0.0.5 ', '１０.0.0.5', '10.0.0.5\n', '10.0.0.5/32', ''])(
    'I-14 %j is none',
    (text) => {
      expect(parseAddress(text)).toBeUndefined()
      expect(parseSocketAddress(text)).toBeUndefined()
    },
  )

  it('I-17 have no zone; that of a link-local one at a socket is left aside', () => {
    expect(parseAddress('fe80::1%eth0')).toBeUndefined()
    expect(parseSocketAddress('fe80::1%eth0')).toEqual(parseAddress('fe80::1'))
    expect(parseSocketAddress('febf::1%eth0')).toEqual(parseAddress('febf::1'))
    expect(parseSocketAddress('fec0::1%eth0')).toBeUndefined()
    expect(parseSocketAddress('fe80::1%25eth0')).toBeUndefined()
  })

  it('are told the same again', () => {
    const texts = Array.from({ length: 3000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
    const first = texts.map((text) => parseAddress(text)?.words[0])
    expect(texts.map((text) => parseAddress(text)?.words[0])).toEqual(first)
    expect(new Set(first).size).toBe(3000)
  })
})
