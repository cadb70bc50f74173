import { codeAt } from '../model/code-at.ts'
import { digitValues } from '../model/digit-values.ts'

/** An address that was understood. IPv4-mapped IPv6 is IPv4 (RFC 4291 section 2.5.5.2). */
export class Address {
  /** 32 bits each, the highest first: one for IPv4, four for IPv6. Signed, as the engine keeps integers at their cheapest. */
  readonly words: readonly number[]

  constructor(words: readonly number[]) {
    this.words = words
  }

  /** Canonical (RFC 5952 for IPv6): aliases of one address are one text. Made when it is told: requests are judged by numbers. */
  get text(): string {
    const [first = 0] = this.words
    if (this.words.length === 1) return [24, 16, 8, 0].map((shift) => (first >>> shift) & 0xff).join('.')
    const groups = this.words.flatMap((word) => [word >>> 16, word & 0xffff])
    // Written as the URL Standard says, which is as RFC 5952 says.
    return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1)
  }
}

const DOT = 0x2e
const COLON = 0x3a
const VALUE = digitValues('0123456789abcdef', '0123456789ABCDEF')
/** `0000:0000:0000:0000:0000:ffff:255.255.255.255` */
const LONGEST = 45

/**
 * One address, strictly as RFC 4291 and dotted-quad text have it: no port, no zone, no octal or hexadecimal parts,
 * no white space. Anything else is `undefined`. Nothing is remembered: to read a text takes no longer than to look it up.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > LONGEST) return undefined
  const quad = quadWord(text, 0)
  if (quad !== undefined) return new Address([quad])
  const groups = groupsOf(text)
  if (groups === undefined) return undefined
  const words = [pairAt(groups, 0), pairAt(groups, 2), pairAt(groups, 4), pairAt(groups, 6)]
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff
  return new Address(isMapped ? words.slice(3) : words)
}

/** As `parseAddress`; the zone that a socket reports with a link-local address (`fe80::1%eth0`, on Windows `fe80::1%12`) is dropped. */
export function parseSocketAddress(text: string): Address | undefined {
  const zone = text.indexOf('%')
  if (zone === -1) return parseAddress(text)
  return /^fe[89ab][0-9a-f]:/i.test(text) && /^(?:[A-Za-z][\w.-]*|\d+)$/.test(text.slice(zone + 1))
    ? parseAddress(text.slice(0, zone))
    : undefined
}

/**
 * The 32 bits of a dotted quad that begins at `from`, read and checked in one pass: four decimal parts up to 255, none
 * with a zero before it (RFC 6943 section 3.1.1: some read those as octal).
 */
function quadWord(text: string, from: number): number | undefined {
  let word = 0
  let part = 0
  let begin = from
  let dots = 0
  for (let at = from; at < text.length; at++) {
    const code = codeAt(text, at)
    if (code === DOT) {
      if (at === begin) return undefined
      dots++
      word = (word << 8) | part
      part = 0
      begin = at + 1
    } else {
      const hasLeadingZero = part === 0 && at > begin
      if (code < 0x30 || code > 0x39 || hasLeadingZero) return undefined
      part = part * 10 + code - 0x30
      if (part > 255) return undefined
    }
  }
  return dots === 3 && begin < text.length ? (word << 8) | part : undefined
}

/**
 * The eight groups of an IPv6 address. By our own hand, because every request that depends on its address waits for it:
 * ipaddr.js takes seven times as long.
 */
function groupsOf(text: string): readonly number[] | undefined {
  const groups: number[] = []
  let gap: number | undefined
  let begin = 0
  let group = 0
  for (let at = 0; at < text.length; at++) {
    const code = codeAt(text, at)
    if (code === DOT) {
      const quad = quadWord(text, begin)
      return quad === undefined ? undefined : filled([...groups, quad >>> 16, quad & 0xffff], gap)
    }
    if (code !== COLON) {
      const digit = code < 128 ? (VALUE[code] as number) : -1
      if (digit === -1 || at - begin === 4) return undefined
      group = (group << 4) | digit
      continue
    }
    if (at > begin) groups.push(group)
    else if (at > 0 && gap === undefined) gap = groups.length
    else if (at > 0 || codeAt(text, 1) !== COLON) return undefined
    begin = at + 1
    group = 0
  }
  if (begin < text.length) groups.push(group)
  else if (gap !== groups.length) return undefined
  return filled(groups, gap)
}

/** With zeros in the place of `::`, which stands for one group at least. */
function filled(groups: readonly number[], gap: number | undefined): readonly number[] | undefined {
  if (gap === undefined) return groups.length === 8 ? groups : undefined
  if (groups.length > 7) return undefined
  return [...groups.slice(0, gap), ...new Array<number>(8 - groups.length).fill(0), ...groups.slice(gap)]
}

function pairAt(groups: readonly number[], at: number): number {
  return ((groups[at] as number) << 16) | (groups[at + 1] as number)
}
