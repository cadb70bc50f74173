import type { KeyStore, Spend, Taken } from '../../src/model/store.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

/** One mistake each with counters, balances and bulk changes, and all checks that fail for it: no other does. */
export const BROKEN_METERS_EXACTLY: readonly BrokenStore[] = [
  {
    mistake: 'take looks, and takes later',
    found: ['take-race', 'take-large-limit'],
    change: (good) =>
      windowsOnly(good, async (id, version, spend, now) => {
        const windows = spend.windows.map((window) => ({ ...window, cost: 0 }))
        const look = at(good.take(id, version, { windows, cost: 0 }, now))
        await null
        const taken = at(good.take(id, version, spend, now))
        if (taken.ok !== false || look.ok !== true) return taken
        const hadRoom = look.readings.every(({ remaining }, i) => remaining >= (spend.windows[i]?.cost ?? spend.cost))
        return hadRoom ? { ok: true, readings: taken.readings } : taken
      }),
  },
  {
    mistake: 'take takes one unit when it refuses',
    found: ['take-all-or-none', 'window-cost', 'window-cost-too-high', 'window-own-cost'],
    change: (good) =>
      windowsOnly(good, (id, version, spend, now) => {
        const taken = at(good.take(id, version, spend, now))
        for (const { cost: _, ...window } of taken.ok === false ? spend.windows : [])
          good.take(id, version, { windows: [window], cost: 1 }, now)
        return taken
      }),
  },
  {
    mistake: 'take takes from the windows that have room when another refuses',
    found: ['take-all-or-none', 'window-cost-too-high', 'window-own-cost'],
    change: (good) =>
      windowsOnly(good, (id, version, spend, now) => {
        const taken = at(good.take(id, version, spend, now))
        for (const window of taken.ok === false ? spend.windows : [])
          good.take(id, version, { windows: [window], cost: spend.cost }, now)
        return taken
      }),
  },
  {
    mistake: 'take ignores the version',
    found: ['take-version', 'take-version-unlimited', 'revoke-beats-take'],
    change: (good) =>
      windowsOnly(good, (id, _, spend, now) => good.take(id, at(good.find(id))?.version ?? 0, spend, now)),
  },
  {
    mistake: 'what was counted never leaves: the time of the first take is kept',
    found: ['window-slides'],
    change: (good) => {
      const first = new Map<string, number>()
      return windowsOnly(good, (id, version, spend, now) => {
        if (!first.has(id)) first.set(id, now)
        return good.take(id, version, spend, first.get(id) ?? now)
      })
    },
  },
  {
    mistake: 'take counts in seconds what the caller tells in milliseconds',
    found: ['window-times', 'window-slides'],
    change: (good) =>
      windowsOnly(good, (id, version, spend, now) => good.take(id, version, spend, Math.floor(now / 1000))),
  },
  {
    mistake: 'counters begin anew with every version',
    found: ['take-replace', 'credits-race-windows'],
    change: (good) =>
      windowsOnly(good, (id, version, { windows, cost }, now) => {
        const names = windows.map(({ name }) => name)
        const apart = windows.map((window) => ({ ...window, name: `${window.name} ${version}` }))
        return renamed(at(good.take(id, version, { windows: apart, cost }, now)), names)
      }),
  },
  {
    mistake: 'remove leaves the counters to the next key of that id',
    found: ['take-remove'],
    change: (good) => {
      const taken = new Map<string, Spend>()
      return {
        ...windowsOnly(good, (id, version, spend, now) => {
          const answer = good.take(id, version, spend, now)
          if (at(answer).ok) taken.set(id, spend)
          return answer
        }),
        insert: (key) => {
          good.insert(key)
          const before = taken.get(key.id)
          if (before !== undefined) good.take(key.id, key.version, before, Date.now())
        },
      }
    },
  },
  {
    mistake: 'revokeWhere keeps the version',
    found: [
      'revoke-writes',
      'revoke-beats-replace',
      'revoke-no-reason',
      'revoke-only-matching',
      'revoke-race',
      'revoke-beats-take',
    ],
    change: (good) => ({
      revokeWhere: (filter, time, reason) => {
        const before = at(good.list({ ...filter, limit: 1_000 })).items
        const count = good.revokeWhere(filter, time, reason)
        for (const { id, version } of before) {
          const key = at(good.find(id))
          if (key !== undefined && key.version !== version) good.replace({ ...key, version }, key.version)
        }
        return count
      },
    }),
  },
  {
    mistake: 'settling charges twice when it is asked twice',
    found: ['move-settle-again', 'move-settle-gone', 'move-release'],
    change: (good) => {
      const settled = new Map<string, number>()
      return {
        move: (credit, now) => {
          const moved = at(good.move(credit, now))
          if (credit.settle === undefined) return moved
          const name = `${credit.account} ${credit.settle.id}`
          const charged = settled.get(name)
          settled.set(name, moved.charged ?? 0)
          if (charged === undefined || charged === 0) return moved
          const { account, opening } = credit
          const again = { id: `again ${Math.random()}`, amount: charged, until: credit.settle.until }
          return at(good.move({ account, opening, settle: again }, now))
        },
      }
    },
  },
  {
    mistake: 'releasing gives back what was settled',
    found: ['move-release'],
    change: (good) => {
      const settled = new Map<string, number>()
      return {
        move: (credit, now) => {
          const moved = at(good.move(credit, now))
          if (credit.settle !== undefined) settled.set(`${credit.account} ${credit.settle.id}`, moved.charged ?? 0)
          const back = credit.release === undefined ? undefined : settled.get(`${credit.account} ${credit.release}`)
          if (back === undefined) return moved
          return at(good.move({ account: credit.account, opening: credit.opening, add: back }, now))
        },
      }
    },
  },
]

/** A `take` that differs where no credit is taken. */
function windowsOnly(good: Verbs, take: Verbs['take']): Pick<KeyStore, 'take'> {
  return {
    take: (id, version, spend, now) => (spend.credits === undefined ? take : good.take)(id, version, spend, now),
  }
}

function renamed(taken: Taken, names: readonly string[]): Taken {
  if (taken.ok === undefined) return taken
  return { ...taken, readings: taken.readings.map((reading, i) => ({ ...reading, name: names[i] ?? '' })) }
}
