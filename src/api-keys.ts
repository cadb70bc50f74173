import { assembleDoor, assembleOffice, assembleVerification, type Verification } from './assembly.ts'
import { createEvents } from './events.ts'
import { DOOR, type Door, type WithDoor } from './http/door.ts'
import type {
  By,
  CreateBy,
  CreateInput,
  CreditBy,
  ListOptions,
  RevokeAllOptions,
  RevokeOptions,
  RotateOptions,
  UpdateBy,
  UpdatePatch,
} from './manage/arguments.ts'
import { type Created, create } from './manage/create.ts'
import { balance, credit, type Whom } from './manage/credit.ts'
import { tellingFaults } from './manage/faults.ts'
import { get, list, type Page } from './manage/list.ts'
import type { Office } from './manage/office.ts'
import { remove, revoke, revokeAll } from './manage/revoke.ts'
import { rotate } from './manage/rotate.ts'
import { disable, enable, update } from './manage/update.ts'
import { type Usage, usage } from './manage/usage.ts'
import type { Awaitable } from './model/awaitable.ts'
import type { AnyDemand, Demand } from './model/demand.ts'
import { KeywardError } from './model/errors.ts'
import { isObject } from './model/is-object.ts'
import type { KeyRecord } from './model/key.ts'
import type { Credential } from './model/request.ts'
import type { Access, Verdict } from './model/verdict.ts'
import type { ApiKeysOptions, ScopeVocabulary } from './options.ts'
import type { Requirement } from './policy/demand.ts'
import { oncePerDemand } from './policy/once-per-demand.ts'
import { parseOptions } from './settings.ts'
import { timedStore } from './storage/timed.ts'
import type { Entrance } from './verify/entrance.ts'
import { type Explainable, type Explanation, explain } from './verify/explain.ts'

/** The scopes of a vocabulary, with what covers several; any text where none was declared. */
export type ScopeOf<V extends ScopeVocabulary> = string extends keyof V ? string : Declared<V> | Stem<Declared<V>> | '*'

type Declared<V extends ScopeVocabulary> = { [R in keyof V & string]: `${R}:${V[R][number]}` }[keyof V & string]

/** `a:*` and `a:b:*` of `a:b:read`. */
type Stem<S extends string> = S extends `${infer Head}:${infer Rest}` ? `${Head}:*` | `${Head}:${Stem<Rest>}` : never

/** The scopes that one of these instances knows. */
export type ScopeKnownTo<K> = K extends readonly (infer Each)[]
  ? ScopeKnownTo<Each>
  : K extends ApiKeys<infer Scope>
    ? Scope
    : never

/**
 * A kind of API keys: what `createApiKeys` makes. Whatever asks the store throws `STORE` where that fails; a change that
 * may have happened all the same says `outcome: 'unknown'`, and can be made again.
 */
