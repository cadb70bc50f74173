import { clientAddress, type Unknown } from '../credential/client-address.ts'
import type { RequestFacts } from '../model/request.ts'
import { warnOnce } from '../model/warn.ts'
import type { Networks } from '../network/cidr.ts'
import type { Locate } from './rules.ts'

/** Finds out where a request comes from, once per request, and warns of what makes that impossible. */
export function createLocate(proxies: Networks | undefined): Locate {
  return (attempt, forAllowlist = false) => {
    if (forAllowlist && proxies === undefined && attempt.facts.address === undefined) {
      warnOnce('KEYWARD_TRUSTED_PROXIES', ALLOWLIST)
    }
    if (attempt.address === undefined) {
      const found = clientAddress(attempt.facts, proxies)
      attempt.address = typeof found === 'string' ? null : found
      if (typeof found === 'string') warnOf(found)
    }
    // That there is no address at all may be as it should, until somebody depends on it.
    if (forAllowlist && attempt.address === null && hasNoPeer(attempt.facts, proxies)) {
      warnOnce('KEYWARD_CLIENT_ADDRESS', NO_PEER)
    }
    return attempt.address ?? undefined
  }
}

function warnOf(unknown: Unknown): void {
  if (unknown === 'undeclared-proxy') warnOnce('KEYWARD_TRUSTED_PROXIES', UNDECLARED)
  if (unknown === 'no-header') warnOnce('KEYWARD_FORWARDED_FOR', NO_HEADER)
  if (unknown === 'bad-hop') warnOnce('KEYWARD_FORWARDED_HOP', BAD_HOP)
}

/** Of a request: a text alone has no address, and that is nobody's mistake. */
function hasNoPeer(facts: RequestFacts, proxies: Networks | undefined): boolean {
  const isRequest = facts.headers !== undefined || facts.rawHeaders !== undefined
  return isRequest && clientAddress(facts, proxies) === 'no-peer'
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
  'A request has no address that can be read, as over a unix socket: its client counts as unknown, and no address ' +
  'allowlist will pass. Listen on a TCP port; with Hono and fetch give demand.address, and to verify() the bare address.'
