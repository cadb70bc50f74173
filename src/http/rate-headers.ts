import type { Window } from '../model/limits.ts'
import type { MeterReading } from '../model/store.ts'

/** Which header fields tell of limits. */
export type RateHeaders = 'standard' | 'legacy' | 'both' | false

interface Measured {
  readonly windows?: readonly Window[]
  readonly readings?: readonly MeterReading[]
  readonly at?: number
}

/** The policy of a key changes with its record alone, so its text is kept by the list of windows that the record has. */
const policies = new WeakMap<readonly Window[], string>()

/** The fields that tell what is left: RateLimit-Policy and RateLimit, or what clients knew before them; `undefined` for none. */
export function rateFields(
  { windows, readings, at }: Measured,
  headers: RateHeaders,
): Readonly<Record<string, string>> | undefined {
  if (headers === false || !windows || !readings?.length || at === undefined) return undefined
  if (headers === 'standard') return standard(windows, readings, at)
  if (headers === 'legacy') return legacy(readings)
  return { ...standard(windows, readings, at), ...legacy(readings) }
}

/** draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4: `w` and `t` in whole seconds. */
function standard(windows: readonly Window[], readings: readonly MeterReading[], at: number): Record<string, string> {
  let state = ''
  for (const { name, remaining, resetsAt } of readings) {
    state += `${state && ', '}"${name}";r=${remaining};t=${Math.max(0, Math.ceil((resetsAt - at) / 1000))}`
  }
  return { 'RateLimit-Policy': policyOf(windows), RateLimit: state }
}

function policyOf(windows: readonly Window[]): string {
  const known = policies.get(windows)
  if (known !== undefined) return known
  const policy = windows.map(({ name, limit, ms }) => `"${name}";q=${limit};w=${Math.ceil(ms / 1000)}`).join(', ')
  policies.set(windows, policy)
  return policy
}

/** One window fits into these: the one that is nearest to its end. Reset is in seconds since 1970, as GitHub sends it. */
function legacy(readings: readonly MeterReading[]): Record<string, string> {
  const tightest = readings.reduce((a, b) => (b.remaining * a.limit < a.remaining * b.limit ? b : a))
  return {
    'X-RateLimit-Limit': String(tightest.limit),
    'X-RateLimit-Remaining': String(tightest.remaining),
    'X-RateLimit-Reset': String(Math.ceil(tightest.resetsAt / 1000)),
  }
}
