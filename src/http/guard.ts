import type { Answer } from '../model/answer.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { AnyDemand } from '../model/demand.ts'
import { isObject } from '../model/is-object.ts'
import type { RequestFacts } from '../model/request.ts'
import type { Admitted, Denied, Verdict } from '../model/verdict.ts'
import { doorsOf, type WithDoor } from './door.ts'
import { type ProblemOptions, problemWriter } from './problem.ts'
import { rateFields } from './rate-headers.ts'

/** What an adapter does with a request: go on with an identity and these response headers, or write an answer. */
export type Decision =
  | {
      readonly verdict: Admitted
      readonly headers: Readonly<Record<string, string>>
      /** To be called when the response has ended: gives back what is held and was not settled. */
      readonly release: (() => void) | undefined
      /** The headers that a fetch request is to lose before its handler sees it; Node's has lost them. */
      readonly hidden: readonly string[] | undefined
      readonly answer?: never
    }
  | { readonly verdict: Denied; readonly answer: Answer; readonly release?: never }

/** What the answers of one instance are made with. */
interface Settings extends Pick<ProblemOptions, 'rateHeaders' | 'vary'> {
  /** The fields of a response that goes on, where there is nothing else to tell. */
  readonly plain: Readonly<Record<string, string>>
  readonly write: (denied: Denied) => Answer
  /** Takes the credential from a request, where that is wanted, and names its headers. */
  readonly hide: ((facts: RequestFacts) => readonly string[] | undefined) | undefined
}

/** Asks about a request. What it throws is the host's own fault and belongs to the framework's error path. */
export type Ask = (facts: RequestFacts) => Awaitable<Decision>

/**
 * What every adapter's `guard` is made of.
 * @throws KeywardError `CONFIG` for a wrong demand, or instances whose prefixes clash
 */
export function createGuard(keys: WithDoor | readonly WithDoor[], demand: AnyDemand = {}): Ask {
  const doors = doorsOf(keys, 'guard: its first argument')
  const requirement = doors[0].compile(demand, doors)
  const vary = [...new Set(doors.flatMap(({ instance }) => instance.sources.flatMap(({ headers }) => headers)))].join(
    ', ',
  )
  const options: readonly Settings[] = doors.map(({ settings, hide }) => ({
    rateHeaders: settings.rateHeaders,
    vary,
    plain: Object.freeze({ Vary: vary }),
    write: problemWriter({ ...settings, vary, answers: [settings.answers, requirement.answers] }),
    hide: hide && ((facts) => hide(doors, facts)),
  }))

  const { request } = doors[0].open(doors, requirement, (verdict, instance, facts) =>
    decide(verdict, options[instance] as Settings, facts),
  )
  return (facts) => {
    try {
      const decision = request(facts)
      return decision instanceof Promise ? decision.catch(rethrow) : decision
    } catch (error) {
      rethrow(error)
    }
  }
}

/** Frameworks take `undefined` for a word to go on, and Express `'route'`, too: what the host threw is to be an error. */
function rethrow(thrown: unknown): never {
  throw isObject(thrown) ? thrown : new Error('no error was thrown', { cause: thrown })
}

function decide(verdict: Verdict, settings: Settings, facts: RequestFacts): Decision {
  if (!verdict.ok) return { verdict, answer: answerTo(verdict, settings) }
  return {
    verdict,
    headers: headersOf(verdict, settings),
    release: verdict.release,
    hidden: settings.hide?.(facts),
  }
}

/** A 401 tells nothing of a rotation: another secret would not help, and `reveal` may forbid it. */
function answerTo(verdict: Denied, settings: Settings): Answer {
  const answer = settings.write(verdict)
  if (verdict.status === 401 || !Object.hasOwn(verdict, 'overlap') || verdict.overlap === undefined) return answer
  return { ...answer, headers: { ...answer.headers, ...overlapFields(verdict.overlap) } }
}

function headersOf(verdict: Admitted, { vary, plain, rateHeaders }: Settings): Readonly<Record<string, string>> {
  const rate = rateFields(verdict, rateHeaders)
  if (verdict.overlap !== undefined) return { Vary: vary, ...rate, ...overlapFields(verdict.overlap) }
  return rate === undefined ? plain : { Vary: vary, ...rate }
}

/** A key used with a secret that a rotation replaced: Deprecation (RFC 9745) says since when, Sunset (RFC 8594) until when. */
function overlapFields(overlap: NonNullable<Admitted['overlap']>): Readonly<Record<string, string>> {
  return { Deprecation: `@${Math.floor(overlap.since / 1000)}`, Sunset: new Date(overlap.until).toUTCString() }
}
