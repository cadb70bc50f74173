import { hasCode } from '../../model/errors.ts'
import { present } from '../../model/present.ts'
import { invalid, refusal } from './problems.ts'
import type { Reply } from './reply.ts'

/** What a verb of an instance threw, as an answer; `undefined` for what is the host's to mend. */
export function replyTo(error: unknown): Reply | undefined {
  // What they may grant is no field of a body: it is theirs as a person.
  if (hasCode(error, 'INPUT') && error.issues?.[0]?.path === 'grants') return refusal('forbidden')
  if (hasCode(error, 'INPUT')) return invalid(error.issues ?? [])
  if (hasCode(error, 'NOT_FOUND')) return refusal('not_found')
  if (hasCode(error, 'STATE')) return refusal('invalid_state', { detail: sentence(error.message) })
  if (!hasCode(error, 'CONFLICT')) return undefined
  const { issues, message } = error
  if (issues?.[0]?.path === 'idempotencyKey') return refusal('idempotency_key_reused')
  return refusal('conflict', { detail: sentence(message), ...present({ issues }) })
}

/** What the client is told of a fault: nothing but whether to try again, and whether it may have happened. */
export function replyToFault(error: unknown): Reply {
  if (!hasCode(error, 'STORE')) return refusal('internal_error')
  return refusal('unavailable', present({ outcome: error.outcome }))
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}
