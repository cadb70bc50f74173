import { clientAddress } from '../credential/client-address.ts'
import { warnOnce } from '../model/warn.ts'
import type { Networks } from '../network/cidr.ts'
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
    if (found === 'undeclared-proxy') warnOnce('KEYWARD_TRUSTED_PROXIES', UNDECLARED)
    if (found === 'no-header') warnOnce('KEYWARD_FORWARDED_FOR', NO_HEADER)
    return attempt.address ?? undefined
  }
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
