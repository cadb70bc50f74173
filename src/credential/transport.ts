import { isObject } from '../model/is-object.ts'
import type { RequestFacts } from '../model/request.ts'
import { warnOnce } from '../model/warn.ts'
import type { Networks } from '../network/cidr.ts'
import { trustedHops } from './client-address.ts'
import { headerLines, trimBlanks } from './headers.ts'

/**
 * Whether a request came over TLS. The socket says so, unless its peer is a trusted proxy: then `X-Forwarded-Proto`
 * does, from the right, one value for each trusted hop, and without it nobody knows.
 * @param proxies the trusted ones; `undefined` while the host has not stated whether there are any
 */
export function cameOverTls(facts: RequestFacts, proxies: Networks | undefined): boolean {
  const hops = trustedHops(facts, proxies)
  if (hops > 0) return isForwardedTls(facts, hops)
  if (isTls(facts.secure)) return true
  if (headerLines(facts, 'x-forwarded-proto') !== undefined) warnOnce('KEYWARD_TLS_UNDECLARED', UNDECLARED)
  return false
}

/** Proxies either set the header anew or append to it: where it has fewer values than hops, the ones there count. */
function isForwardedTls(facts: RequestFacts, hops: number): boolean {
  const lines = headerLines(facts, 'x-forwarded-proto')
  if (lines === undefined) warnOnce('KEYWARD_FORWARDED_PROTO', NO_HEADER)
  const values = lines?.split(',').slice(-hops) ?? ['']
  return values.every((value) => /^(https|wss)$/i.test(trimBlanks(value)))
}

/** Said in so many words, or by what the runtime gave: Node's request by its socket, whatever is in its URL. */
function isTls(secure: RequestFacts['secure']): boolean {
  if (!isObject(secure)) return secure === true
  if ('socket' in secure) return (secure.socket as { encrypted?: unknown } | null | undefined)?.encrypted === true
  return typeof secure.url === 'string' && secure.url.startsWith('https:')
}

const UNDECLARED =
  'A request without TLS carries X-Forwarded-Proto from a peer that is not in trustedProxies: it is refused, because ' +
  'requireTls believes the header of trusted proxies only. State the addresses of your proxies.'
const NO_HEADER =
  'A trusted proxy sent no X-Forwarded-Proto: its requests are refused (requireTls), because nobody knows whether the ' +
  'client used TLS. Let the proxy set the header, or take its address out of trustedProxies.'
