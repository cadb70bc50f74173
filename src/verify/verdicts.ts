import { toRecord } from '../key/record.ts'
import type { Announcer } from '../model/event.ts'
import { iso } from '../model/iso.ts'
import { messageOf } from '../model/redact.ts'
import type { RequestFacts } from '../model/request.ts'
import { type Admitted, DENIALS, type DenialCode, type Denied, type Verdict } from '../model/verdict.ts'
import { warnOnce } from '../model/warn.ts'
import type { Requirement } from '../policy/demand.ts'
import { shownWindows } from '../policy/limits.ts'
import { recordOf } from './access.ts'
import { Admission, type Admissions } from './admission.ts'
import { type Attempt, NOBODY, newAttempt } from './attempt.ts'
import type { Bill } from './bill.ts'
import type { Known } from './known.ts'
import type { Locate } from './rules.ts'
import type { Settlement } from './settlement.ts'
import type { Time } from './time.ts'
import type { Usage } from './usage.ts'

/** Turns what the pipeline found into a verdict, and lets listeners know; they cannot change it. */
export interface Verdicts {
  admit(attempt: Attempt, known: Known, bill: Bill): Verdict
  /** The same where a fault left windows uncounted: each time is told, so that it can be counted. */
  admitUnmetered(attempt: Attempt, known: Known, bill: Bill, error: unknown): Verdict
  /** A refusal of what cannot be looked at, or has not the shape of a key: without a look at anything, unless somebody listens. */
  turnAway(code: DenialCode, facts: RequestFacts, requirement: Requirement): Verdict
  /** A refusal. With `known`, the secret was proved and the key may be told; with `balance`, what is free of its own. */
  deny(attempt: Attempt, code: DenialCode, known?: Known, balance?: number): Verdict
  limit(attempt: Attempt, known: Known, bill: Bill): Verdict
  /** The network has sent too many credentials that were refused; `until` by the steady clock. */
  throttle(attempt: Attempt, until: number): Verdict
  /** Something failed that the client cannot mend: never an admission. With `known`, as for `deny`. */
  fault(attempt: Attempt, during: string, error: unknown, known?: Known): Verdict
}

interface VerdictsOptions {
  readonly admissions: Pick<Admissions, 'add'>
  readonly usage: Usage
  readonly events: Announcer
  readonly locate: Locate
  /** Notes what the request holds, where it holds anything. */
  readonly hold: (attempt: Attempt, known: Known, bill: Bill) => Settlement | undefined
  readonly look: () => Time
}

export function createVerdicts({ admissions, usage, events, locate, hold, look }: VerdictsOptions): Verdicts {
  const wantsAdmitted = events.asker('admitted')
  const wantsDenied = events.asker('denied')
  return { admit, admitUnmetered, turnAway, deny, limit, throttle, fault }

  function admit(attempt: Attempt, known: Known, bill: Bill): Verdict {
    const { now } = attempt.time
    const { id, owner } = known.stored
    const settlement = bill.balance === undefined ? attempt.earlier?.settlement : hold(attempt, known, bill)
    const admission = new Admission(attempt, known, bill, settlement)
    admissions.add(attempt.request, admission)
    // One request is one use, however many guards it passes.
    if (attempt.earlier !== undefined) return admission
    usage.mark(known, now)
    if (wantsAdmitted()) {
      const what = { ...(bill.isUnmetered === true && { unmetered: true as const }), ...overlapOf(attempt) }
      events.tell({ type: 'admitted', at: iso(now), id, owner, ...what, ...addressOf(attempt) })
    }
    return admission
  }

  function admitUnmetered(attempt: Attempt, known: Known, bill: Bill, error: unknown): Verdict {
    warnOnce('KEYWARD_LIMITS_OPEN', "The store fails: requests are admitted uncounted (limits.onFault is 'open').")
    tellFault(attempt, 'take', error, known)
    return admit(attempt, known, bill)
  }

  function turnAway(code: DenialCode, facts: RequestFacts, requirement: Requirement): Verdict {
    const denied: Denied = { ok: false, code, status: DENIALS[code] }
    if (!wantsDenied()) return denied
    return tell(newAttempt(NOBODY, '', requirement, facts, facts.request, look()), denied)
  }

  function deny(attempt: Attempt, code: DenialCode, known?: Known, balance?: number): Verdict {
    const denied: Denied = { ok: false, code, status: DENIALS[code] }
    if (known === undefined) return tell(attempt, denied)
    const record = toRecord(known.stored, known.windows, attempt.time.now, balance)
    const needed = code === 'insufficient_scope' ? { needed: attempt.requirement.needs } : {}
    return tell(attempt, { ...denied, record, ...needed, ...overlapOf(attempt) })
  }

  function limit(attempt: Attempt, known: Known, { windows, readings, at, retryAt, balance }: Bill): Verdict {
    const record = recordOf(known, attempt.time.now, balance)
    const denied: Denied = {
      ok: false,
      code: 'rate_limited',
      status: DENIALS.rate_limited,
      record,
      windows: shownWindows(windows),
      readings,
      at,
      ...overlapOf(attempt),
    }
    return tell(attempt, retryAt === undefined ? denied : { ...denied, retryAfter: secondsUntil(retryAt, at) })
  }

  function throttle(attempt: Attempt, until: number): Verdict {
    const status = DENIALS.too_many_failures
    const retryAfter = secondsUntil(until, attempt.time.steady)
    return tell(attempt, { ok: false, code: 'too_many_failures', status, retryAfter })
  }

  function fault(attempt: Attempt, during: string, error: unknown, known?: Known): Verdict {
    tellFault(attempt, during, error, known)
    const denied: Denied = { ok: false, code: 'unavailable', status: DENIALS.unavailable, retryAfter: 1 }
    return tell(
      attempt,
      known === undefined ? denied : { ...denied, record: recordOf(known, attempt.time.now, undefined) },
    )
  }

  function tellFault({ time }: Attempt, code: string, error: unknown, known: Known | undefined): void {
    if (!events.wants('fault')) return
    const whose = known && { id: known.stored.id, owner: known.stored.owner }
    events.tell({ type: 'fault', at: iso(time.now), code, message: messageOf(error), ...whose })
  }

  function tell(attempt: Attempt, denied: Denied): Denied {
    if (!wantsDenied()) return denied
    const whose = denied.record === undefined ? {} : { id: denied.record.id, owner: denied.record.owner }
    events.tell({ type: 'denied', at: iso(attempt.time.now), code: denied.code, ...whose, ...addressOf(attempt) })
    return denied
  }

  function addressOf(attempt: Attempt): { address?: string } {
    const address = locate(attempt)
    return address === undefined ? {} : { address: address.text }
  }
}

function overlapOf({ overlap }: Attempt): { overlap?: NonNullable<Admitted['overlap']> } {
  return overlap === undefined ? {} : { overlap }
}

/** Whole seconds, at least one: clients take 0 for "at once" and a fraction for nonsense. */
function secondsUntil(then: number, now: number): number {
  return Math.max(1, Math.ceil((then - now) / 1000))
}
