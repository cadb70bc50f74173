import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import ipaddr from 'ipaddr.js'
import { parseAddress } from '../src/network/address.ts'
import { allowlist } from '../src/policy/networks.ts'
import { Texts } from './fresh.ts'
import type { Variant } from './instrument.ts'

/** An allowlist's share of a verification: from the text of an address to whether one of the networks holds it. */
type Holds = (address: string) => boolean

const FEW = 8
const MANY = 1024
/** Clients that come back: whoever remembers addresses can remember these. */
const CLIENTS = 500
/** So many that the next is seldom one of those that came lately. */
const STRANGERS = 50_000

interface Family {
  readonly name: 'IPv4' | 'IPv6'
  /** The n-th of many networks that lie apart. */
  network(n: number): string
  /** Some address of the n-th network; all texts are of one length. */
  inside(n: number): string
  readonly outside: string
}

const IPV4: Family = {
  name: 'IPv4',
  network: (n) => `${high(n)}.${['0.0/16', '112.0/20', '100.0/24'][n % 3]}`,
  inside: (n) => `${high(n)}.${[100 + some(156), 112 + some(16), 100][n % 3]}.${100 + some(156)}`,
  outside: '250.101.102.103',
}

const IPV6: Family = {
  name: 'IPv6',
  network: (n) => `2001:${hex(n)}:${['8000::/48', '8000:1200::/56', '8000:1234::/64'][n % 3]}`,
  inside(n) {
    const subnet = [group(), `12${group().slice(2)}`, '1234'][n % 3]
    return `2001:${hex(n)}:8000:${subnet}:${group()}:${group()}:${group()}:${group()}`
  },
  outside: '2a01:4f90:8000:1234:8001:8002:8003:8004',
}

/** The first half of an address of the n-th network. */
function high(n: number): string {
  return `${100 + Math.floor(n / 150)}.${100 + (n % 150)}`
}

function hex(n: number): string {
  return (0x1000 + n).toString(16)
}

function group(): string {
  return (0x1000 + some(0xf000)).toString(16)
}

function some(below: number): number {
  return Math.floor(Math.random() * below)
}

export function networkVariants(): readonly Variant[] {
  return [IPV4, IPV6].flatMap((family) => [
    ...[FEW, MANY].flatMap((count) => [
      variant('Keyward', family, count, CLIENTS, keyward),
      variant('ipaddr.js', family, count, CLIENTS, ipaddrJs),
      variant('net.BlockList', family, count, CLIENTS, blockList),
    ]),
    variant('Keyward, new addresses', family, FEW, STRANGERS, keyward),
  ])
}

function variant(
  name: string,
  family: Family,
  count: number,
  addresses: number,
  make: (networks: readonly string[]) => Holds,
): Variant {
  const holds = make(Array.from({ length: count }, (_, n) => family.network(n)))
  const source = new Texts(Array.from({ length: addresses }, () => family.inside(some(count))))
  return {
    name: networkName(name, family.name, count),
    waits: false,
    // What looks at one network after the other takes long for many of them.
    calls: make === keyward || count === FEW ? 20_000 : 1_000,
    check() {
      for (let n = 0; n < count; n++) assert(holds(family.inside(n)), `${name} lets in what a network holds`)
      assert(!holds(family.outside), `${name} keeps out what no network holds`)
      assert(!holds(family.inside(MANY + 1)), `${name} keeps out the neighbour of a network`)
    },
    texts: (calls) => source.take(calls),
    call: holds,
    isRight: (result) => result === true,
  }
}

function networkName(name: string, family: Family['name'], count: number): string {
  return `${name}: ${count.toLocaleString('en-US')} ${family} networks`
}

/** What is compared with what: a peer's way with as many networks, and eight with very many. */
export const NETWORK_PAIRS = [IPV4, IPV6].flatMap(({ name: family }) => [
  ...[FEW, MANY].flatMap((count) =>
    ['Keyward', 'net.BlockList'].map(
      (name) => [networkName(name, family, count), networkName('ipaddr.js', family, count)] as const,
    ),
  ),
  [networkName('Keyward, new addresses', family, FEW), networkName('ipaddr.js', family, FEW)] as const,
  [networkName('Keyward', family, MANY), networkName('Keyward', family, FEW)] as const,
])

function keyward(networks: readonly string[]): Holds {
  const holds = allowlist(networks)
  return (text) => {
    const address = parseAddress(text)
    return address !== undefined && holds(address)
  }
}

/** Its ranges are parsed once, as whoever measured it would do. */
function ipaddrJs(networks: readonly string[]): Holds {
  const ranges = networks.map((network) => ipaddr.parseCIDR(network))
  return (text) => {
    const address = ipaddr.process(text)
    for (const range of ranges) if (address.kind() === range[0].kind() && address.match(range)) return true
    return false
  }
}

function blockList(networks: readonly string[]): Holds {
  const list = new BlockList()
  const family = networks[0]?.includes(':') ? 'ipv6' : 'ipv4'
  for (const network of networks) {
    const [net = '', bits] = network.split('/')
    list.addSubnet(net, Number(bits), family)
  }
  return (text) => list.check(text, family)
}
