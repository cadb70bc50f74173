import type { Spend, Taken } from '../model/store.ts'
import type { Address } from '../network/address.ts'

/** How many refused credentials a client's network may send in how long (ms). */
export interface FailureLimit {
  readonly limit: number
  readonly ms: number
}

/**
 * The budget of refused credentials, by client network. It never looks at a key, so it can lock none; a client whose
 * address is unknown has no network, and none of its failures counts against another.
 */
export interface FailureBudget {
  /** When the network may try again, ms; `undefined` while it may. */
  spentUntil(address: Address, now: number): number | undefined
  /** A credential was unknown or its secret wrong. */
  count(address: Address, now: number): void
}

type Count = (id: string, version: number, spend: Spend, now: number) => Taken

/** @param count windows in this process, in bounded memory */
export function failureBudget({ limit, ms }: FailureLimit, count: Count): FailureBudget {
  const windows = [{ name: 'failures', limit, ms }]
  return {
    spentUntil(address, now) {
      const { readings } = count(networkOf(address), 0, { windows, cost: 0 }, now) as Extract<Taken, { ok: boolean }>
      const [reading] = readings
      return reading !== undefined && reading.remaining === 0 ? reading.resetsAt : undefined
    },
    count(address, now) {
      count(networkOf(address), 0, { windows, cost: 1 }, now)
    },
  }
}

/** One IPv4 address; of IPv6 the /64, which is what one subscriber has at least, and may walk through at will. */
function networkOf({ words }: Address): string {
  return words.length === 1 ? `${words[0]}` : `${words[0]}:${words[1]}`
}
