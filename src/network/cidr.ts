import { Address, parseAddress } from './address.ts'

/** A block of addresses, from its first to its last. */
export interface Cidr {
  readonly text: string
  readonly from: readonly number[]
  readonly to: readonly number[]
}

const LENGTH = /^(0|[1-9]\d{0,2})$/

/** A block from text: an address, or an address and a prefix length (RFC 4632). A string is what is wrong with it. */
export function parseCidr(text: string): Cidr | string {
  const [host = '', length, ...more] = text.split('/')
  const address = more.length === 0 ? parseAddress(host) : undefined
  if (address === undefined) return 'must be an IPv4 or IPv6 address or CIDR block'
  const most = address.words.length * 32
  const bits = length === undefined ? most : prefixLength(host, length, most)
  if (bits === undefined) return `must have a prefix length of 0 to ${most}`
  const block = blockOf(address, bits)
  if (compare(block.from, address.words) === 0) return block
  return `must have no bits set behind its prefix (${new Address(block.from).text}/${bits} has none)`
}

/** The prefix length; of an IPv4-mapped block (`::ffff:10.0.0.0/104`), that of its IPv4 part. */
function prefixLength(host: string, length: string, most: number): number | undefined {
  if (!LENGTH.test(length)) return undefined
  const bits = Number(length) - (most === 32 && host.includes(':') ? 96 : 0)
  return bits >= 0 && bits <= most ? bits : undefined
}

function blockOf(address: Address, bits: number): Cidr {
  const from = address.words.map((word, i) => word & mask(bits - i * 32))
  const to = address.words.map((word, i) => word | ~mask(bits - i * 32))
  return { text: `${address.text}/${bits}`, from, to }
}

/** The first `bits` of 32 set: shifts by 32 do nothing in JavaScript, so the ends are cases of their own. */
function mask(bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? -1 : ~(-1 >>> bits)
}

/** Whether an address lies in one of the blocks. */
export type Networks = (address: Address) => boolean

/** Blocks, ready to be asked: sorted, without those that lie in others, so that a binary search finds the only candidate. */
export function compileNetworks(blocks: readonly Cidr[]): Networks {
  const ipv4 = indexed(packed(outermost(blocks.filter(({ from }) => from.length === 1))))
  const ipv6 = packed(outermost(blocks.filter(({ from }) => from.length === 4)))
  return ({ words }) => (words.length === 1 ? containsWord(ipv4, (words[0] as number) >>> 0) : contains(ipv6, words))
}

/** Blocks of one family, the words of all one after the other: a search through them stays close together in memory. */
interface Packed {
  readonly count: number
  readonly from: Uint32Array
  readonly to: Uint32Array
}

function packed(blocks: readonly Cidr[]): Packed {
  const from = Uint32Array.from(blocks.flatMap((block) => block.from))
  const to = Uint32Array.from(blocks.flatMap((block) => block.to))
  return { count: blocks.length, from, to }
}

/** Two CIDR blocks are apart or one lies in the other: behind a block in sorted order, skip what it contains. */
function outermost(blocks: readonly Cidr[]): readonly Cidr[] {
  const sorted = [...blocks].sort((a, b) => compare(a.from, b.from) || compare(b.to, a.to))
  const kept: Cidr[] = []
  for (const block of sorted) {
    const last = kept.at(-1)
    if (last === undefined || compare(block.from, last.to) > 0) kept.push(block)
  }
  return kept
}

function contains({ count, from, to }: Packed, words: readonly number[]): boolean {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareAt(from, middle, words) <= 0) low = middle + 1
    else high = middle
  }
  return low > 0 && compareAt(to, low - 1, words) >= 0
}

/** Blocks of one word, with an index: the addresses from `first` on in stretches of 2^shift, about as many as blocks. */
interface Indexed extends Packed {
  readonly first: number
  readonly shift: number
  /** For each stretch, and one behind them, the last block that begins before it. */
  readonly before: Uint32Array
}

function indexed(blocks: Packed): Indexed {
  const { count, from } = blocks
  // Behind every address where there is no block.
  const first = from[0] ?? 2 ** 32
  const span = (from[count - 1] ?? first) - first
  const shift = Math.max(0, Math.clz32(count) - Math.clz32(span))
  const before = new Uint32Array((span >>> shift) + 2)
  for (let at = 0; at < count; at++) before.fill(at, (((from[at] as number) - first) >>> shift) + 1)
  return { ...blocks, first, shift, before }
}

/** The same where an address is one word. No step branches: the processor would guess every other one wrong. */
function containsWord({ from, to, first, shift, before }: Indexed, word: number): boolean {
  if (word < first) return false
  const stretch = Math.min((word - first) >>> shift, before.length - 2)
  let at = before[stretch] as number
  for (let left = (before[stretch + 1] as number) - at + 1; left > 1; ) {
    const half = left >>> 1
    at += half & -Number((from[at + half] as number) <= word)
    left -= half
  }
  return (from[at] as number) <= word && (to[at] as number) >= word
}

/** How the block at this place begins or ends, compared with an address. */
function compareAt(ends: Uint32Array, place: number, words: readonly number[]): number {
  const start = place * words.length
  for (let i = 0; i < words.length; i++) {
    const difference = (ends[start + i] as number) - ((words[i] as number) >>> 0)
    if (difference !== 0) return difference
  }
  return 0
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = ((a[i] as number) >>> 0) - ((b[i] as number) >>> 0)
    if (difference !== 0) return difference
  }
  return 0
}
