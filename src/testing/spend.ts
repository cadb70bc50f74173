import type { Window } from '../model/limits.ts'
import type { LeaseSpend, MeterReading, Spend, SpendWindow, Taken } from '../model/store.ts'
import { type Bench, randomText } from './check-bench.ts'

export const HOUR = 3_600_000
const NOT_STALE = 'answer { ok } when the version is the current one (got { stale })'

export function window(name: string, limit: number, ms: number = HOUR): Window {
  return { name, limit, ms }
}

export function spendOf(windows: readonly SpendWindow[], cost = 1): Spend {
  return { windows, cost }
}

/** A new lease, a minute long. */
export function leaseOf(windows: readonly Window[], cost: number, ms = 60_000): LeaseSpend {
  return { windows, cost, lease: { id: randomText(), ms } }
}

/** Whether it was admitted; a stale answer is a failure of the check. */
export function takes(taken: Taken): boolean {
  if (taken.ok === undefined) throw new Error(NOT_STALE)
  return taken.ok
}

/** The readings of an answer, which must not be stale. */
export function readings(taken: Taken): readonly MeterReading[] {
  if (taken.ok === undefined) throw new Error(NOT_STALE)
  return taken.readings
}

/** What remains in each window. */
export function remaining(taken: Taken): readonly number[] {
  return readings(taken).map((reading) => reading.remaining)
}

/** The two verbs on a key of its own: whether it was admitted, and what remains. */
export async function metering({ store, added }: Bench): Promise<{
  lease(spend: LeaseSpend): Promise<readonly unknown[]>
  take(spend: Spend): Promise<readonly unknown[]>
}> {
  const { id, version } = await added()
  const shown = (taken: Taken): readonly unknown[] => [takes(taken), ...remaining(taken)]
  return {
    lease: async (spend) => shown(await store.lease(id, version, spend, Date.now())),
    take: async (spend) => shown(await store.take(id, version, spend, Date.now())),
  }
}
