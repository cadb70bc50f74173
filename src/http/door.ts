import type { Demand } from '../model/demand.ts'
import type { DemandContext, Requirement } from '../policy/demand.ts'
import type { Entrance, Instance } from '../verify/entrance.ts'
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
  /** Reads a demand for all these instances at once: what one of them knows may be named. */
  compile(demand: Demand, doors: readonly Door[]): Requirement
  open(doors: readonly Door[], requirement: Requirement): Entrance
}

export interface WithDoor {
  readonly [DOOR]: Door
}
