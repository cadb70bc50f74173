import type { LeaseSpend } from '../../src/model/store.ts'
import { at, type BrokenStore } from './broken-store.ts'

/** Mistakes with leases. */
export const BROKEN_LEASES: readonly BrokenStore[] = [
  {
    mistake: 'lease counts what it leases as used at once, not when it is over',
    found: ['lease-later-small', 'lease-later-large', 'lease-times'],
    change: (good) => ({
      lease: (id, version, { lease: _, ended: __, ...spend }, now) => good.take(id, version, spend, now),
    }),
  },
  {
    mistake: 'lease never gives back',
    found: ['lease-ended', 'lease-ended-once', 'lease-ended-other', 'lease-renewed', 'lease-ended-stale', 'lease-many'],
    change: (good) => ({ lease: (id, version, { ended: _, ...spend }, now) => good.lease(id, version, spend, now) }),
  },
  {
    mistake: 'lease gives back as often as it is asked to',
    found: ['lease-ended-once'],
    change: (good) => {
      const ended = new Set<string>()
      return {
        lease: (id, version, spend, now) => {
          const { lease, cost } = spend
          if (lease !== undefined && cost > 1) {
            // Two for one: the second lets itself be ended once more.
            good.lease(id, version, { ...spend, cost: cost - 1 }, now)
            const spare = { ...lease, id: `${lease.id}again` }
            return good.lease(id, version, { windows: spend.windows, cost: 1, lease: spare }, now)
          }
          const again = spend.ended !== undefined && ended.has(spend.ended.id)
          if (spend.ended !== undefined) ended.add(spend.ended.id)
          const late = spend.ended && { ...spend.ended, id: `${spend.ended.id}again` }
          return good.lease(id, version, again && late ? { ...spend, ended: late } : spend, now)
        },
      }
    },
  },
  {
    mistake: 'lease gives back whatever it is told, also more than it leased',
    found: ['lease-ended-other', 'lease-ended-over', 'lease-ended-once'],
    change: (good) => {
      const free = new Map<string, number>()
      return {
        lease: (id, version, spend, now) => {
          free.set(id, (free.get(id) ?? 0) + (spend.ended?.unused ?? 0))
          const { ended: _, ...rest } = spend
          const taken = at(good.lease(id, version, rest, now))
          if (taken.ok === undefined) return taken
          const readings = taken.readings.map((reading) => ({
            ...reading,
            remaining: reading.remaining + (free.get(id) ?? 0),
          }))
          return { ...taken, readings }
        },
      }
    },
  },
  {
    mistake: 'lease gives nothing back under a version that is not current',
    found: ['lease-ended-stale'],
    change: (good) => ({
      lease: (id, version, spend, now) => {
        const key = at(good.find(id))
        return key?.version === version ? good.lease(id, version, spend, now) : { stale: key }
      },
    }),
  },
  {
    mistake: 'lease gives nothing back where the next one does not fit',
    found: ['lease-renewed'],
    change: (good) => ({
      lease: (id, version, spend, now) => {
        const looked = at(good.lease(id, version, { windows: spend.windows, cost: 0 }, now))
        if (looked.ok === undefined) return good.lease(id, version, spend, now)
        const { ended, ...rest } = spend
        const room = Math.min(...looked.readings.map(({ remaining }) => remaining)) + (ended?.unused ?? 0)
        return good.lease(id, version, room < spend.cost ? rest : spend, now)
      },
    }),
  },
  {
    mistake: 'lease ignores the version',
    found: ['lease-version', 'lease-ended-stale'],
    change: (good) => ({
      lease: (id, _, spend, now) => good.lease(id, at(good.find(id))?.version ?? 0, spend, now),
    }),
  },
  {
    mistake: 'lease lets leases push out what was used before them',
    found: ['lease-ahead'],
    change: (good) => ({
      // The clock of the window runs ahead to the end of the lease.
      lease: (id, version, spend, now) => {
        const answer = good.lease(id, version, spend, now)
        good.take(id, version, { windows: spend.windows, cost: 0 }, now + (spend.lease?.ms ?? 0))
        return answer
      },
    }),
  },
  {
    mistake: 'lease takes what does not fit',
    found: ['lease-counts', 'lease-race'],
    change: (good) => ({
      lease: (id, version, spend, now) => {
        const raised = { ...spend, windows: spend.windows.map((window) => ({ ...window, limit: window.limit + 5 })) }
        return good.lease(id, version, raised, now)
      },
    }),
  },
  {
    mistake: 'lease knows only one lease of a window',
    found: ['lease-many', 'lease-ended-other'],
    change: (good) => {
      const last = new Map<string, string>()
      return {
        lease: (id, version, spend, now) => {
          const { ended, ...rest } = spend
          if (spend.lease !== undefined) last.set(id, spend.lease.id)
          return good.lease(id, version, ended?.id === last.get(id) ? spend : rest, now)
        },
      }
    },
  },
  {
    mistake: 'lease takes numbers as they come',
    found: ['lease-wrong'],
    change: (good) => ({ lease: (id, version, spend, now) => good.lease(id, version, tamed(spend), now) }),
  },
]

function tamed(spend: LeaseSpend): LeaseSpend {
  const cost = Number.isInteger(spend.cost) && spend.cost >= 0 ? spend.cost : 1
  return { windows: spend.windows, cost, lease: { id: spend.lease?.id ?? 'anybody', ms: 1_000 } }
}
