import type { Problem } from './api.ts'
import type { Say, TextName } from './texts.ts'

const BY_STATUS: Readonly<Record<number, TextName>> = {
  0: 'problemOffline',
  400: 'problemInvalid',
  401: 'problemSignedOut',
  403: 'problemForbidden',
  404: 'problemGone',
  412: 'problemChanged',
}

/** What the reader is told of a refusal. */
export function explain({ status, outcome, issues, code }: Problem, say: Say): string {
  if (outcome === 'unknown') return say('problemUnknown')
  if (status === 409) return say(code === 'conflict' && issues.length > 0 ? 'problemConflict' : 'problemState')
  return say(BY_STATUS[status] ?? 'problemUnavailable')
}

/** What is wrong by field of the form: `limits.minute` belongs to `limits`. */
export function byField({ issues }: Problem): Readonly<Record<string, string>> {
  const told: Record<string, string> = {}
  for (const { path, message } of issues) {
    const field = path.split('.')[0] ?? ''
    told[field] ??= message
  }
  return told
}
