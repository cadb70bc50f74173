import type { Draft } from './draft.ts'

/**
 * What was typed over one reading of a key, carried over to a newer one: nothing that was typed is lost, and what was not
 * touched is as it is now.
 */
export function rebased(typed: Draft, before: Draft, now: Draft): Draft {
  const mine = <F extends keyof Draft>(field: F): Draft[F] => (typed[field] === before[field] ? now : typed)[field]
  const expiry = typed.expiry === before.expiry && typed.date === before.date ? now : typed
  const limits = Object.entries(typed.limits).filter(([name, text]) => text !== (before.limits[name] ?? ''))
  return {
    ...now,
    name: mine('name'),
    description: mine('description'),
    scopeText: mine('scopeText'),
    addresses: mine('addresses'),
    scopes: rebasedSet(typed.scopes, before.scopes, now.scopes),
    limits: { ...now.limits, ...Object.fromEntries(limits) },
    expiry: expiry.expiry,
    days: typed.days,
    date: expiry.date,
  }
}

/** What was ticked is added, what was unticked is taken away. */
function rebasedSet(
  typed: ReadonlySet<string>,
  before: ReadonlySet<string>,
  now: ReadonlySet<string>,
): ReadonlySet<string> {
  const kept = [...now].filter((scope) => typed.has(scope) || !before.has(scope))
  const added = [...typed].filter((scope) => !before.has(scope))
  return new Set([...kept, ...added])
}
