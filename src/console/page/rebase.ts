import type { Draft } from './draft.ts'

/**
 * What was typed over one reading of a key, carried over to a newer one: nothing that was typed is lost, and what was not
 * touched is as it is now.
 */
export function rebased(typed: Draft, before: Draft, now: Draft): Draft {
  const scopes = new Set(now.scopes)
  for (const scope of before.scopes) if (!typed.scopes.has(scope)) scopes.delete(scope)
  for (const scope of typed.scopes) if (!before.scopes.has(scope)) scopes.add(scope)
  return { ...merged(typed, before, now), limits: merged(typed.limits, before.limits, now.limits), scopes }
}

function merged<T extends object>(typed: T, before: T, now: T): T {
  const draft = { ...now }
  for (const name in typed) if (Object.hasOwn(typed, name) && typed[name] !== before[name]) draft[name] = typed[name]
  return draft
}
