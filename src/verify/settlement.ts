import { flawedAt, KeywardError } from '../model/errors.ts'
import { show } from '../model/redact.ts'
import type { CreditAccount, CreditSpend, KeyStore } from '../model/store.ts'
import type { Settled } from '../model/verdict.ts'
import { isWhole } from '../model/whole.ts'
import { newId } from './new-id.ts'

/** How long credit may stay held, ms: past that it is free again, whatever became of the request. */
const LEASE = 600_000

/** How long a settled hold is known, ms. */
const MARK = 60_000

/** For so long, ms, an outcome that is unknown may be asked for again: past that the mark may be gone, and it would be charged twice. */
const REPEATABLE = MARK / 2

export function newHold(now: number): NonNullable<CreditSpend['hold']> {
  return { id: newId(), until: now + LEASE }
}

/** What one request holds, until it is settled or given back. Several guards on a request hold together. */
export interface Settlement {
  /** Adds what another guard holds. */
  add(id: string, amount: number): void
  /** Charges what was used; where nothing is held, from what remains. */
  settle(actual: number): Promise<Settled>
  /** It was settled or given back: what is held from here on is another's. */
  readonly isOver: boolean
  /** Gives back what is held; `undefined` while nothing is. */
  readonly release: (() => void) | undefined
}

interface SettlementOptions {
  readonly move: NonNullable<KeyStore['move']>
  /** Where it is held, with the refill that is due now. */
  readonly account: () => CreditAccount | undefined
  readonly now: () => number
  readonly onSettled: (charged: number, balance: number) => void
  /** Told of what is given back behind the response's back, so that somebody may wait for it. */
  readonly onRelease: (releasing: Promise<void>) => void
  readonly onFault: (error: unknown) => void
}

export function createSettlement(options: SettlementOptions): Settlement {
  const { move, account, now, onSettled, onRelease, onFault } = options
  const held: { readonly id: string; readonly amount: number }[] = []
  let settled: Promise<Settled> | undefined
  let firstTried: number | undefined
  let hasEnded = false
  let released = false

  function on(): CreditAccount {
    const found = account()
    if (found === undefined) throw new Error('the key has no account any more')
    return found
  }

  async function charge(actual: number): Promise<Settled> {
    firstTried ??= now()
    if (now() - firstTried > REPEATABLE) throw new KeywardError('STORE', TOO_LATE, { outcome: 'unknown' })
    let charged = 0
    let balance = 0
    if (held.length === 0) held.push({ id: newId(), amount: 0 })
    for (const [i, { id, amount }] of held.entries()) {
      const left = actual - charged
      const most = i === held.length - 1 ? left : Math.min(left, amount)
      const account = on()
      const moved = await told(async () =>
        move({ ...account, settle: { id, amount: most, until: now() + MARK } }, now()),
      )
      charged += moved.charged ?? 0
      balance = moved.balance
    }
    onSettled(charged, balance)
    return Object.freeze({ charged, short: actual - charged })
  }

  /** Whoever settles hears of a fault of the store, and so does who listens. */
  async function told<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      onFault(error)
      throw error
    }
  }

  async function giveBack(): Promise<void> {
    for (const { id } of held) await move({ ...on(), release: id }, now())
  }

  return {
    add: (id, amount) => held.push({ id, amount }),
    settle(actual) {
      const wrong = flawOf(actual)
      if (wrong !== undefined) return Promise.reject(wrong)
      // A time-out leaves the outcome unknown: the store knows, so it may be asked again.
      settled ??= charge(actual).catch((error) => {
        settled = undefined
        if (hasEnded) release()
        throw error
      })
      return settled
    },
    get isOver() {
      return released || settled !== undefined
    },
    get release() {
      return held.length === 0 ? undefined : release
    },
  }

  /** Where it is being charged, that decides: what fails then is given back. A hold that was charged after all stays so. */
  function release(): void {
    hasEnded = true
    if (released || settled !== undefined) return
    released = true
    onRelease(giveBack().catch(onFault))
  }
}

const TOO_LATE = 'settle: it is too late to ask again for an outcome that is unknown: it might be charged twice'

const NOTHING: Settled = Object.freeze({ charged: 0, short: 0 })

/** `settle` of a request on which no balance is kept. */
export function settleNothing(actual: number): Promise<Settled> {
  const wrong = flawOf(actual)
  return wrong === undefined ? Promise.resolve(NOTHING) : Promise.reject(wrong)
}

function flawOf(actual: unknown): KeywardError | undefined {
  if (isWhole(actual)) return undefined
  const flaw = flawedAt('INPUT', 'actual', `must be a whole number ≥ 0, not ${show(actual)}`, 'settle: ')
  // It was the handler that counted wrong: nothing is wrong with what the client sent.
  return Object.assign(flaw, { status: 500 })
}
