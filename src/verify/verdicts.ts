import { toRecord } from '../key/record.ts'
import type { Announcer } from '../model/event.ts'
import { iso } from '../model/iso.ts'
import { redact } from '../model/redact.ts'
import type { MeterReading } from '../model/store.ts'
import { type Admitted, DENIALS, type DenialCode, type Denied, type Reading, type Verdict } from '../model/verdict.ts'
import type { Attempt } from './attempt.ts'
import { accessOf, type Known } from './known.ts'
import type { Metered } from './meter.ts'
import type { Locate } from './rules.ts'
import type { Secret } from './secret.ts'
import type { Settlement } from './settlement.ts'
import type { Usage } from './usage.ts'

type Admission = Extract<Metered, { type: 'admitted' }>
type Exhaustion = Extract<Metered, { type: 'limited' }>

/** Turns what the pipeline found into a verdict, and lets listeners know; they cannot change it. */
export interface Verdicts {
  admit(attempt: Attempt, known: Known, secret: Secret, admission: Admission): Verdict
  /** A refusal. With `known`, the secret was proved and the key may be told. */
  deny(attempt: Attempt, code: DenialCode, known?: Known): Verdict
  limit(attempt: Attempt, known: Known, exhaustion: Exhaustion): Verdict
  /** The network has sent too many credentials that were refused; `until` by the steady clock. */
  throttle(attempt: Attempt, until: number): Verdict
  /** Something failed that the client cannot mend: never an admission. */
  fault(attempt: Attempt, during: string, error: unknown): Verdict
}

export interface VerdictsOptions {
  readonly usage: Usage
  readonly events: Announcer
  readonly locate: Locate
  /** Notes what the request holds, where it holds anything. */
  readonly hold: (attempt: Attempt, known: Known, admission: Admission) => Settlement | undefined
}

export function createVerdicts({ usage, events, locate, hold }: VerdictsOptions): Verdicts {
  return { admit, deny, limit, throttle, fault }

  function admit(attempt: Attempt, known: Known, secret: Secret, admission: Admission): Verdict {
    const { bill, at } = admission
    const { now } = attempt.time
    const { previous, id, owner } = known.stored
    const settlement = hold(attempt, known, admission)
    const { windows, readings } = bill
    const own = { readings: shownReadings(readings, now - at), balance: bill.balance, settle: settlement?.settle }
    const access = accessOf(known, own, now)
    attempt.passage = { presented: attempt.presented, id, access, bill, settlement }
    // One request is one use, however many guards it passes.
    if (attempt.earlier === undefined) usage.mark(known, now)
    if (attempt.earlier === undefined && events.wants('admitted'))
      events.tell({ type: 'admitted', at: iso(now), id, owner, ...addressOf(attempt) })
    const verdict: Admitted = { ok: true, access, windows, readings, at }
    if (settlement === undefined && secret === 'current') return verdict
    return {
      ...verdict,
      ...(settlement && { release: settlement.release }),
      ...(secret === 'previous' && previous && { overlap: previous }),
    }
  }

  function deny(attempt: Attempt, code: DenialCode, known?: Known): Verdict {
    const denied: Denied = { ok: false, code, status: DENIALS[code], at: attempt.time.steady }
    if (known === undefined) return tell(attempt, denied)
    const record = toRecord(known.stored, known.windows, attempt.time.now)
    const needed = code === 'insufficient_scope' ? { needed: attempt.requirement.needs } : {}
    return tell(attempt, { ...denied, record, ...needed })
  }

  function limit(attempt: Attempt, known: Known, { bill: { windows, readings }, at, retryAt }: Exhaustion): Verdict {
    const record = toRecord(known.stored, known.windows, attempt.time.now)
    const denied: Denied = {
      ok: false,
      code: 'rate_limited',
      status: DENIALS.rate_limited,
      record,
      windows,
      readings,
      at,
    }
    return tell(attempt, retryAt === undefined ? denied : { ...denied, retryAfter: secondsUntil(retryAt, at) })
  }

  function throttle(attempt: Attempt, until: number): Verdict {
    const at = attempt.time.steady
    const status = DENIALS.too_many_failures
    return tell(attempt, { ok: false, code: 'too_many_failures', status, retryAfter: secondsUntil(until, at), at })
  }

  function fault(attempt: Attempt, during: string, error: unknown): Verdict {
    if (events.wants('fault')) {
      events.tell({ type: 'fault', at: iso(attempt.time.now), code: during, message: textOf(error) })
    }
    const at = attempt.time.steady
    return tell(attempt, { ok: false, code: 'unavailable', status: DENIALS.unavailable, retryAfter: 1, at })
  }

  function tell(attempt: Attempt, denied: Denied): Denied {
    if (!events.wants('denied')) return denied
    const whose = denied.record === undefined ? {} : { id: denied.record.id, owner: denied.record.owner }
    events.tell({ type: 'denied', at: iso(attempt.time.now), code: denied.code, ...whose, ...addressOf(attempt) })
    return denied
  }

  function addressOf(attempt: Attempt): { address?: string } {
    const address = locate(attempt)
    return address === undefined ? {} : { address: address.text }
  }
}

const NO_READINGS: readonly Reading[] = Object.freeze([])

/** @param shift from the meter's time to ours */
function shownReadings(readings: readonly MeterReading[], shift: number): readonly Reading[] {
  if (readings.length === 0) return NO_READINGS
  const shown = readings.map(({ name, limit, remaining, resetsAt }) =>
    Object.freeze({ name, limit, remaining, resetsAt: iso(resetsAt + shift) }),
  )
  return Object.freeze(shown)
}

/** Whole seconds, at least one: clients take 0 for "at once" and a fraction for nonsense. */
function secondsUntil(then: number, now: number): number {
  return Math.max(1, Math.ceil((then - now) / 1000))
}

export function textOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error))
}
