import type { Issue } from '../model/errors.ts'
import { coverage } from '../policy/scopes.ts'
import type { Granting } from './arguments.ts'
import { refused } from './input.ts'

/**
 * Nobody makes a key that may do what they may not: each scope must be covered by what they may grant, or by what the
 * key has already.
 * @throws KeywardError `INPUT` that names each scope beyond that
 */
export function refuseUngranted(wanted: readonly string[], { grants }: Granting, had: readonly string[] = []): void {
  if (grants === undefined) return
  const covers = coverage([...had, ...grants])
  const message = 'is not among the scopes that you may grant'
  const issues = wanted.flatMap((scope, i): Issue[] => (covers(scope) ? [] : [{ path: `scopes.${i}`, message }]))
  if (issues.length > 0) throw refused(issues)
}

/**
 * Who has a secret of a key can do what the key may.
 * @param which the secret that somebody is told, or can use for longer
 * @throws KeywardError `INPUT`, by `grants`
 */
export function refuseUngrantedSecret(
  held: readonly string[],
  { grants }: Granting,
  which: 'new' | 'replaced' = 'new',
): void {
  if (grants === undefined || held.every(coverage(grants))) return
  throw refused([{ path: 'grants', message: `must cover the scopes of the key: its ${which} secret has them` }])
}
