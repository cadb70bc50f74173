import type { AnyDemand } from '../model/demand.ts'
import { KeywardError } from '../model/errors.ts'
import type { RequestFacts } from '../model/request.ts'
import type { DemandContext, Requirement } from '../policy/demand.ts'
import type { LimitPlan } from '../policy/limits.ts'
import type { Coverage } from '../policy/scopes.ts'
import type { Conclude, Entrance, Instance } from '../verify/entrance.ts'
import type { ProblemOptions } from './problem.ts'

/**
 * What a guard needs of an instance and nobody else may touch. It hangs on the instance itself under a registered
 * symbol, so that a program that loaded the ESM and the CJS copy of this package still has one of everything.
 */
export const DOOR: unique symbol = Symbol.for('keyward.door') as never

export interface Door {
  readonly instance: Instance
  readonly settings: Omit<ProblemOptions, 'vary' | 'answers'> & { readonly answers: ProblemOptions['answers'][number] }
  /** What a demand on this instance may name. */
  readonly context: DemandContext
  /** What a new key is held to: a form that asks for one says so beforehand. */
  readonly making: {
    readonly names: 'free' | 'required' | 'unique'
    readonly plan: LimitPlan
    /** What somebody may grant, ready to be asked. */
    readonly coverage: (grants: readonly string[]) => Coverage
    /** Whether the store can keep balances. */
    readonly keepsCredits: boolean
  }
  /** Reads a demand for all these instances at once: what one of them knows may be named. */
  compile(demand: AnyDemand, doors: readonly Door[]): Requirement
  open<T>(doors: readonly Door[], requirement: Requirement, conclude: Conclude<T>): Entrance<T>
  /**
   * Where what it admits loses its credential: takes from Node's request the headers that carry one of any of these
   * instances, and answers which a fetch request is to lose, too.
   */
  readonly hide: ((doors: readonly Door[], facts: RequestFacts) => readonly string[] | undefined) | undefined
  /** The address of a client, as far as it can be known. */
  addressOf(facts: RequestFacts): string | undefined
}

export interface WithDoor {
  readonly [DOOR]: Door
}

/**
 * The doors of an instance, or of a list.
 * @param what what was given, for the error
 * @throws KeywardError `CONFIG` for anything else, and for an empty list
 */
export function doorsOf(keys: WithDoor | readonly WithDoor[], what: string): readonly [Door, ...Door[]] {
  const listed: readonly (Partial<WithDoor> | null | undefined)[] = Array.isArray(keys) ? keys : [keys]
  const [first, ...rest] = listed.map((each) => each?.[DOOR])
  if (first !== undefined && rest.every((door) => door !== undefined)) return [first, ...rest]
  throw new KeywardError('CONFIG', `${what} must be what createApiKeys() made, or a list of such`)
}
