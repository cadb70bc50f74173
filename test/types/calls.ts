/** Checked by the compiler alone (`npm run typecheck`, `typecheck:7`): nothing here is run. */
import { type Access, createApiKeys, type DenialCode, type KeyRecord, KeywardError, type Verdict } from 'keyward'
import { type Same, same } from './assert.ts'

const keys = createApiKeys({ prefix: 'agk_live_' })

export async function aVerdictSaysByOkWhatItHolds() {
  const verdict: Verdict = await keys.verify('text')
  // @ts-expect-error only an admission has an access
  verdict.access
  if (verdict.ok) {
    same<Same<typeof verdict.access, Access | undefined>>()
    // @ts-expect-error an admission has no code
    return verdict.code
  }
  same<Same<typeof verdict.code, DenialCode>>()
  same<Same<typeof verdict.record, KeyRecord | undefined>>()
  return verdict.retryAfter
}

/** A code that nobody handles is an error at `never`. */
export function codesAreAClosedList(code: DenialCode): number {
  switch (code) {
    case 'missing_credentials':
    case 'incomplete_credentials':
    case 'invalid_key':
    case 'revoked':
    case 'disabled':
    case 'expired':
      return 401
    case 'ambiguous_credentials':
      return 400
    case 'insufficient_balance':
      return 402
    case 'tls_required':
    case 'environment_mismatch':
    case 'ip_not_allowed':
    case 'owner_mismatch':
    case 'resource_mismatch':
    case 'insufficient_scope':
    case 'account_suspended':
      return 403
    case 'rate_limited':
    case 'too_many_failures':
      return 429
    case 'unavailable':
      return 503
    default: {
      const none: never = code
      return none
    }
  }
}

export async function whatIsRequiredIsRequired() {
  // @ts-expect-error a key has an owner
  await keys.create({ name: 'Production sync' })
  // @ts-expect-error a rotation says how long the old secret still works
  await keys.rotate('id')
  // @ts-expect-error no prefix
  createApiKeys({})
  // @ts-expect-error misspelt
  createApiKeys({ prefix: 'agk_live_', trustedProxy: [] })
  await keys.rotate('id', { overlap: '24h' })
  await keys.rotate('id', { overlap: 0 })
  // @ts-expect-error no duration
  await keys.rotate('id', { overlap: 'soon' })
}

/** With `exactOptionalPropertyTypes`, a host's own optional values can be handed on as they are. */
export async function optionalValuesCanBeHandedOn(name: string | undefined, secret: string | undefined) {
  await keys.create({ owner: 'acct_1', name, allowedIps: undefined })
  await keys.verify({ key: 'text', secret, address: undefined })
  await keys.list({ owner: 'acct_1', name })
}

export async function instancesAreDisposedByTheLanguage() {
  await using disposed = createApiKeys({ prefix: 'tmp_' })
  return disposed.list()
}

export function errorsAreRecognisedByCode(error: unknown) {
  if (!(error instanceof KeywardError)) return undefined
  same<Same<typeof error.code, 'CONFIG' | 'INPUT' | 'CONFLICT' | 'NOT_FOUND' | 'STATE' | 'STORE'>>()
  return error.issues?.map(({ path, message }) => `${path} ${message}`)
}
