import { createReader, type NoCredential, type Presented, recogniseBare } from '../credential/reader.ts'
import { hashedText } from '../key/format.ts'
import { hasCode, KeywardError } from '../model/errors.ts'
import { isObject } from '../model/is-object.ts'
import { own } from '../model/own.ts'
import { messageOf } from '../model/redact.ts'
import type { BareCredential, Credential, RequestFacts } from '../model/request.ts'
import type { DenialCode } from '../model/verdict.ts'
import { costFor, type Requirement, reserveFor } from '../policy/demand.ts'
import { type Attempt, NOBODY, newAttempt } from './attempt.ts'
import type { Metered } from './bill.ts'
import { cleanFacts, factsOfBare, type Instance } from './entrance.ts'
import type { Known } from './known.ts'
import { RULES } from './rules.ts'
import { secretOf } from './secret.ts'
import type { Parts } from './verifier.ts'

/** One step of the pipeline: whether it passes, and why, in words for whoever is called at night. */
export interface Step {
  readonly step: string
  readonly ok: boolean
  readonly detail: string
}

/** What verification would say, and at which step. Nothing is spent, nothing is marked. */
export interface Explanation {
  readonly ok: boolean
  /** The refusal; absent when the credential would be admitted. */
  readonly code?: DenialCode
  readonly steps: readonly Step[]
}

/** What `explain` can be asked about: whatever `verify` takes, or the id of a key whose text is not at hand. */
export type Explainable = Credential | { readonly id: string; readonly address?: string | undefined }

type From = Presented | NoCredential | { readonly id: string }

/**
 * Walks the steps of the pipeline one by one. Up to the secret the first that fails ends the walk, as nothing is known
 * behind it; from there on every rule is looked at, so that all that is wrong is seen at once.
 */
export async function explain(
  parts: Parts,
  instance: Instance,
  requirement: Requirement,
  given: Explainable,
): Promise<Explanation> {
  const steps: Step[] = []
  const { facts, request, from } = read(instance, given)
  const presented = typeof from === 'object' && 'key' in from ? from : NOBODY
  const id = presented.format.idOf(presented.key, presented.secret) ?? ''
  const attempt = newAttempt(presented, id, requirement, facts, request, instance.look())
  const note: Note = (step, ok, detail) => steps.push({ step, ok, detail })
  const code = await walk(parts, instance, attempt, from, note).catch((error) => failed(error, note))
  return code === undefined ? { ok: true, steps } : { ok: false, code, steps }
}

function read(instance: Instance, given: Explainable): { facts: RequestFacts; request: unknown; from: From } {
  if (!isObject(given)) {
    return { facts: factsOfBare(undefined), request: undefined, from: recogniseBare([instance], given, undefined) }
  }
  const { id, key, secret, address } = own(given as BareCredential & { readonly id: string })
  const facts = factsOfBare(address)
  if (Object.hasOwn(given, 'id')) return { facts, request: undefined, from: own({ id }) }
  if (Object.hasOwn(given, 'key')) return { facts, request: undefined, from: recogniseBare([instance], key, secret) }
  const clean = cleanFacts(given as RequestFacts)
  return { facts: clean, request: clean.request, from: createReader([instance])(clean) }
}

type Note = (step: string, ok: boolean, detail: string) => void

/** What verification would answer to a fault of the store. What the host's own functions throw is theirs. */
function failed(error: unknown, note: Note): DenialCode {
  if (!hasCode(error, 'STORE')) throw error
  note('store', false, messageOf(error))
  return 'unavailable'
}

async function walk(
  parts: Parts,
  instance: Instance,
  attempt: Attempt,
  from: From,
  note: Note,
): Promise<DenialCode | undefined> {
  if (!isSecure(instance, attempt, note)) return 'tls_required'
  if (typeof from === 'string') return withoutCredential(instance, attempt, from, note)
  const { id } = 'id' in from ? from : attempt
  if (!('id' in from) && !hasShape(attempt, note)) return 'invalid_key'
  if (!('id' in from) && isHeldBack(parts, attempt, from, note)) return 'too_many_failures'

  const found = typeof id === 'string' ? await parts.keys.read(id) : undefined
  const known = found && parts.open(found)
  const ours =
    known !== undefined && instance.formats.some(({ prefix }) => prefix === known.stored.prefix) ? known : undefined
  if (ours === undefined && 'id' in from) throw new KeywardError('NOT_FOUND', 'there is no such key')
  const none = found !== undefined && known === undefined ? `the record of ${id} is damaged` : `there is no key ${id}`
  note('find', ours !== undefined, ours === undefined ? none : `key ${id} of ${ours.stored.owner}`)
  if (ours === undefined) return 'invalid_key'
  if (!('id' in from) && !(await isProved(parts, attempt, ours, from, note))) return 'invalid_key'

  const broken = rules(parts, attempt, ours, note)
  const barred = await gate(parts, attempt, ours, note)
  const exhausted = await limits(parts, attempt, ours, note)
  return broken ?? barred ?? exhausted
}

