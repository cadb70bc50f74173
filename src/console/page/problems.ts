import type { Problem } from './problem.ts'
import type { Say, TextName } from './texts.ts'

const BY_STATUS: Readonly<Record<number, TextName>> = {
  0: 'problemOffline',
  400: 'problemInvalid',
  401: 'problemSignedOut',
  403: 'problemForbidden',
  404: 'problemGone',
  412: 'problemChanged',
  422: 'problemUnknown',
}

/** What the reader is told of a refusal. */
export function explain({ status, outcome, issues, code }: Problem, say: Say): string {
  if (outcome === 'unknown') return say('problemUnknown')
  if (status === 409) return say(code === 'conflict' && issues.length > 0 ? 'problemConflict' : 'problemState')
  return say(BY_STATUS[status] ?? 'problemUnavailable')
}
