import type { AnswerOverrides } from '../model/answer.ts'
import type { AnyDemand, Reserve } from '../model/demand.ts'
import { flawed, flawedAt, type Issue, KeywardError } from '../model/errors.ts'
import { isObject, isRecord } from '../model/is-object.ts'
import type { Window } from '../model/limits.ts'
import { inherited, own } from '../model/own.ts'
import { show, unwanted } from '../model/redact.ts'
import { isWhole } from '../model/whole.ts'
import { effectiveWindows, parseLimits } from './limits.ts'
import { scopeFlaw, type Vocabulary } from './scopes.ts'

/** What a demand may name. */
export interface DemandContext {
  readonly vocabulary: Vocabulary | undefined
  readonly environments: readonly string[]
}

/** A demand, read once and checked. */
export interface Requirement {
  readonly needs: readonly string[]
  /** Whether one of `needs` is enough. */
  readonly any: boolean
  readonly resource: string | ((request: unknown) => unknown) | undefined
  readonly owner: string | ((request: unknown) => unknown) | undefined
  readonly environment: string | undefined
  readonly cost: number | ((request: unknown) => unknown)
  readonly reserve: Reserve | ((request: unknown) => unknown) | undefined
  readonly windows: readonly Window[]
  readonly optional: boolean
  readonly answers: AnswerOverrides | undefined
}

const FIELDS = ['scopes', 'resource', 'owner', 'environment', 'cost', 'reserve', 'limits', 'optional', 'answers']

/** @throws KeywardError `CONFIG` that names each field that is wrong, misspelt or demands nothing */
export function compileDemand(demand: AnyDemand, context: DemandContext): Requirement {
  const issues: Issue[] = []
  const flaw = (path: string, message: string) => issues.push({ path, message })
  if (!isRecord(demand)) {
    throw new KeywardError('CONFIG', `a demand must be an object, not ${show(demand)}`)
  }
  const field = inherited(demand, FIELDS)
  if (field !== undefined) throw flawedAt('CONFIG', field, 'must be its own member, not of its class', 'demand: ')
  const given = own(demand)
  for (const [field, value] of Object.entries(given)) {
    if (!FIELDS.includes(field)) flaw(field, unwanted(`is not a field of a demand (${FIELDS.join(', ')})`, value))
    // A misspelt variable must not turn a guard that demands something into one that demands nothing.
    else if (value === undefined) flaw(field, 'must not be undefined; leave it out')
  }
  const requirement = {
    ...needsOf(given.scopes, context.vocabulary, flaw),
    resource: textOrFunction('resource', given.resource, flaw),
    owner: textOrFunction('owner', given.owner, flaw),
    environment: environmentOf(given.environment, context.environments, flaw),
    cost: costOf(given.cost, flaw) ?? 1,
    reserve: reserveOf(given.reserve, flaw),
    windows: windowsOf(given.limits, flaw),
    optional: optionalOf(given.optional, flaw),
    answers: given.answers,
  }
  if (issues.length > 0) throw flawed('CONFIG', issues, { where: 'demand: ' })
  return Object.freeze(requirement)
}

type Flaw = (path: string, message: string) => void

function needsOf(scopes: unknown, vocabulary: Vocabulary | undefined, flaw: Flaw): Pick<Requirement, 'needs' | 'any'> {
  if (scopes === undefined) return { needs: [], any: false }
  const any = isRecord(scopes)
  const listed: unknown = any ? (scopes as { any?: unknown }).any : scopes
  if (!Array.isArray(listed) || (any && Object.keys(scopes).length !== 1)) {
    flaw('scopes', `must be a list or { any: [...] }, not ${show(scopes)}`)
    return { needs: [], any }
  }
  if (listed.length === 0) flaw('scopes', 'must name at least one; leave it out where any key will do')
  for (const [i, scope] of listed.entries()) {
    const wrong = scopeFlaw(scope, vocabulary)
    if (wrong !== undefined) flaw(`scopes.${i}`, `${wrong}, not ${show(scope)}`)
  }
  return { needs: Object.freeze([...listed]), any }
}

