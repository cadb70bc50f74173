import type { Answer } from './load.ts'
import { type Heard, KINDS, type Kill, MAX_LAG, type Outage, type OutagePlan, STORE_TIMEOUT } from './outage.ts'
import { type Finding, ms, percentile } from './report.ts'

/** Beyond `storeTimeout`, for the answer to be written, ms. */
const SLACK = 50
const SERVICE_WITHIN = 1_000

/** What is promised of an outage, counted. */
export interface Reckoning {
  readonly requests: number
  readonly unavailable: number
  readonly falseAdmissions: number
  /** Answers that say that a good key is none, or what no kind of key is ever answered. */
  readonly wrongAnswers: number
  readonly unanswered: number
  /** How long each 503 took, ms. */
  readonly took: readonly number[]
  /** From the return of the store until the last process admitted again, ms, by kill. */
  readonly service: readonly number[]
  /** 503s of a time when the store had been back for a second. */
  readonly lateUnavailable: number
  /** 503s before the first kill: the load's own doing. */
  readonly earlyUnavailable: number
}

export function reckon({ kills, heard }: Outage): Reckoning {
  const answers = heard.flatMap((one) => one.answers)
  const unavailable = answers.filter(({ status }) => status === 503)
  return {
    requests: answers.length,
    unavailable: unavailable.length,
    falseAdmissions:
      sum(heard, (one) => count(one.answers, (answer) => isFalse(one, answer, kills))) + overspent(heard),
    wrongAnswers: sum(heard, ({ kind, answers: given }) => count(given, ({ status }) => !isKnown(kind, status))),
    unanswered: sum(heard, (one) => one.unanswered),
    took: unavailable.map(({ took }) => took),
    service: kills.map((kill) => serviceAfter(kill, heard)),
    lateUnavailable: count(unavailable, (answer) => !isEarly(answer, kills) && isQuiet(answer, kills)),
    earlyUnavailable: count(unavailable, (answer) => isEarly(answer, kills)),
  }
}

function isKnown(kind: Heard['kind'], status: number): boolean {
  const { statuses }: { readonly statuses: readonly number[] } = KINDS[kind]
  return status === 503 || statuses.includes(status)
}

/** An admission of a bad key; or of any while the store could not be asked, and what was remembered was too old. */
function isFalse({ kind }: Heard, { status, begun, took }: Answer, kills: readonly Kill[]): boolean {
  if (status !== 200) return false
  if (kind === 'revoked' || kind === 'unknown') return true
  // What is dying may still answer: PostgreSQL's other processes outlive the one that is killed for a moment.
  return kills.some(({ deadAt, startedAt }) => {
    const from = kind === 'open' ? deadAt + MAX_LAG : deadAt
    return begun > from && begun + took < startedAt
  })
}

/** Admissions beyond what a key may have in all. */
function overspent(heard: readonly Heard[]): number {
  const admitted = (kind: Heard['kind']) =>
    sum(heard, (one) => (one.kind === kind ? count(one.answers, ({ status }) => status === 200) : 0))
  const beyond = [
    admitted('counted') - KINDS.counted.input.limits.day,
    admitted('prepaid') - KINDS.prepaid.input.credits.remaining,
  ]
  return sum(beyond, (more) => Math.max(0, more))
}

/** By a key with limits, for which the store has to be asked. */
function serviceAfter({ startedAt, backAt }: Kill, heard: readonly Heard[]): number {
  const workers = new Set(heard.map(({ worker }) => worker))
  const firsts = [...workers].map((worker) => {
    const answers = heard.filter((one) => one.worker === worker && one.kind === 'limited').flatMap((one) => one.answers)
    const admitted = answers.filter(({ status, begun }) => status === 200 && begun > startedAt)
    return Math.min(...admitted.map(({ begun, took }) => begun + took))
  })
  return Math.max(0, Math.max(...firsts) - backAt)
}

/** Whether the store was there all the time, and had been for longer than a second. */
function isQuiet({ begun, took }: Answer, kills: readonly Kill[]): boolean {
  return kills.every(({ killedAt, backAt }) => begun + took < killedAt || begun > backAt + SERVICE_WITHIN)
}

function isEarly({ begun, took }: Answer, [first]: readonly Kill[]): boolean {
  return first !== undefined && begun + took < first.killedAt
}

export function outageFinding({ processes, kills, connections }: OutagePlan, found: readonly Outage[]): Finding {
  const rows = found.map((outage) => {
    const reckoning = reckon(outage)
    const { requests, unavailable, falseAdmissions, wrongAnswers, unanswered, took, service, lateUnavailable } =
      reckoning
    const slowest = percentile(took, 1)
    const isKept =
      falseAdmissions + wrongAnswers + unanswered + outage.crashes + outage.lost + lateUnavailable === 0 &&
      slowest <= STORE_TIMEOUT + SLACK &&
      percentile(service, 1) <= SERVICE_WITHIN
    return [
      outage.engine,
      outage.kills.length,
      requests,
      falseAdmissions,
      wrongAnswers + unanswered,
      outage.crashes,
      `${outage.lost} of ${outage.acknowledged}`,
      unavailable,
      `${ms(percentile(took, 0.5))} / ${ms(percentile(took, 0.99))} / ${ms(slowest)}`,
      `${ms(percentile(service, 0.5))} / ${ms(percentile(service, 1))}`,
      lateUnavailable,
      reckoning.earlyUnavailable,
      isKept,
    ]
  })
  return {
    name: 'outage',
    title: `kill -9 of the store under load, ${kills} times`,
    promise: `${processes} processes with ${6 * connections} connections each, which present keys without limits, with limits, with credit, revoked and unknown, while others are made and revoked. Nothing false is admitted, nothing acknowledged is lost, a 503 takes at most ${STORE_TIMEOUT + SLACK} ms (storeTimeout + ${SLACK}), and every process serves again within ${SERVICE_WITHIN} ms of the store's return, from when on nothing is a 503. An unhandled rejection would be a crash.`,
    columns: [
      'store',
      'kills',
      'requests',
      'false admissions',
      'wrong or no answers',
      'crashes',
      'acknowledged and lost',
      '503',
      '503 after ms, p50 / p99 / max',
      'service after ms, p50 / max',
      '503 later than 1 s',
      '503 before the first kill',
      'kept',
    ],
    rows,
    notes: [],
  }
}

function count<T>(items: readonly T[], isSo: (item: T) => boolean): number {
  return items.filter(isSo).length
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
