import type { Access } from '../model/verdict.ts'

/** What everything inherits that somebody put there. */
const POLLUTED: { readonly apiKey?: unknown } = Object.prototype

/**
 * Puts the identity on a framework's object. What an earlier guard put there stays where this one admits without any;
 * what somebody else did, such as the text of a header, does not become one.
 */
export function identify(host: object, access: Access | undefined): void {
  const on: { apiKey?: unknown } = host
  if (access === undefined && on.apiKey !== POLLUTED.apiKey && isAccess(on.apiKey)) return
  on.apiKey = access
}

/** Whether a value is an identity, of whichever instance and copy of this package. */
export function isAccess(value: unknown): value is Access {
  const { can, settle } = Object(value) as { readonly can?: unknown; readonly settle?: unknown }
  return typeof can === 'function' && typeof settle === 'function'
}
