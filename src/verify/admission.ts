import { attach } from '../model/attached.ts'
import { isObject } from '../model/is-object.ts'
import type { Access, Admitted } from '../model/verdict.ts'
import { shownWindows } from '../policy/limits.ts'
import { accessOf } from './access.ts'
import type { Attempt, Passage } from './attempt.ts'
import type { Bill } from './bill.ts'
import type { Known } from './known.ts'
import type { Settlement } from './settlement.ts'

let passageOf: (admission: Admission) => Passage

/** Lets a request go on. Its identity is made when it is first asked for: until then an admission costs next to nothing. */
export class Admission implements Admitted {
  readonly ok = true
  readonly overlap: Admitted['overlap']
  // Private to the engine, not to the compiler alone: what is known of a key holds hashes, which no log may show.
  readonly #presented: Attempt['presented']
  readonly #known: Known
  readonly #now: number
  readonly #bill: Bill
  readonly #settlement: Settlement | undefined
  #access: Access | undefined

  constructor(attempt: Attempt, known: Known, bill: Bill, settlement: Settlement | undefined) {
    this.overlap = attempt.overlap
    this.#presented = attempt.presented
    this.#known = known
    this.#now = attempt.time.now
    this.#bill = bill
    this.#settlement = settlement
  }

  static {
    passageOf = (admission) => ({
      presented: admission.#presented,
      access: admission.access,
      bill: admission.#bill,
      settlement: admission.#settlement,
    })
  }

  get access(): Access {
    this.#access ??= accessOf(this.#known, this.#now, this.#bill, this.#settlement?.settle)
    return this.#access
  }

  get windows(): Admitted['windows'] {
    return shownWindows(this.#bill.windows)
  }

  get readings(): Admitted['readings'] {
    return this.#bill.readings
  }

  get at(): number {
    return this.#bill.at
  }

  get release(): Admitted['release'] {
    return this.#settlement?.release
  }

  /** With the identity, as if it were a member like any other. */
  toJSON(): { readonly ok: true; readonly access: Access } {
    return { ok: true, access: this.access }
  }
}

/** What requests were admitted with, by the framework's own object. */
export interface Admissions {
  add(request: unknown, admission: Admission): void
  /** What a later guard on the same request must know. */
  of(request: object): Passage | undefined
}

export function createAdmissions(): Admissions {
  const attached = attach<Admission>()
  return {
    add(request, admission) {
      if (isObject(request)) attached.set(request, admission)
    },
    of(request) {
      const admission = attached.get(request)
      return admission && passageOf(admission)
    },
  }
}
