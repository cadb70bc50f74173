import type { RequestFacts } from '../model/request.ts'
import { type Address, parseAddress, parseSocketAddress } from '../network/address.ts'
import type { Networks } from '../network/cidr.ts'
import { headerLines, trimBlanks } from './headers.ts'

/**
 * Headers by which proxies show themselves. Any of them from a peer of unknown standing makes the address unknown. `Via`
 * is not among them: proxies on the client's side send it too.
 */
const FORWARDING = [
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-forwarded-host',
  'x-forwarded-proto',
  'fastly-client-ip',
] as const

/** Why an address is not known, in the words of a warning. */
export type Unknown = 'no-peer' | 'undeclared-proxy' | 'no-header' | 'bad-hop'

/**
 * Where a request comes from. The socket's address, unless the socket's peer is a trusted proxy: then
 * `X-Forwarded-For` is walked from the right over trusted hops, and the first that is not trusted is the client.
 * What cannot be known is not guessed.
 * @param proxies the trusted ones; `undefined` while the host has not stated whether there are any
 */
export function clientAddress(facts: RequestFacts, proxies: Networks | undefined): Address | Unknown {
  if (facts.address !== undefined) return parsed(facts.address) ?? 'no-peer'
  const peer = parsed(facts.peer)
  if (peer === undefined) return 'no-peer'
  if (proxies === undefined) return isForwarded(facts) ? 'undeclared-proxy' : peer
  return proxies(peer) ? walk(facts, proxies).client : peer
}

/** How many trusted proxies a request came through, as far as they tell: 0 where its peer is none. */
export function trustedHops(facts: RequestFacts, proxies: Networks | undefined): number {
  const peer = facts.address === undefined ? parsed(facts.peer) : undefined
  if (peer === undefined || proxies?.(peer) !== true) return 0
  return 1 + walk(facts, proxies).hops
}

/** An adapter may hand us anything: only text can be an address. */
function parsed(value: unknown): Address | undefined {
  return typeof value === 'string' ? parseSocketAddress(value) : undefined
}

function isForwarded(facts: RequestFacts): boolean {
  return FORWARDING.some((name) => headerLines(facts, name) !== undefined)
}

/** Where the walk over trusted hops ends, and how many of them it went over. */
function walk(facts: RequestFacts, proxies: Networks): { readonly client: Address | Unknown; readonly hops: number } {
  const lines = headerLines(facts, 'x-forwarded-for')
  if (lines === undefined) return { client: 'no-header', hops: 0 }
  let client: Address | undefined
  let hops = 0
  for (const hop of lines.split(',').reverse()) {
    client = parseAddress(trimBlanks(hop))
    if (client === undefined) return { client: 'bad-hop', hops }
    if (!proxies(client)) return { client, hops }
    hops++
  }
  return { client: client ?? 'bad-hop', hops }
}
