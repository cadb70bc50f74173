import type { StoredKey } from '../../src/model/key.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

/** Mistakes with the counters of windows. */
export const BROKEN_TAKES: readonly BrokenStore[] = [
  {
    mistake: 'take ignores the version',
    found: ['take-version', 'take-version-unlimited'],
    change: (good) => ({ take: (id, _, spend, now) => good.take(id, at(good.find(id))?.version ?? 0, spend, now) }),
  },
  {
    mistake: 'take believes for ever what it proved once',
    found: ['take-version'],
    change: (good) => {
      const proved = new Set<string>()
      return {
        take(id, version, spend, now) {
          const current = at(good.find(id))?.version ?? version
          const taken = at(good.take(id, proved.has(`${id} ${version}`) ? current : version, spend, now))
          if (taken.ok) proved.add(`${id} ${version}`)
          return taken
        },
      }
    },
  },
  {
    mistake: 'take takes from the windows one by one',
    found: ['take-all-or-none', 'window-cost-too-high'],
    change: (good) => ({
      take: (id, version, { windows, cost }, now) => {
        const each = windows.map((window) => at(good.take(id, version, { windows: [window], cost }, now)))
        const stale =
          each.find((taken) => taken.stale !== undefined) ?? at(good.take(id, version, { windows: [], cost }, now))
        if (stale.ok === undefined) return stale
        const readings = each.flatMap((taken) => (taken.ok === undefined ? [] : taken.readings))
        return { ok: each.every((taken) => taken.ok), readings }
      },
    }),
  },
  {
    mistake: 'take looks first, and takes later',
    found: ['take-race', 'take-large-limit'],
    change: (good) => ({
      take: async (id, version, spend, now) => {
        const look = at(good.take(id, version, { ...spend, cost: 0 }, now))
        await null
        if (look.ok === undefined || look.readings.some(({ remaining }) => remaining < spend.cost)) {
          return good.take(id, version, spend, now)
        }
        good.take(id, version, spend, now)
        return look
      },
    }),
  },
  {
    mistake: 'take lets one too many pass',
    found: ['take-exact', 'take-race', 'window-limit-zero'],
    change: (good) => ({
      take: (id, version, { windows, cost }, now) =>
        good.take(
          id,
          version,
          { windows: windows.map((window) => ({ ...window, limit: window.limit + 1 })), cost },
          now,
        ),
    }),
  },
  {
    mistake: 'take counts a cost as one',
    found: ['window-cost', 'take-large-limit'],
    change: (good) => ({
      take: (id, version, spend, now) => good.take(id, version, { ...spend, cost: Math.min(spend.cost, 1) }, now),
    }),
  },
  {
    mistake: 'take counts a refusal, too',
    found: ['take-all-or-none', 'window-cost'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const taken = at(good.take(id, version, spend, now))
        for (const window of spend.windows)
          if (taken.ok === false) good.take(id, version, { windows: [window], cost: 1 }, now)
        return taken
      },
    }),
  },
  {
    mistake: 'take takes one at cost 0',
    found: ['window-cost-zero'],
    change: (good) => ({
      take: (id, version, spend, now) => good.take(id, version, { ...spend, cost: spend.cost || 1 }, now),
    }),
  },
  {
    mistake: 'take takes limit 0 for none',
    found: ['window-limit-zero'],
    change: (good) => ({
      take: (id, version, { windows, cost }, now) =>
        good.take(id, version, { windows: windows.filter(({ limit }) => limit > 0), cost }, now),
    }),
  },
  {
    mistake: 'take counts in fixed windows',
    found: ['window-times'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const start = (ms: number) => Math.floor(now / ms) * ms
        const windows = spend.windows.map((window) => ({ ...window, name: `${window.name} ${start(window.ms)}` }))
        const taken = at(good.take(id, version, { ...spend, windows }, now))
        if (taken.ok === undefined) return taken
        const readings = spend.windows.map((window, index) => ({
          name: window.name,
          limit: window.limit,
          remaining: taken.readings[index]?.remaining ?? 0,
          resetsAt: start(window.ms) + window.ms,
        }))
        return taken.ok ? { ok: true, readings } : { ok: false, readings, retryAt: start(1_000) + 1_000 }
      },
    }),
  },
  {
    mistake: 'counters know a window by its name alone',
    found: ['take-apart'],
    change: (good) => ({
      take: (id, version, { windows, cost }, now) =>
        good.take(id, version, { windows: windows.map((window) => ({ ...window, ms: 3_600_000 })), cost }, now),
    }),
  },
  {
    mistake: 'counters begin anew with every version',
    found: ['take-replace'],
    change: (good) => ({
      take: (id, version, { windows, cost }, now) => {
        const named = windows.map((window) => ({ ...window, name: `${window.name} ${version}` }))
        return good.take(id, version, { windows: named, cost }, now)
      },
    }),
  },
  {
    mistake: 'remove keeps the counters',
    found: ['take-remove'],
    change: (good) => {
      const counters = memoryStore() as Verbs
      return {
        take: (id, version, spend, now) => {
          const proof = good.take(id, version, { windows: [], cost: 0 }, now)
          if (at(proof).ok === undefined) return proof
          if (counters.find(id) === undefined) counters.insert({ ...(at(good.find(id)) as StoredKey), version: 1 })
          return counters.take(id, 1, spend, now)
        },
      }
    },
  },
  {
    mistake: 'take answers no key when the version is another',
    found: ['take-version'],
    change: (good) => ({
      take: (id, version, spend, now) => {
        const taken = at(good.take(id, version, spend, now))
        return taken.ok === undefined ? { stale: undefined } : taken
      },
    }),
  },
]
