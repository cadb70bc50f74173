import type { Decision } from '../guard.ts'

/** A client that hung up while the store was asked is not handed to the handler: there is nobody to answer. */
export async function unlessGone(asked: Promise<Decision>, signal: AbortSignal | undefined): Promise<Decision> {
  const decision = await asked
  if (decision.answer !== undefined || signal?.aborted !== true) return decision
  decision.release?.()
  throw signal.reason
}