function textOrFunction(path: string, value: unknown, flaw: Flaw): Requirement['resource'] {
  if (value === undefined || typeof value === 'function' || (typeof value === 'string' && value !== '')) {
    return value as Requirement['resource']
  }
  flaw(path, `must be text or a function, not ${show(value)}`)
  return undefined
}

function environmentOf(value: unknown, environments: readonly string[], flaw: Flaw): string | undefined {
  if (value === undefined || (typeof value === 'string' && environments.includes(value))) return value
  flaw(
    'environment',
    `must be one of the environments (${environments.join(', ') || 'there is none'}), not ${show(value)}`,
  )
  return undefined
}

function costOf(value: unknown, flaw: Flaw): Requirement['cost'] | undefined {
  if (value === undefined || typeof value === 'function' || isWhole(value)) return value as Requirement['cost']
  flaw('cost', `must be a whole number ≥ 0 or a function, not ${show(value)}`)
  return undefined
}

function reserveOf(value: unknown, flaw: Flaw): Requirement['reserve'] {
  if (value === undefined || typeof value === 'function') return value as Requirement['reserve']
  const reserve = asReserve(value)
  if (reserve === undefined) flaw('reserve', `must be a whole number ≥ 0, { upTo } or a function, not ${show(value)}`)
  return reserve
}

function windowsOf(limits: unknown, flaw: Flaw): readonly Window[] {
  if (limits === undefined) return []
  const parsed = parseLimits(limits, false, ({ path, message }) =>
    flaw(path === '' ? 'limits' : `limits.${path}`, message),
  )
  return effectiveWindows(parsed, { defaults: {}, max: {} })
}

function optionalOf(value: unknown, flaw: Flaw): boolean {
  if (value !== undefined && typeof value !== 'boolean') flaw('optional', `must be true or false, not ${show(value)}`)
  return value === true
}

/** The value as a copy that is only what it says; `undefined` for what is no reserve. */
function asReserve(value: unknown): Reserve | undefined {
  if (isWhole(value)) return value
  if (!isObject(value)) return undefined
  const { upTo, ...more } = own(value as { readonly upTo?: unknown })
  return isWhole(upTo) && Object.keys(more).length === 0 ? Object.freeze({ upTo }) : undefined
}

/**
 * What a demand's cost is for this request.
 * @throws KeywardError `CONFIG` when its function gives anything but a whole number ≥ 0
 */
export function costFor({ cost }: Requirement, request: unknown): number {
  const amount = typeof cost === 'number' ? cost : answerOf('cost', cost, request)
  if (isWhole(amount)) return amount
  throw new KeywardError('CONFIG', `demand: cost gave ${show(amount)}, which is no whole number ≥ 0`)
}

/** Credit that a request is to hold: `amount`, but where that is not there, anything from `least` on will do. */
interface Reserved {
  readonly amount: number
  readonly least: number | undefined
}

/**
 * What a demand holds for this request.
 * @throws KeywardError `CONFIG` when its function gives anything but a reserve
 */
export function reserveFor(reserve: NonNullable<Requirement['reserve']>, request: unknown): Reserved {
  const answer = typeof reserve === 'function' ? answerOf('reserve', reserve, request) : reserve
  const asked = asReserve(answer)
  if (typeof asked === 'number') return { amount: asked, least: undefined }
  if (asked !== undefined) return { amount: asked.upTo, least: Math.min(1, asked.upTo) }
  throw new KeywardError('CONFIG', `demand: reserve gave ${show(answer)}, which is no whole number ≥ 0 and no { upTo }`)
}

/**
 * What a demand's text is for this request.
 * @throws KeywardError `CONFIG` when its function gives a promise
 */
export function textFor(what: 'owner' | 'resource', demanded: Requirement['owner'], request: unknown): unknown {
  return typeof demanded === 'function' ? answerOf(what, demanded, request) : demanded
}

/** Rules never wait. A promise is heard out, so that its failure does not end the process. */
function answerOf(what: string, demanded: (request: unknown) => unknown, request: unknown): unknown {
  const answer = demanded(request)
  if (!(answer instanceof Promise)) return answer
  answer.catch(() => {})
  throw new KeywardError('CONFIG', `demand: ${what} gave a promise; look up what it needs before the guard`)
}
