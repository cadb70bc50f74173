import { createReader, type Kind, type NoCredential, type Presented, recogniseBare } from '../credential/reader.ts'
import type { Awaitable } from '../model/awaitable.ts'
import { isObject } from '../model/is-object.ts'
import type { BareCredential, Credential, RequestFacts } from '../model/request.ts'
import type { Verdict } from '../model/verdict.ts'
import type { Requirement } from '../policy/demand.ts'
import { type Attempt, newAttempt, type Passage } from './attempt.ts'
import type { Proofs } from './proofs.ts'
import type { Time } from './time.ts'

/** Why nothing was looked at. */
type Unlooked = Exclude<NoCredential, 'absent'> | 'tls_required'

/** One instance, as an entrance sees it. */
export interface Instance extends Kind {
  /** Looks at the clocks. */
  readonly look: () => Time
  /** Runs the pipeline. */
  verify(attempt: Attempt): Awaitable<Verdict>
  /** The verdict on a request without a credential that could be looked at. */
  turnAway(code: Unlooked, facts: RequestFacts, requirement: Requirement): Verdict
  /** Where it takes requests over TLS only: whether one came so. */
  readonly isSecure: ((facts: RequestFacts) => boolean) | undefined
  /** Whether requests that it admitted lose their credential. */
  readonly hides: boolean
  /** What this instance admitted a request with, by the framework's request object. */
  readonly admitted: (request: object) => Passage | undefined
  /** What connections proved. */
  readonly proofs: Proofs
}

/**
 * What becomes of a verdict.
 * @param instance whose it is: the instance that the credential belongs to, or the first, which answers for nobody's
 */
export type Conclude<T> = (verdict: Verdict, instance: number, facts: RequestFacts) => T

/** Where credentials meet the instances that may know them. Made once per guard. */
export interface Entrance<T> {
  /** Judges a request; its credentials are read first. */
  request(facts: RequestFacts): Awaitable<T>
  /** Judges whatever `verify` may be given. */
  credential(credential: Credential): Awaitable<T>
}

const NO_FACTS = factsOfBare(undefined)

export function createEntrance<T>(
  instances: readonly [Instance, ...Instance[]],
  requirement: Requirement,
  conclude: Conclude<T>,
): Entrance<T> {
  const read = createReader(instances)
  const hides = instances.some((instance) => instance.hides)
  const needTls = instances.some(({ isSecure }) => isSecure !== undefined)
  return { request, credential }

  function request(facts: RequestFacts): Awaitable<T> {
    // Before anything of the credential is looked at: the answer is the same for all of them.
    const insecure = needTls ? instances.findIndex(({ isSecure }) => isSecure?.(facts) === false) : -1
    return insecure === -1 ? enter(facts, facts.request ?? facts, read(facts)) : refuse('tls_required', facts, insecure)
  }

  function credential(given: Credential): Awaitable<T> {
    // Not by a function that all kinds of values go through: V8 makes more of a look of its own.
    if (typeof given !== 'object' || given === null)
      return enter(NO_FACTS, undefined, recogniseBare(instances, given, undefined))
    if (!isBare(given)) return request(cleanFacts(given))
    const found = recogniseBare(instances, given.key, ownValue(given, 'secret'))
    return enter(factsOfBare(ownValue(given, 'address')), undefined, found)
  }

  function enter(facts: RequestFacts, from: unknown, found: Presented | NoCredential): Awaitable<T> {
    if (typeof found !== 'string') return judge(facts, from, found)
    // What an earlier guard proved is not forgotten because a header was taken away in between.
    const earlier = mayHide(found) ? admittedBefore(instances, from) : undefined
    if (earlier !== undefined) return judge(facts, from, earlier)
    if (found === 'absent' && requirement.optional) return conclude(anonymous(instances[0]), 0, facts)
    return refuse(found === 'absent' ? 'missing_credentials' : found, facts, 0)
  }

  /** Whether a credential of ours may have been there: also beside a foreign one, where an earlier guard has hidden it. */
  function mayHide(found: NoCredential): boolean {
    if (found === 'absent' || found === 'missing_credentials') return true
    return hides && found !== 'ambiguous_credentials'
  }

  function judge(facts: RequestFacts, from: unknown, presented: Presented): Awaitable<T> {
    const { kind } = presented
    const instance = instances[kind] as Instance
    const { connection } = facts
    const proof = connection === undefined ? undefined : instance.proofs.of(connection, presented)
    const id = proof === undefined ? presented.format.idOf(presented.key, presented.secret) : proof.found.id
    if (id === undefined) return refuse('invalid_key', facts, kind)
    const passage = isObject(from) ? instance.admitted(from) : undefined
    const earlier = passage?.presented.key === presented.key ? passage : undefined
    const verdict = instance.verify(
      newAttempt(presented, id, requirement, facts, from, instance.look(), earlier, proof),
    )
    if (!(verdict instanceof Promise)) return conclude(verdict, kind, facts)
    // While this waits, its client may go, and the address of a socket with it.
    void facts.peer
    return verdict.then((late) => conclude(late, kind, facts))
  }

  function refuse(code: Unlooked, facts: RequestFacts, instance: number): T {
    return conclude((instances[instance] as Instance).turnAway(code, facts, requirement), instance, facts)
  }
}

