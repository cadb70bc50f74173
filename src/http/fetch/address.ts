import type { AnyDemand, Demand } from '../../model/demand.ts'
import { flawedAt, KeywardError } from '../../model/errors.ts'
import { isRecord } from '../../model/is-object.ts'
import { show } from '../../model/redact.ts'

/** A demand where there is no socket to ask: the runtime's own package knows who is at its other end. */
export type FetchDemand<Scope extends string, Request, Args extends readonly unknown[]> = Demand<Scope, Request> & {
  /**
   * The address that the request came from, in place of a socket's: `trustedProxies` is asked about it as it is about
   * a socket's. Without it, or where it gives nothing, the address is unknown, which never passes an allowlist.
   */
  readonly address?: (...args: Args) => string | undefined
}

type AddressOf<Args extends readonly unknown[]> = (...args: Args) => string | undefined

/**
 * Takes the address function out of a demand; the rest is what every guard knows.
 * @throws KeywardError `CONFIG` for an address that is no function
 */
export function splitDemand<Args extends readonly unknown[]>(
  demand: (AnyDemand & { readonly address?: unknown }) | undefined,
): [AnyDemand | undefined, AddressOf<Args>] {
  const unknown: AddressOf<Args> = () => undefined
  if (!isRecord(demand) || !Object.hasOwn(demand, 'address')) return [demand, unknown]
  const { address, ...others } = demand
  // Of what class it is, is not lost: there something may be demanded.
  const rest = Object.setPrototypeOf(others, Object.getPrototypeOf(demand))
  if (typeof address === 'function') return [rest, (...args) => atOnce(address(...args))]
  const rule = `must be a function that gives the address of a request, not ${show(address)}`
  throw flawedAt('CONFIG', 'address', rule, 'demand: ')
}

/** Rules never wait. A promise is heard out, so that its failure does not end the process. */
export function atOnce(told: unknown): string | undefined {
  if (!(told instanceof Promise)) return told as string | undefined
  told.catch(() => {})
  throw new KeywardError('CONFIG', 'address gave a promise; look up what it needs before')
}
