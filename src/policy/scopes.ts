import { show } from '../model/redact.ts'

const SEGMENTS = /^[A-Za-z0-9._-]+(:[A-Za-z0-9._-]+)*$/
const LONGEST = 128
export const MOST_SCOPES = 200

/** The scopes that exist, `resource:action`. */
export type Vocabulary = ReadonlySet<string>

/**
 * What is wrong with a scope, or `undefined`. Segments are joined by `:`; `*` may stand as the last one or alone.
 * With a vocabulary, it must be in it, or cover something in it.
 */
export function scopeFlaw(scope: unknown, vocabulary: Vocabulary | undefined): string | undefined {
  if (typeof scope !== 'string') return 'must be text'
  if (scope.length > LONGEST) return `must be at most ${LONGEST} characters`
  const stem = scope === '*' ? 'any' : scope.endsWith(':*') ? scope.slice(0, -2) : scope
  if (!SEGMENTS.test(stem))
    return 'must be segments of letters, digits, ., _ and - joined by :, with * only as the last'
  if (vocabulary === undefined || isKnownTo(vocabulary, scope)) return undefined
  return `must be one of the declared scopes (${show([...vocabulary].join(' '))})`
}

/** Whether a scope is in a vocabulary, or covers something in it. */
export function isKnownTo(vocabulary: Vocabulary, scope: string): boolean {
  if (vocabulary.has(scope)) return true
  if (!scope.endsWith('*')) return false
  const covers = coverage([scope])
  for (const known of vocabulary) if (covers(known)) return true
  return false
}

/** The vocabulary of `{ contacts: ['read', 'update'] }`. */
export function vocabularyOf(scopes: Readonly<Record<string, readonly string[]>>): Vocabulary {
  return new Set(
    Object.entries(scopes).flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`)),
  )
}

/** Whether a key's grants cover a scope. */
export type Coverage = (scope: string) => boolean

/**
 * Grants, ready to be asked. Text is compared exactly; `contacts:*` covers whatever begins with `contacts:`, and
 * `*` everything. A grant with a `*` anywhere else can only stand in a damaged record and covers nothing but itself.
 */
export function coverage(grants: readonly string[]): Coverage {
  const exact = new Set(grants)
  if (exact.has('*')) return () => true
  const stems = grants.filter((grant) => grant.endsWith(':*')).map((grant) => grant.slice(0, -1))
  if (stems.length === 0) return (scope) => exact.has(scope)
  return (scope) => exact.has(scope) || stems.some((stem) => scope.startsWith(stem))
}
