import { hasCode } from '../model/errors.ts'
import type { FaultEvent } from '../model/event.ts'
import { isObject } from '../model/is-object.ts'
import { iso } from '../model/iso.ts'
import { redact } from '../model/redact.ts'
import type { Office } from './office.ts'

/** Verbs of management, of whose failures on the store listeners hear, under the name of the verb. */
export function tellingFaults<Verbs extends object>(
  { events, now }: Pick<Office, 'events' | 'now'>,
  verbs: Verbs,
): Verbs {
  const telling = Object.entries(verbs).map(([code, verb]) => [
    code,
    async (...given: readonly unknown[]) => {
      try {
        return await verb(...given)
      } catch (error) {
        if (hasCode(error, 'STORE') && events.wants('fault')) {
          events.tell({ type: 'fault', at: iso(now()), code, message: error.message, ...whose(given) })
        }
        throw error
      }
    },
  ])
  return Object.fromEntries(telling)
}

/** What the caller named of key and owner: it was checked before a store was asked. */
function whose(given: readonly unknown[]): Pick<FaultEvent, 'id' | 'owner'> {
  const named: { id?: string; owner?: string } = {}
  for (const value of given) {
    if (typeof value === 'string') named.id = redact(value)
    if (!isObject(value)) continue
    for (const name of ['id', 'owner'] as const) {
      // Nothing of the caller's is run again.
      const member: unknown = Object.getOwnPropertyDescriptor(value, name)?.value
      if (typeof member === 'string') named[name] = member
    }
  }
  return named
}
