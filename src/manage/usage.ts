import { KeywardError } from '../model/errors.ts'
import { iso } from '../model/iso.ts'
import type { KeyRecord, StoredKey } from '../model/key.ts'
import type { Reading } from '../model/verdict.ts'
import { effectiveWindows } from '../policy/limits.ts'
import { areReadings, isStale, isTime, shownReadings } from '../policy/readings.ts'
import { untilAtRest } from './at-rest.ts'
import { existing } from './found.ts'
import { balanceOf, type Office } from './office.ts'

/** How much a key was used, and what it has left now. */
export interface Usage {
  /** Approximate, as in the record: uses are noted within a second. */
  readonly uses: number
  readonly lastUsedAt: KeyRecord['lastUsedAt']
  /** Every window of the key, as it is now; those that a route adds are known to the route alone. */
  readonly readings: readonly Reading[]
  /** What is free of the balance that the key is charged to; `undefined` where there is none. */
  readonly balance: number | undefined
}

/** Looks and takes nothing: a take that costs nothing reads. */
export async function usage(office: Office, id: string, by: unknown): Promise<Usage> {
  const conditions = office.input.by(by)
  return untilAtRest(async () => {
    const stored = await existing(office, id, conditions)
    const readings = await readingsOf(office, stored)
    if (readings === undefined) return undefined
    const { uses = 0, lastUsedAt } = stored
    const last = lastUsedAt === undefined ? undefined : iso(lastUsedAt)
    return { uses, lastUsedAt: last, readings, balance: await balanceOf(office, stored) }
  })
}

/** @returns `undefined` where the key has changed meanwhile */
async function readingsOf(office: Office, stored: StoredKey): Promise<readonly Reading[] | undefined> {
  const windows = effectiveWindows(stored.limits, office.plan)
  if (windows.length === 0) return []
  const asked = office.steady()
  const taken = await office.take(stored.id, stored.version, { windows, cost: 0 }, asked)
  if (isStale(taken)) return undefined
  const { readings, at = asked } = taken
  if (!areReadings(readings, windows) || !isTime(at)) {
    throw new KeywardError('STORE', "the store's take answered no readings")
  }
  return shownReadings(readings, office.now() - at)
}
