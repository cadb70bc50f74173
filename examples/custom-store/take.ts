import type { KeyStore, SpendWindow, StoredKey } from 'keyward'
import type { Journal } from './journal.ts'
import { journalStore } from './store.ts'

/** Uses of a window, the oldest first: when, and how many. */
type Log = readonly (readonly [at: number, units: number])[]

/** The same store with `take`: limits hold for whoever shares it, and a key with limits obeys every change at once. */
export function countingStore(journal: Journal): KeyStore {
  const store = journalStore(journal)
  return {
    ...store,
    remove(id) {
      journal.put(`uses ${id}`, undefined)
      return store.remove(id)
    },

    // One step, as in replace: proves the version, looks at all windows, takes from each of them or from none.
    take(id, version, { windows, cost }, now) {
      const key = structuredClone(journal.get(`key ${id}`)) as StoredKey | undefined
      if (key?.version !== version) return { stale: key }
      const logs = (journal.get(`uses ${id}`) ?? {}) as Readonly<Record<string, Log>>
      const look = (own?: number) =>
        windows.map((window) => stateOf(logs[nameOf(window)] ?? [], window, own ?? window.cost ?? cost, now))
      const states = look()
      const full = states.filter(({ fits }) => !fits)
      if (full.length > 0) {
        const readings = look(0).map(({ reading }) => reading)
        const retryAt = Math.max(...full.map((one) => one.retryAt))
        return retryAt === Number.POSITIVE_INFINITY ? { ok: false, readings } : { ok: false, readings, retryAt }
      }
      const after = Object.fromEntries(windows.map((window, i) => [nameOf(window), states[i]?.log]))
      journal.put(`uses ${id}`, { ...logs, ...after }, false)
      return { ok: true, readings: states.map(({ reading }) => reading) }
    },
  }
}

const nameOf = ({ name, ms }: SpendWindow) => `${name} ${ms}`
const unitsOf = (log: Log) => log.reduce((sum, [, units]) => sum + units, 0)

/** A window with `cost` taken from it, or as it is where that does not fit. */
function stateOf(all: Log, { name, limit, ms }: SpendWindow, cost: number, now: number) {
  const live = all.filter(([at]) => at > now - ms)
  const fits = cost === 0 || unitsOf(live) + cost <= limit
  // Up to 1 % late, never early: a log has no more than 97 entries, whatever the limit is.
  const at = limit <= 96 ? now : Math.ceil((Math.ceil((now * 96) / ms) * ms) / 96)
  const last = live.at(-1)?.[0] === at ? live.at(-1) : undefined
  const log: Log = fits && cost > 0 ? [...live.slice(0, last && -1), [at, cost + (last?.[1] ?? 0)]] : live
  const used = unitsOf(log)
  const resetsAt = used === 0 ? now : leavesAt(log, Math.max(1, used - limit + 1)) + ms
  const retryAt = cost > limit ? Number.POSITIVE_INFINITY : leavesAt(live, unitsOf(live) + cost - limit) + ms
  return { fits, log, retryAt, reading: { name, limit, remaining: Math.max(0, limit - used), resetsAt } }
}

/** When the use happened with whose end so many units, from the oldest on, are free again. */
function leavesAt(log: Log, units: number): number {
  return log.find((_, i) => unitsOf(log.slice(0, i + 1)) >= units)?.[0] ?? 0
}
