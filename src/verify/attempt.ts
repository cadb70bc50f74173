import type { Presented } from '../credential/reader.ts'
import type { RequestFacts } from '../model/request.ts'
import type { Access, Admitted } from '../model/verdict.ts'
import type { Address } from '../network/address.ts'
import type { Requirement } from '../policy/demand.ts'
import type { Bill } from './bill.ts'
import type { Found } from './found.ts'
import type { Proof } from './proofs.ts'
import type { Settlement } from './settlement.ts'
import type { Time } from './time.ts'

/** One credential on its way through the pipeline. */
export interface Attempt {
  readonly presented: Presented
  /** The id in it. */
  readonly id: string
  readonly requirement: Requirement
  readonly facts: RequestFacts
  /** The framework's own object; `undefined` for a credential that came without a request. */
  readonly request: unknown
  /** When the attempt began, or went on after a wait. */
  time: Time
  /** What an earlier guard of this instance admitted on the same request. */
  readonly earlier: Passage | undefined
  /** What its connection proved with this very text. */
  readonly proof: Proof | undefined
  /** Whether the record was read for this request: a remembered one may admit, but never refuses. */
  current: boolean
  /** A record whose secret the text was found not to be. */
  refuted: Found | undefined
  /** How often the store found the record stale. */
  stale: number
  /** When it first did, by the steady clock. */
  staleSince: number | undefined
  /** The client's address, once asked for; `null` when it cannot be known. */
  address: Address | null | undefined
  /** The overlap of a rotation, when the secret is the replaced one. */
  overlap: Admitted['overlap']
}

/** What a request was admitted with: a later guard takes only what goes beyond it. */
export interface Passage {
  readonly presented: Presented
  readonly access: Access
  readonly bill: Bill
  /** What is held for the request, by this guard and those before it. */
  readonly settlement: Settlement | undefined
}

const NO_FORMAT: Presented['format'] = Object.freeze({ prefix: '', idOf: () => undefined })

/** Who presented nothing that could be looked at. */
export const NOBODY: Presented = Object.freeze({
  kind: 0,
  format: NO_FORMAT,
  key: '',
  secret: undefined,
  line: undefined,
  source: undefined,
})

/** An attempt at its beginning. One argument each, as an object of them would be one more per request. */
export function newAttempt(
  presented: Presented,
  id: string,
  requirement: Requirement,
  facts: RequestFacts,
  request: unknown,
  time: Time,
  earlier?: Passage,
  proof?: Proof,
): Attempt {
  return {
    presented,
    id,
    requirement,
    facts,
    request,
    time,
    earlier,
    proof,
    current: false,
    refuted: undefined,
    stale: 0,
    staleSince: undefined,
    address: undefined,
    overlap: undefined,
  }
}
