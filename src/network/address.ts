import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An address that was understood. IPv4-mapped IPv6 is IPv4 (RFC 4291 section 2.5.5.2). */
export interface Address {
  /** Canonical text: aliases of one address are one text. */
  readonly text: string
  /** 32 bits each, the highest first: one for IPv4, four for IPv6. */
  readonly words: readonly number[]
}

/** Clients come back: what was parsed lately is looked up. Emptied when full, so that nobody can make it grow. */
const recent = new Map<string, Address | typeof NONE>()
const MOST_RECENT = 1000
/** What was looked at, and is no address. */
const NONE = 0
/** The longest text of an address, `0000:…:255.255.255.255` with room for a zone: longer ones are not even kept. */
const LONGEST = 64

const DOT = '.'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)

/**
 * One address, strictly as RFC 4291 and dotted-quad text have it: no port, no zone, no octal or hexadecimal parts,
 * no white space. Anything else is `undefined`.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > LONGEST) return undefined
  const known = recent.get(text)
  if (known !== undefined) return known === NONE ? undefined : known
  const address = readAddress(text)
  if (recent.size >= MOST_RECENT) recent.clear()
  recent.set(text, address ?? NONE)
  return address
}

/** As `parseAddress`; the zone that a socket reports with a link-local address (`fe80::1%eth0`, on Windows `fe80::1%12`) is dropped. */
export function parseSocketAddress(text: string): Address | undefined {
  const zone = text.indexOf('%')
  if (zone === -1) return parseAddress(text)
  return /^fe[89ab][0-9a-f]:/i.test(text) && /^(?:[A-Za-z][\w.-]*|\d+)$/.test(text.slice(zone + 1))
    ? parseAddress(text.slice(0, zone))
    : undefined
}

/** As `parseAddress`, for what is read once. */
export function readAddress(text: string): Address | undefined {
  // net.isIP is the gate: ipaddr.js alone reads `10.1` and takes `010.1.2.3` for octal.
  const version = isIP(text)
  if (version === 4) return { text, words: [quadWord(text)] }
  if (version === 0 || text.includes('%')) return undefined
  const parsed = ipaddr.process(inGroups(text))
  return { text: parsed.toString(), words: toWords(parsed.toByteArray()) }
}

/** The 32 bits of a valid dotted quad, which has but one spelling. */
function quadWord(text: string): number {
  let word = 0
  let part = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      word = word * 256 + part
      part = 0
    } else part = part * 10 + code - ZERO
  }
  return word * 256 + part
}

/**
 * IPv6 with its last 32 bits as groups, where they are written as IPv4: in that spelling ipaddr.js takes `::10.0.0.5`
 * for IPv4, and throws at some that are valid.
 */
function inGroups(text: string): string {
  if (!text.includes('.')) return text
  const quad = text.lastIndexOf(':') + 1
  const word = quadWord(text.slice(quad))
  return `${text.slice(0, quad)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`
}

function toWords(bytes: readonly number[]): readonly number[] {
  const words: number[] = []
  for (let i = 0; i < bytes.length; i += 4)
    words.push(bytes.slice(i, i + 4).reduce((word, byte) => word * 256 + byte, 0))
  return words
}
