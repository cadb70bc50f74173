import { BlockList } from 'node:net'
import fc from 'fast-check'
import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/network/address.ts'
import { type Cidr, compileNetworks, parseCidr } from '../../src/network/cidr.ts'
import { BITS, firstOf, lies, type Numbered, textOf } from '../network/reference.ts'
import { judged } from '../support/outcome.ts'

/** Whole numbers below a bound, the same for one seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

interface Block {
  readonly first: Numbered
  readonly length: number
}

function anywhere(random: (below: number) => number): Numbered {
  const family = random(2) === 0 ? 4 : 6
  let value = 0n
  for (let bits = 0; bits < BITS[family]; bits += 16) value = (value << 16n) | BigInt(random(65_536))
  return { family, value }
}

/** An IPv4-mapped address is IPv4 to Keyward and has tests of its own. */
const isMapped = ({ family, value }: Numbered) => family === 6 && value >> 32n === 0xffffn

/** An address in, at the ends of, or beside one of the blocks, or anywhere. */
function near(blocks: readonly Block[], random: (below: number) => number): Numbered {
  const block = blocks[random(blocks.length)]
  if (block === undefined || random(4) === 0) return anywhere(random)
  const { first, length } = block
  const { family } = first
  const size = 1n << BigInt(BITS[family] - length)
  const offsets = [0n, size - 1n, -1n, size, size >> 1n, BigInt(random(65_536)) % size]
  const value = first.value + (offsets[random(offsets.length)] ?? 0n)
  return value < 0n || value >= 1n << BigInt(BITS[family]) ? first : { family, value }
}

function blocksFrom(random: (below: number) => number): readonly Block[] {
  return Array.from({ length: 1 + random(6) }, () => {
    const number = anywhere(random)
    const length = random(BITS[number.family] + 1)
    return { length, first: firstOf(number, length) }
  }).filter(({ first, length }) => !isMapped(first) || length < 96)
}

function understood(block: Block): Cidr {
  const parsed = parseCidr(`${textOf(block.first)}/${block.length}`)
  if (typeof parsed === 'string') throw new Error(`${textOf(block.first)}/${block.length} ${parsed}`)
  return parsed
}

function peerLists(blocks: readonly Block[]) {
  const lists = { 4: new BlockList(), 6: new BlockList() }
  for (const { first, length } of blocks) lists[first.family].addSubnet(textOf(first), length, `ipv${first.family}`)
  return lists
}

const LISTS = 2_000
const ADDRESSES = 500

describe('I. A million pairs of an address and a list', () => {
  it('are judged as net.BlockList and whole numbers judge them', () => {
    const random = randomFrom(20_260_101)
    let [asked, held] = [0, 0]
    const wrong: string[] = []
    for (let list = 0; list < LISTS; list++) {
      const blocks = blocksFrom(random)
      const networks = compileNetworks(blocks.map(understood))
      const peers = peerLists(blocks)
      for (let n = 0; n < ADDRESSES; n++) {
        const number = near(blocks, random)
        if (isMapped(number)) continue
        const text = textOf(number)
        const address = parseAddress(text)
        const ours = address !== undefined && networks(address)
        const byNumbers = blocks.some(({ first, length }) => lies(number, first, length))
        const byPeer = peers[number.family].check(text, `ipv${number.family}`)
        if (ours !== byNumbers || ours !== byPeer)
          wrong.push(`${text} in ${blocks.map((b) => `${textOf(b.first)}/${b.length}`)}`)
        asked++
        if (ours) held++
      }
    }
    expect(wrong).toEqual([])
    expect(asked).toBeGreaterThan(0.99 * LISTS * ADDRESSES)
    // Neither answer is rare, or the comparison would say little.
    expect(held / asked).toBeGreaterThan(0.2)
    expect(held / asked).toBeLessThan(0.8)
  }, 60_000)

  it('I-15 I-18 are judged so through a key, however the address is spelled', async () => {
    const keys = createApiKeys({ prefix: 'net_' })
    const spelled = ({ family, value }: Numbered, how: number) => {
      const text = textOf({ family, value })
      if (family === 4) return how % 2 === 0 ? text : `::FFFF:${text}`
      return how % 2 === 0 ? text.toUpperCase() : text.replaceAll(/[0-9a-f]+/g, (group) => group.padStart(4, '0'))
    }
    const alike = fc.asyncProperty(fc.nat(), async (seed) => {
      const random = randomFrom(seed)
      const blocks = blocksFrom(random)
      fc.pre(blocks.length > 0)
      const allowedIps = blocks.map(({ first, length }) => `${textOf(first)}/${length}`)
      const { key } = await keys.create({ owner: 'acct_1', allowedIps })
      for (let n = 0; n < 20; n++) {
        const number = near(blocks, random)
        if (isMapped(number)) continue
        const expected = blocks.some(({ first, length }) => lies(number, first, length)) ? 'admitted' : 'ip_not_allowed'
        expect(await judged(keys, { key, address: spelled(number, n) })).toBe(expected)
      }
    })
    await fc.assert(alike, { numRuns: 300 })
  })
})