/**
 * Facts that did not come from an adapter. A framework's request has them as getters of its class, so inherited ones
 * count; what somebody put on `Object.prototype` does not.
 */
export function cleanFacts(facts: RequestFacts): RequestFacts {
  // Each member by its name: to look them up by a variable takes as long as to hash the key.
  return {
    rawHeaders: clean(facts, 'rawHeaders', facts.rawHeaders, POLLUTED.rawHeaders),
    headers: clean(facts, 'headers', facts.headers, POLLUTED.headers),
    peer: clean(facts, 'peer', facts.peer, POLLUTED.peer),
    address: clean(facts, 'address', facts.address, POLLUTED.address),
    secure: secureOf(facts),
    connection: connectionOf(facts),
    request: clean(facts, 'request', facts.request, POLLUTED.request) ?? facts,
  }
}

/** What everything inherits that somebody put there. */
const POLLUTED: RequestFacts = Object.prototype

function clean<T>(facts: RequestFacts, name: keyof RequestFacts, value: T, polluted: T): T | undefined {
  return value === undefined || value !== polluted || Object.hasOwn(facts, name) ? value : undefined
}

/** Its own member only: that of a framework's request believes whatever the framework believes. Node's has a socket to ask. */
function secureOf(facts: RequestFacts & { readonly socket?: unknown }): RequestFacts['secure'] {
  const { secure, socket } = facts
  if (secure !== undefined && Object.hasOwn(facts, 'secure')) return secure
  return isObject(socket) ? (facts as { readonly socket: object }) : undefined
}

/** Its own member only: `connection` of an `IncomingMessage` is an old name of its socket, also where that is a stand-in. */
function connectionOf(facts: RequestFacts): object | undefined {
  const connection = ownValue(facts, 'connection')
  return isObject(connection) ? connection : undefined
}

/** Every fact a member of its own, so that nothing shines through from `Object.prototype`. */
export function factsOfBare(address: string | undefined): RequestFacts {
  return {
    rawHeaders: undefined,
    headers: undefined,
    peer: undefined,
    address,
    secure: undefined,
    connection: undefined,
    request: undefined,
  }
}

/** A member that is the object's own: not what somebody put on `Object.prototype`. */
function ownValue<T extends object, F extends keyof T>(object: T, field: F): T[F] | undefined {
  const value = object[field]
  return value !== undefined && Object.hasOwn(object, field) ? value : undefined
}

/** The credential of an earlier guard on the same request, as this entrance would have read it. */
function admittedBefore(instances: readonly Instance[], request: unknown): Presented | undefined {
  if (!isObject(request)) return undefined
  for (const [kind, instance] of instances.entries()) {
    const passage = instance.admitted(request)
    if (passage !== undefined) return { ...passage.presented, kind }
  }
  return undefined
}

function anonymous({ look }: Instance): Verdict {
  return { ok: true, access: undefined, windows: [], readings: [], at: look().steady }
}

function isBare(given: BareCredential | RequestFacts): given is BareCredential {
  // Facts have none at all, and to ask for that is nearly free.
  return 'key' in given && Object.hasOwn(given, 'key')
}