export interface ApiKeys<Scope extends string = string> extends WithDoor {
  /**
   * Makes a key. Its text is returned this once; only a hash is stored.
   * @throws KeywardError `INPUT` with every wrong field, `CONFLICT` for a taken name, `STORE`
   */
  create(input: CreateInput<Scope>, by?: CreateBy): Promise<Created<Scope>>
  /** The record, or `undefined` where there is none that the conditions let be seen. */
  get(id: string, by?: By): Promise<KeyRecord<Scope> | undefined>
  /** Keys by age, the newest first: 50, at most 100. @throws KeywardError `INPUT` */
  list(options?: ListOptions): Promise<Page<Scope>>
  /**
   * How often a key was used, and what is left of its limits and its balance, spending nothing.
   * @throws KeywardError `NOT_FOUND`
   */
  usage(id: string, by?: By): Promise<Usage>
  /** Changes a key from its next request on. @throws KeywardError `INPUT`, `NOT_FOUND`, `CONFLICT`, `STATE` when revoked */
  update(id: string, patch: UpdatePatch<Scope>, by?: UpdateBy): Promise<KeyRecord<Scope>>
  /** Stops a key until it is enabled. @throws KeywardError `NOT_FOUND`, `STATE` when revoked */
  disable(id: string, by?: UpdateBy): Promise<KeyRecord<Scope>>
  /** Lets a key that was disabled work again. @throws KeywardError `NOT_FOUND`, `STATE` when revoked */
  enable(id: string, by?: UpdateBy): Promise<KeyRecord<Scope>>
  /**
   * Gives a key a new secret under the same id; the one before works for `overlap` more. At most two secrets work: a second
   * rotation ends the overlap of the first.
   * @throws KeywardError `NOT_FOUND`, `STATE` unless active, `CONFLICT` when another rotation won, `STORE`: with `outcome:
   * 'unknown'` it is to be called again in this process, which knows that nobody has the secret
   */
  rotate(id: string, options: RotateOptions): Promise<Created<Scope>>
  /** Ends a key for good and keeps its record. @throws KeywardError `NOT_FOUND` */
  revoke(id: string, options?: RevokeOptions): Promise<KeyRecord<Scope>>
  /** Ends every key of an owner or a resource, and returns how many. @throws KeywardError `INPUT` for an empty condition */
  revokeAll(options: RevokeAllOptions): Promise<number>
  /** Forgets a key and frees its name. @throws KeywardError `NOT_FOUND` */
  remove(id: string, by?: UpdateBy): Promise<void>
  /**
   * Adds credit to the balance of a key, or where `credits` is `'owner'` of an owner, and returns the new balance.
   * @param amount a whole number ≥ 1
   * @param by with an `idempotencyKey` it is given once, however often it is asked for
   * @throws KeywardError `INPUT`, `NOT_FOUND`, `STATE` for a key without credits, `CONFLICT` for an idempotency key of
   * another amount
   */
  credit(whom: Whom, amount: number, by?: CreditBy): Promise<number>
  /** What is free of a balance: neither spent nor held. @throws KeywardError as `credit` */
  balance(whom: Whom, by?: By): Promise<number>
  /**
   * Judges a credential: text, `{ key, secret?, address? }`, or request facts. It returns the verdict itself, no promise,
   * where nothing has to be waited for: always `await` it. A refusal is a value. The same request object is one
   * request, however often it is given (two guards on it take from the limits once): for messages of one connection,
   * give the text, or fresh facts for each. Demands that say the same are read once; one with a function that is made
   * anew for each call is read each time, so write such a function down once.
   */
  verify(credential: Credential, demand?: Demand<Scope>): Awaitable<Verdict<Scope>>
  /**
   * What `verify` would say and why, step by step, spending nothing. `{ id }` looks at a key whose text is not at hand, and
   * cannot judge its secret.
   * @throws KeywardError `NOT_FOUND` for an unknown id
   */
  explain(credential: Explainable, demand?: Demand<Scope>): Promise<Explanation>
  /** The identity that a guard of this instance gave a request. @throws KeywardError `CONFIG` where none did */
  of(request: object): Access<Scope>
  /** Writes pending use marks. */
  flush(): Promise<void>
  /** Writes pending use marks, stops timers and listens to no other process any more. The store is closed by whoever made it. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * API keys of one kind: makes them, verifies them, and changes them. Everything wrong with the options is found here.
 * @throws KeywardError `CONFIG` that names each wrong option
 */
export function createApiKeys<const V extends ScopeVocabulary>(options: ApiKeysOptions<V>): ApiKeys<ScopeOf<V>> {
  const settings = parseOptions(options)
  const store = timedStore(settings.store, settings.storeTimeout)
  const events = createEvents(settings.onEvent)
  const verification = assembleVerification(settings, store, events)
  const office = assembleOffice(settings, store, events, verification)
  const door = assembleDoor(settings, verification)
  const { parts, usage: uses, leases, released, tidings } = verification

  async function close(): Promise<void> {
    await released()
    await office.unclear.stop()
    await leases?.close()
    await parts.upgrades.ended()
    await uses.flush()
    // Once more, for what a write could not write that was under way.
    await uses.flush()
    uses.stop()
    await tidings?.stop()
  }

  const keys: ApiKeys = {
    ...managing(office),
    ...verbs(door, verification),
    flush: uses.flush,
    close,
    [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]: close,
    [DOOR]: door,
  }
  return Object.freeze(keys) as unknown as ApiKeys<ScopeOf<V>>
}

type Asking = 'verify' | 'explain' | 'of'
type OtherVerbs = Asking | 'flush' | 'close' | typeof Symbol.asyncDispose | typeof DOOR

function managing(office: Office): Omit<ApiKeys, OtherVerbs> {
  return tellingFaults<Omit<ApiKeys, OtherVerbs>>(office, {
    create: (input, by) => create(office, input, by),
    get: (id, by) => get(office, id, by),
    list: (options) => list(office, options),
    usage: (id, by) => usage(office, id, by),
    update: (id, patch, by) => update(office, id, patch, by),
    disable: (id, by) => disable(office, id, by),
    enable: (id, by) => enable(office, id, by),
    rotate: (id, options) => rotate(office, id, options),
    revoke: (id, options) => revoke(office, id, options),
    revokeAll: (options) => revokeAll(office, options),
    remove: (id, by) => remove(office, id, by),
    credit: (whom, amount, by) => credit(office, whom, amount, by),
    balance: (whom, by) => balance(office, whom, by),
  })
}

function verbs(door: Door, { parts, instance }: Verification): Pick<ApiKeys, Asking> {
  const demands = demandsOf(door)
  return {
    verify: (credential, demand) => demands(demand).entrance.credential(credential),
    explain: async (credential, demand) => explain(parts, instance, demands(demand).requirement, credential),
    of(request) {
      const passage = isObject(request) ? instance.admitted(request) : undefined
      if (passage !== undefined) return passage.access
      throw new KeywardError('CONFIG', 'of: no guard of this instance has admitted the request with one of its keys')
    },
  }
}

interface Compiled {
  readonly requirement: Requirement
  readonly entrance: Entrance<Verdict>
}

function demandsOf(door: Door): (demand: Demand | undefined) => Compiled {
  const compile = (demand: AnyDemand): Compiled => {
    const requirement = door.compile(demand, [door])
    return { requirement, entrance: door.open([door], requirement, (verdict) => verdict) }
  }
  const none = compile({})
  const compiled = oncePerDemand(compile)
  return (demand) => (demand === undefined ? none : compiled(demand))
}
