import { hasCode } from '../model/errors.ts'
import { accountOf, type CreditMode } from '../policy/credits.ts'
import { costFor } from '../policy/demand.ts'
import type { Attempt } from './attempt.ts'
import type { Bill } from './bill.ts'
import type { Known } from './known.ts'
import { isWithin, type KnownKeys } from './known-keys.ts'
import { windowsFor } from './windows-for.ts'

/** What a request is admitted with whose windows could not be counted; `undefined` where it must not be. */
export type Lenience = (attempt: Attempt, known: Known, error: unknown) => Bill | undefined

interface LenienceOptions {
  readonly credits: CreditMode
  /** How old a record may be, ms; `undefined` where it has to be read for the request. */
  readonly maxLag: number | undefined
  readonly keys: Pick<KnownKeys, 'isYoung'>
}

const EMPTY = {
  cost: 0,
  charged: 0,
  held: 0,
  windows: [],
  readings: [],
  balance: undefined,
  hold: undefined,
  retryAt: undefined,
}

/**
 * `limits.onFault: 'open'`. Nothing is excused but windows that a fault of the store left uncounted: not a balance, and
 * not a record that may have been changed longer than `maxLag` ago.
 */
export function createLenience({ credits, maxLag, keys }: LenienceOptions): Lenience {
  return (attempt, known, error) => {
    if (!hasCode(error, 'STORE') || !isFresh(attempt, known)) return undefined
    if (attempt.requirement.reserve !== undefined) return undefined
    if (accountOf(credits, known.stored, attempt.time.now) !== undefined) return undefined
    if (!couldFit(attempt, known)) return undefined
    const taken = attempt.earlier?.bill ?? EMPTY
    return { ...taken, hold: undefined, at: attempt.time.steady, isUnmetered: true }
  }

  /** What no counter would ever admit, a fault does not either: a limit of 0 refuses all. */
  function couldFit({ requirement, request }: Attempt, known: Known): boolean {
    const cost = costFor(requirement, request)
    return windowsFor(known, requirement).every(({ limit }) => cost <= limit)
  }

  function isFresh({ time, current }: Attempt, known: Known): boolean {
    if (maxLag === undefined) return current
    if (keys.isYoung(known.found, time)) return true
    return known.proved !== undefined && isWithin(maxLag, known.proved, time)
  }
}