/** A key without a request has come by no connection. */
function isSecure(instance: Instance, { facts, request }: Attempt, note: Note): boolean {
  const secure = request === undefined ? undefined : instance.isSecure?.(facts)
  if (secure !== undefined) note('tls', secure, secure ? 'it came over TLS' : 'it did not come over TLS')
  return secure ?? true
}

function withoutCredential(
  { formats }: Instance,
  { requirement }: Attempt,
  found: NoCredential,
  note: Note,
): DenialCode | undefined {
  const passes = found === 'absent' && requirement.optional
  const prefixes = formats.map(({ prefix }) => prefix).join(' or ')
  const flaw = found === 'invalid_key' ? `none that begins with ${prefixes}` : `no credential to look at (${found})`
  note('credential', passes, passes ? 'nothing was sent, and nothing is needed' : flaw)
  if (passes) return undefined
  return found === 'absent' ? 'missing_credentials' : found
}

function hasShape({ presented, id }: Attempt, note: Note): boolean {
  note('credential', true, `one that begins with ${presented.format.prefix}`)
  const whole = id !== ''
  note('shape', whole, whole ? 'length, alphabet and checksum are right' : 'length, alphabet or checksum is wrong')
  return whole
}

function isHeldBack({ throttle }: Parts, attempt: Attempt, { key, secret }: Presented, note: Note): boolean {
  if (throttle === undefined) return false
  const until = throttle.heldUntil(attempt, hashedText(key, secret))
  note(
    'failures',
    until === undefined,
    until === undefined ? 'its network may try' : 'its network sent too many bad keys',
  )
  return until !== undefined
}

async function isProved(
  { hasher }: Parts,
  { time }: Attempt,
  known: Known,
  presented: Presented,
  note: Note,
): Promise<boolean> {
  const text = hashedText(presented.key, presented.secret)
  const secret =
    known.stored.prefix === presented.format.prefix ? await secretOf(hasher, known.found, text, time.now) : undefined
  note(
    'secret',
    secret !== undefined,
    secret === undefined ? 'it is not the secret of this key' : `it is the ${secret} secret`,
  )
  return secret !== undefined
}

function rules({ locate }: Parts, attempt: Attempt, known: Known, note: Note): DenialCode | undefined {
  let first: DenialCode | undefined
  for (const rule of RULES) {
    const holds = rule.holds(known, attempt, locate)
    if (!holds) first ??= rule.code
    note(rule.step, holds, rule.detail(known, attempt, locate))
  }
  return first
}

async function gate(
  { gatekeeper }: Parts,
  attempt: Attempt,
  known: Known,
  note: Note,
): Promise<DenialCode | undefined> {
  if (gatekeeper === undefined) return undefined
  try {
    const word = await gatekeeper(attempt, known)
    note('gate', word === undefined, word ?? 'it lets the account go on')
    return word
  } catch (error) {
    note('gate', false, `it failed: ${messageOf(error)}`)
    return 'unavailable'
  }
}

/** A take that costs nothing reads the windows and the balance without taking. */
async function limits(
  { meter, lenience }: Parts,
  attempt: Attempt,
  known: Known,
  note: Note,
): Promise<DenialCode | undefined> {
  const { requirement, request } = attempt
  const cost = costFor(requirement, request)
  const held = requirement.reserve === undefined ? undefined : reserveFor(requirement.reserve, request)
  const needed = held === undefined ? cost : (held.least ?? held.amount)
  const free = { ...attempt, requirement: { ...requirement, cost: 0, reserve: undefined } }
  const metered = await Promise.resolve(meter(free, known)).catch((error): Metered => ({ type: 'failed', error }))
  if (metered.type === 'failed' && lenience?.({ ...attempt, current: true }, known, metered.error) !== undefined) {
    note('limits', true, "the store did not answer, and limits.onFault is 'open'")
    return undefined
  }
  if (metered.type !== 'admitted') {
    const why = metered.type === 'stale' ? 'the key was changed meanwhile; ask again' : 'the store did not answer'
    note('limits', false, why)
    return 'unavailable'
  }
  const { readings, balance } = metered
  const full = readings.some(({ remaining }) => remaining < cost)
  const state = readings.map(({ name, remaining, limit }) => `${name}: ${remaining} of ${limit} left`).join(', ')
  note('limits', !full, state === '' ? 'there are none' : `${state}; the request costs ${cost}`)
  const poor = balance !== undefined && balance < needed
  note('credits', !poor, balance === undefined ? 'there are none' : `${balance} left; the request needs ${needed}`)
  if (poor) return 'insufficient_balance'
  return full ? 'rate_limited' : undefined
}
