import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Address, parseAddress } from '../../src/network/address.ts'
import { type Cidr, compileNetworks, parseCidr } from '../../src/network/cidr.ts'
import { BITS, firstOf, lies, type Numbered, textOf } from './reference.ts'

function understood(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`${text} was not understood`)
  return address
}

function block(text: string): Cidr {
  const parsed = parseCidr(text)
  if (typeof parsed === 'string') throw new Error(`${text} ${parsed}`)
  return parsed
}

/** Numbers that share leading bits more often than chance has it, so that blocks are hit. */
const value = (bits: number) =>
  fc
    .tuple(
      fc.constantFrom(0n, 1n, (1n << BigInt(bits)) - 1n, 10n << BigInt(bits - 8)),
      fc.bigInt(0n, 255n),
      fc.nat(bits - 1),
    )
    .map(([base, noise, shift]) => (base ^ (noise << BigInt(shift))) & ((1n << BigInt(bits)) - 1n))

/** A mapped address is IPv4 and has a test of its own. */
const isMapped = (number: Numbered) => number.family === 6 && number.value >> 32n === 0xffffn
const numbered: fc.Arbitrary<Numbered> = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) => value(BITS[family]).map((value) => ({ family, value })))
  .filter((number) => !isMapped(number))
const cidr = numbered.chain((number) =>
  fc.nat(BITS[number.family]).map((length) => ({ length, first: firstOf(number, length) })),
)
const cidrText = ({ first, length }: { first: Numbered; length: number }) => `${textOf(first)}/${length}`

describe('I. CIDR blocks', () => {
  it('hold what a reference of whole numbers says that they hold', () => {
    const asked = fc.property(
      fc.array(cidr, { minLength: 1, maxLength: 12 }),
      fc.array(numbered, { maxLength: 12 }),
      (blocks, numbers) => {
        const networks = compileNetworks(blocks.map((each) => block(cidrText(each))))
        for (const number of [...numbers, ...blocks.map(({ first }) => first)]) {
          const expected = blocks.some(({ first, length }) => lies(number, first, length))
          expect(networks(understood(textOf(number)))).toBe(expected)
        }
      },
    )
    fc.assert(asked, { numRuns: 500 })
  })

  it('end where a reference of whole numbers says that they end', () => {
    const ends = fc.property(cidr, ({ first, length }) => {
      const networks = compileNetworks([block(cidrText({ first, length }))])
      const size = 1n << BigInt(BITS[first.family] - length)
      const at = (value: bigint): Numbered => ({ family: first.family, value })
      const beside = [at(first.value - 1n), at(first.value + size)].filter(
        (number) => number.value >= 0n && number.value < 1n << BigInt(BITS[first.family]) && !isMapped(number),
      )
      expect(networks(understood(textOf(first)))).toBe(true)
      const last = at(first.value + size - 1n)
      if (!isMapped(last)) expect(networks(understood(textOf(last)))).toBe(true)
      for (const number of beside) expect(networks(understood(textOf(number)))).toBe(false)
    })
    fc.assert(ends, { numRuns: 500 })
  })

  it('hold what net.BlockList says within one family', () => {
    const asked = fc.property(
      fc.array(cidr, { minLength: 1, maxLength: 8 }),
      fc.array(numbered, { maxLength: 8 }),
      (blocks, numbers) => {
        const networks = compileNetworks(blocks.map((each) => block(cidrText(each))))
        const lists = { 4: new BlockList(), 6: new BlockList() }
        for (const { first, length } of blocks)
          lists[first.family].addSubnet(textOf(first), length, `ipv${first.family}`)
        for (const number of numbers) {
          const expected = lists[number.family].check(textOf(number), `ipv${number.family}`)
          expect(networks(understood(textOf(number)))).toBe(expected)
        }
      },
    )
    fc.assert(asked, { numRuns: 500 })
  })

  it('are read from the first address of a block and from no other', () => {
    const read = fc.property(numbered, fc.nat(128), (number, bits) => {
      const length = Math.min(bits, BITS[number.family])
      const first = firstOf(number, length)
      const parsed = parseCidr(cidrText({ first: number, length }))
      if (first.value === number.value) expect(typeof parsed).toBe('object')
      else expect(parsed).toContain(`(${understood(textOf(first)).text}/${length} has none)`)
    })
    fc.assert(read, { numRuns: 500 })
  })

  it('P-05 are read from any text without a throw', () => {
    const piece = fc.constantFrom('10', '255', '::', ':', '.', '/', '/8', 'ffff', '%eth0', '0', ' ', '\u0000', '-')
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    )
    const read = fc.property(text, (given) => {
      const parsed = parseCidr(given)
      if (typeof parsed === 'string') return
      expect(isIP(given.split('/')[0] ?? '')).not.toBe(0)
    })
    fc.assert(read, { numRuns: 2000 })
  })

  it('I-26 I-27 of length 0 hold their own family alone', () => {
    const [ipv4, ipv6] = ['127.0.0.1', '::1'].map(understood) as [Address, Address]
    expect([compileNetworks([block('0.0.0.0/0')])].map((networks) => [networks(ipv4), networks(ipv6)])).toEqual([
      [true, false],
    ])
    expect([compileNetworks([block('::/0')])].map((networks) => [networks(ipv4), networks(ipv6)])).toEqual([
      [false, true],
    ])
  })

  it('hold the ends of each of many, near together and far apart, and nothing beside them', () => {
    const many = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 100, max: 1500 }), fc.nat(2 ** 20 - 1))
    const asked = fc.property(many, ([far, count, start]) => {
      // Of each a /28, 2^(far + 1) of them from one to the next: so none touches another.
      const firsts = Array.from({ length: count }, (_, n) => (start + n * 2 ** far * 2) % 2 ** 24)
      const quad = (number: number) => textOf({ family: 4, value: BigInt(number) })
      const networks = compileNetworks(firsts.map((n) => block(`${quad(n * 16)}/28`)))
      const holds = (number: number) => networks(understood(quad(number)))
      const own = new Set(firsts)
      for (const n of firsts) {
        expect([holds(n * 16), holds(n * 16 + 15)]).toEqual([true, true])
        if (n > 0 && !own.has(n - 1)) expect(holds(n * 16 - 1)).toBe(false)
        if (!own.has(n + 1)) expect(holds(n * 16 + 16)).toBe(false)
      }
      expect([holds(0), holds(2 ** 32 - 1)]).toEqual([own.has(0), false])
    })
    fc.assert(asked, { numRuns: 20 })
  })

  it('hold nobody where there are none', () => {
    expect(compileNetworks([])(understood('127.0.0.1'))).toBe(false)
    expect(compileNetworks([])(understood('::'))).toBe(false)
  })
})
