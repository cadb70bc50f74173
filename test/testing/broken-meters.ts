import type { StoredKey } from '../../src/model/key.ts'
import { at, type BrokenStore } from './broken-store.ts'

/** Mistakes with use marks, and with revoking many. */
export const BROKEN_METERS: readonly BrokenStore[] = [
  {
    mistake: 'touch writes the record under a new version',
    found: ['touch-shows'],
    change: (good) => ({
      touch: (marks) => {
        for (const { id } of marks) {
          const key = at(good.find(id))
          if (key !== undefined) good.replace({ ...key, version: key.version + 1 }, key.version)
        }
        return good.touch(marks)
      },
    }),
  },
  {
    mistake: 'touch brings a key back',
    found: ['touch-gone'],
    change: (good) => {
      const seen = new Map<string, StoredKey>()
      return {
        insert: (key) => {
          good.insert(key)
          seen.set(key.id, key)
        },
        touch: (marks) => {
          for (const { id } of marks) {
            const key = seen.get(id)
            if (good.find(id) === undefined && key !== undefined) good.insert(key)
          }
          return good.touch(marks)
        },
      }
    },
  },
  {
    mistake: 'touch moves the last use back',
    found: ['touch-forward', 'touch-many'],
    change: (good) => {
      const last = new Map<string, number>()
      return {
        touch: (marks) => {
          for (const { id, at } of marks) last.set(id, at)
          return good.touch(marks)
        },
        find: (id) => {
          const key = at(good.find(id))
          const lastUsedAt = last.get(id)
          return key === undefined || lastUsedAt === undefined ? key : { ...key, lastUsedAt }
        },
      }
    },
  },
  {
    mistake: 'touch reads the uses, and writes them later',
    found: ['touch-race'],
    change: (good) => {
      const uses = new Map<string, number>()
      return {
        touch: async (marks) => {
          for (const mark of marks) {
            const before = uses.get(mark.id) ?? 0
            await null
            uses.set(mark.id, before + mark.uses)
          }
          await good.touch(marks)
        },
        find: (id) => {
          const key = at(good.find(id))
          const counted = uses.get(id)
          return key === undefined || counted === undefined ? key : { ...key, uses: counted }
        },
      }
    },
  },
  {
    mistake: 'revokeWhere ignores the owner',
    found: ['revoke-only-matching'],
    change: (good) => ({
      revokeWhere: ({ owner: _, ...filter }, when, reason) => good.revokeWhere(filter, when, reason),
    }),
  },
  {
    mistake: 'revokeWhere keeps the version',
    found: ['revoke-writes', 'revoke-beats-replace'],
    change: (good) => {
      const versions = new Map<string, number>()
      return {
        insert: (key) => {
          good.insert(key)
          versions.set(key.id, key.version)
        },
        find: (id) => {
          const key = at(good.find(id))
          return key && { ...key, version: key.status === 'revoked' ? (versions.get(id) ?? 0) : key.version }
        },
        replace: (key, version) => good.replace(key, version) || good.replace(key, version + 1),
      }
    },
  },
  {
    mistake: 'revokeWhere revokes again',
    found: ['revoke-again'],
    change: (good) => ({
      revokeWhere: (filter, when, reason) => {
        const keys = at(good.list({ ...filter, limit: 1_000 })).items
        for (const key of keys) good.replace({ ...key, version: key.version + 1, status: 'active' }, key.version)
        return good.revokeWhere(filter, when, reason)
      },
    }),
  },
  {
    mistake: 'revokeWhere without an owner ignores the resource',
    found: ['revoke-only-matching'],
    change: (good) => ({
      revokeWhere: ({ resource, ...filter }, when, reason) =>
        good.revokeWhere(
          filter.owner === undefined || resource === undefined ? filter : { ...filter, resource },
          when,
          reason,
        ),
    }),
  },
  {
    mistake: 'revokeWhere without an owner revokes nothing',
    found: ['revoke-only-matching'],
    change: (good) => ({
      revokeWhere: (filter, when, reason) => (filter.owner === undefined ? 0 : good.revokeWhere(filter, when, reason)),
    }),
  },
  {
    mistake: 'revokeWhere looks at the first prefix alone',
    found: ['revoke-only-matching'],
    change: (good) => ({
      revokeWhere: (filter, when, reason) =>
        good.revokeWhere({ ...filter, prefixes: filter.prefixes.slice(0, 1) }, when, reason),
    }),
  },
  {
    mistake: 'revokeWhere reads the keys first, and leaves alone what changed meanwhile',
    found: ['revoke-race'],
    change: (good) => ({
      revokeWhere: async (filter, when, reason) => {
        const keys = at(good.list({ ...filter, limit: 1_000 })).items
        await null
        return keys.filter((key) => good.replace(revoked(key, key.version, when, reason), key.version)).length
      },
    }),
  },
  {
    mistake: 'revokeWhere reads the keys first, and writes them back later',
    found: ['revoke-race'],
    change: (good) => ({
      revokeWhere: async (filter, when, reason) => {
        const keys = at(good.list({ ...filter, limit: 1_000 })).items
        await null
        return keys.filter((key) => {
          const version = at(good.find(key.id))?.version ?? 0
          return good.replace(revoked(key, version, when, reason), version)
        }).length
      },
    }),
  },
  {
    mistake: 'take proves a version that revokeWhere does not move',
    found: ['revoke-beats-take'],
    change: (good) => {
      const versions = new Map<string, number>()
      return {
        insert: (key) => {
          good.insert(key)
          versions.set(key.id, key.version)
        },
        replace: (key, ifVersion) => {
          const isDone = good.replace(key, ifVersion)
          if (at(isDone)) versions.set(key.id, key.version)
          return isDone
        },
        take: (id, version, spend, now) => {
          const current = versions.get(id) === version ? at(good.find(id))?.version : undefined
          return good.take(id, current ?? version, spend, now)
        },
      }
    },
  },
]

function revoked(key: StoredKey, version: number, when: number, reason: string | undefined): StoredKey {
  const why = reason === undefined ? {} : { revokedReason: reason }
  return { ...key, version: version + 1, status: 'revoked', updatedAt: when, revokedAt: when, ...why }
}
