import { iso } from '../model/iso.ts'
import type { DenialCode } from '../model/verdict.ts'
import type { Address } from '../network/address.ts'
import { textFor } from '../policy/demand.ts'
import type { Attempt } from './attempt.ts'
import type { Known } from './known.ts'

/**
 * The client's address, `undefined` when it cannot be known. Asked where it is needed: by an allowlist, the failure budget,
 * events.
 * @param forAllowlist whether a key depends on it: then a warning may say what the host has left out
 */
export type Locate = (attempt: Attempt, forAllowlist?: boolean) => Address | undefined

interface Rule {
  /** The refusal when it is broken. */
  readonly code: DenialCode
  /** What `explain` calls it. */
  readonly step: string
  holds(known: Known, attempt: Attempt, locate: Locate): boolean
  /** For `explain`: what was looked at. */
  detail(known: Known, attempt: Attempt, locate: Locate): string
}

/**
 * The first rule that is broken, in the order of `RULES`. Written out, because to call them from a list takes longer
 * than all that they do.
 */
export function firstBroken(known: Known, attempt: Attempt, locate: Locate): DenialCode | undefined {
  if (!isNotRevoked(known)) return 'revoked'
  if (!isActive(known)) return 'disabled'
  if (!isInTime(known, attempt)) return 'expired'
  if (!isOfEnvironment(known, attempt)) return 'environment_mismatch'
  if (!comesFromAllowed(known, attempt, locate)) return 'ip_not_allowed'
  if (!hasOwner(known, attempt)) return 'owner_mismatch'
  if (!isForResource(known, attempt)) return 'resource_mismatch'
  return hasScopes(known, attempt) ? undefined : 'insufficient_scope'
}

/** Everything that is looked at once the secret is proved, in the order of API.md section 4, one by one. */
export const RULES: readonly Rule[] = [
  {
    code: 'revoked',
    step: 'revoked',
    holds: isNotRevoked,
    detail: ({ stored }) =>
      stored.status === 'revoked' ? `revoked: ${stored.revokedReason ?? 'no reason was given'}` : 'it is not',
  },
  {
    code: 'disabled',
    step: 'disabled',
    holds: isActive,
    detail: ({ stored }) => (stored.status === 'active' ? 'it is not' : `it is ${stored.status}`),
  },
  {
    code: 'expired',
    step: 'expired',
    holds: isInTime,
    detail: ({ stored }) =>
      stored.expiresAt === undefined ? 'it never expires' : `it expires at ${iso(stored.expiresAt)}`,
  },
  {
    code: 'environment_mismatch',
    step: 'environment',
    holds: isOfEnvironment,
    detail: ({ stored }, { requirement: { environment } }) =>
      `demanded ${environment ?? 'none'}, the key has ${stored.environment ?? 'none'}`,
  },
  {
    code: 'ip_not_allowed',
    step: 'address',
    holds: comesFromAllowed,
    detail: ({ stored }, attempt, locate) =>
      `allowed ${stored.allowedIps?.join(' ') ?? 'any'}, the request comes from ${locate(attempt)?.text ?? 'an unknown address'}`,
  },
  {
    code: 'owner_mismatch',
    step: 'owner',
    holds: hasOwner,
    detail: ({ stored }, { requirement: { owner }, request }) =>
      `demanded ${textFor('owner', owner, request) ?? 'none'}, the key is of ${stored.owner}`,
  },
  {
    code: 'resource_mismatch',
    step: 'resource',
    holds: isForResource,
    detail: ({ stored }, { requirement: { resource }, request }) =>
      `demanded ${textFor('resource', resource, request) ?? 'none'}, the key is for ${stored.resource ?? 'any'}`,
  },
  {
    code: 'insufficient_scope',
    step: 'scopes',
    holds: hasScopes,
    detail: ({ stored }, { requirement: { needs, any } }) =>
      `demanded ${any ? 'one' : 'all'} of [${needs.join(' ')}], the key has [${stored.scopes.join(' ')}]`,
  },
]

function isNotRevoked({ stored }: Known): boolean {
  return stored.status !== 'revoked'
}

function isActive({ stored }: Known): boolean {
  return stored.status === 'active'
}

function isInTime({ expiresAt }: Known, { time }: Attempt): boolean {
  return time.now < expiresAt
}

function isOfEnvironment({ stored }: Known, { requirement: { environment } }: Attempt): boolean {
  return environment === undefined || environment === stored.environment
}

/** An unknown address never passes an allowlist. */
function comesFromAllowed({ allows }: Known, attempt: Attempt, locate: Locate): boolean {
  if (allows === undefined) return true
  const client = locate(attempt, true)
  return client !== undefined && allows(client)
}

function hasOwner({ stored }: Known, { requirement: { owner }, request }: Attempt): boolean {
  return owner === undefined || stored.owner === textFor('owner', owner, request)
}

/** A bound key acts on its resource alone, so it passes no route that does not say on what it acts. */
function isForResource({ stored }: Known, { requirement: { resource }, request }: Attempt): boolean {
  if (resource === undefined) return stored.resource === undefined
  if (resource === '*') return true
  const named = textFor('resource', resource, request)
  if (typeof named !== 'string' || named === '') return false
  return stored.resource === undefined || stored.resource === named
}

/** Neither a demand nor the grants of a version change: what was found once need not be looked for again. */
function hasScopes(known: Known, { requirement }: Attempt): boolean {
  const { needs, any } = requirement
  if (needs.length === 0 || known.suffices === requirement) return true
  const has = any ? needs.some(known.covers) : needs.every(known.covers)
  if (has) known.suffices = requirement
  return has
}
