const SAFE = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a page of another site has sent a request that changes something, with the cookies of whoever looks at it.
 * Browsers say where a request comes from in fields that a page cannot write; other clients say nothing.
 * @param allowed origins beside the service's own
 */
export function isCrossSite({ method, url, headers }: Request, allowed: readonly string[]): boolean {
  if (SAFE.includes(method)) return false
  const origin = headers.get('origin')
  if (origin !== null && allowed.includes(origin)) return false
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  // An older browser, or a page without TLS: behind a proxy the scheme may differ, the host does not.
  return origin !== null && ![new URL(url).host, headers.get('host')].includes(hostOf(origin))
}

/** No host at all for `null`, which a page in a sandbox sends. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : ''
}
