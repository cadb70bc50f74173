import { hasCode } from '../model/errors.ts'
import type { FaultEvent } from '../model/event.ts'
import { isObject } from '../model/is-object.ts'
import { iso } from '../model/iso.ts'
import { redact } from '../model/redact.ts'
import type { Office } from './office.ts'

/** Does what a verb is to do. `given` is where the caller may have named the key or its owner. */
export type FaultTeller = <T>(verb: string, given: readonly unknown[], work: () => Promise<T>) => Promise<T>

/** What fails on the store, listeners hear of, under the name of the verb. */
export function faultTeller({ events, now }: Pick<Office, 'events' | 'now'>): FaultTeller {
  return async (code, given, work) => {
    try {
      return await work()
    } catch (error) {
      if (hasCode(error, 'STORE') && events.wants('fault')) {
        events.tell({ type: 'fault', at: iso(now()), code, message: error.message, ...whose(given) })
      }
      throw error
    }
  }
}

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
