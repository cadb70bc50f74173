import { clientAddress, type Unknown } from '../credential/client-address.ts'
import { warnOnce } from '../model/warn.ts'
import type { Networks } from '../network/cidr.ts'
import type { Attempt } from './attempt.ts'
import type { Locate } from './rules.ts'

/** Finds out where a request comes from, once per request, and warns of what makes that impossible. */
export function createLocate(proxies: Networks | undefined): Locate {
  return (attempt, forAllowlist = false) => {
    if (forAllowlist && proxies === undefined && attempt.facts.address === undefined) {
      warnOnce('KEYWARD_TRUSTED_PROXIES', ALLOWLIST)
    }
    if (attempt.address !== undefined) return attempt.address ?? undefined
    const found = clientAddress(attempt.facts, proxies)
    attempt.address = typeof found === 'string' ? null : found
    if (typeof found === 'string') warnOf(found, attempt)
    return attempt.address ?? undefined
  }
}

function warnOf(unknown: Unknown, { facts }: Attempt): void {
  if (unknown === 'undeclared-proxy') return warnOnce('KEYWARD_TRUSTED_PROXIES', UNDECLARED)
  if (unknown === 'no-header') return warnOnce('KEYWARD_FORWARDED_FOR', NO_HEADER)
  if (unknown === 'bad-hop') return warnOnce('KEYWARD_FORWARDED_HOP', BAD_HOP)
  // A text alone has no address, and that is nobody's mistake.
  if (facts.headers !== undefined || facts.rawHeaders !== undefined) warnOnce('KEYWARD_CLIENT_ADDRESS', NO_PEER)
}

const ALLOWLIST =
  'A key has an address allowlist, and trustedProxies is not stated: requests that come through a proxy will not pass ' +
  'it. State the addresses of your proxies, or trustedProxies: [] if there is none.'
const UNDECLARED =
  'A request carries a forwarding header, and trustedProxies is not stated: the address of its client counts as ' +
  'unknown, and no address allowlist will pass. State the addresses of your proxies, or trustedProxies: [] if there is none.'
const NO_HEADER =
  'A trusted proxy sent no X-Forwarded-For: the address of its client counts as unknown, and no address allowlist ' +
  'will pass. Let the proxy set the header, or take its address out of trustedProxies.'
const BAD_HOP =
  'X-Forwarded-For of a trusted proxy holds what is no address, such as one with a port or a zone: the address of its ' +
  'client counts as unknown, and no address allowlist will pass. Let each proxy append the bare address of its peer.'
const NO_PEER =
  'A request has no address to start from, as over a unix socket: the address of its client counts as unknown, and no ' +
  'address allowlist will pass. Listen on a TCP port, or state the address: demand.address (Hono, fetch), or the fact ' +
  'address of verify().'
