import type { Awaitable } from '../model/awaitable.ts'
import { isThenable } from '../model/awaitable.ts'
import { KeywardError } from '../model/errors.ts'
import { show } from '../model/redact.ts'
import { within } from '../model/timer.ts'
import type { Access } from '../model/verdict.ts'
import { accessOf } from './access.ts'
import type { Attempt } from './attempt.ts'
import type { Known } from './known.ts'

/** What a host may say of an account. */
export type GateCode = 'account_suspended' | 'insufficient_balance'

/** The host's word on an account: nothing, or why it may not go on. It looks, it does not hold. */
export type Gate<Scope extends string = string> = (
  access: Access<Scope>,
  request: unknown,
) => Awaitable<GateCode | undefined>

/** Asks the gate, in time; whatever it does but answer as it should is thrown, and the request is `unavailable`. */
export type Gatekeeper = (attempt: Attempt, known: Known) => Awaitable<GateCode | undefined>

const NOTHING_TAKEN = { readings: [], at: 0, balance: undefined }

/** @param patience how long the gate may take, ms */
export function createGatekeeper(gate: Gate, patience: number): Gatekeeper {
  const late = () => new Error(`the gate gave no answer within ${patience} ms`)
  return (attempt, known) => {
    const word = gate(accessOf(known, attempt.time.now, NOTHING_TAKEN, undefined), attempt.request)
    return isThenable(word) ? within(word, patience, late).then(checked) : checked(word)
  }
}

function checked(word: unknown): GateCode | undefined {
  if (word === undefined || word === 'account_suspended' || word === 'insufficient_balance') return word
  throw new KeywardError('CONFIG', `gate gave ${show(word)}, which is neither undefined nor a code of a gate`)
}
