import type { StoredKey } from '../model/key.ts'
import { type Draft, next, same } from './check-bench.ts'
import { fullKey } from './full-key.ts'
import { spendOf, window } from './spend.ts'

const AT = 1_900_000_000_000

export const REVOKE_CHECKS: readonly Draft[] = [
  {
    id: 'revoke-writes',
    name: 'revokeWhere() revokes under a new version, with time and reason, and leaves the rest as it is',
    hold: async ({ store, newKey, added, listed, owner, prefix }) => {
      const { revokedAt: _, revokedReason: __, ...key } = fullKey(newKey())
      await store.insert(key)
      const disabled = await added({ status: 'disabled' })
      const count = await store.revokeWhere({ prefixes: [prefix], owner }, AT, 'owner left')
      same(count, 2, 'answer how many keys were revoked, active and disabled ones')
      for (const before of [key, disabled]) {
        const expected = { ...revoked(before), revokedReason: 'owner left' }
        same(
          await store.find(before.id),
          expected,
          'set status, updatedAt, revokedAt, revokedReason, and add 1 to version',
        )
      }
      same(await listed({ owner, status: 'active' }), [], 'write the status for list together with the record')
    },
  },
  {
    id: 'revoke-no-reason',
    name: 'revokeWhere() without a reason sets none',
    hold: async ({ store, added, owner, prefix }) => {
      const key = await added()
      await store.revokeWhere({ prefixes: [prefix], owner }, AT)
      same(await store.find(key.id), revoked(key), 'leave revokedReason out when none is given')
    },
  },
  {
    id: 'revoke-only-matching',
    name: 'revokeWhere() touches only keys that match owner, resource and prefix, all of them',
    hold: async ({ store, added, owner, prefix }) => {
      const resource = 'agent:1'
      const key = await added({ resource })
      const others = [
        await added(),
        await added({ resource: 'Agent:1' }),
        await added({ resource, owner: `${owner}x` }),
        await added({ resource, owner: owner.toUpperCase() }),
        await added({ resource, prefix: `${prefix}x_` }),
      ]
      same(await store.revokeWhere({ prefixes: [prefix], owner, resource }, AT), 1, 'count only what was revoked')
      same(await store.find(key.id), revoked(key), 'revoke what matches')
      for (const other of others)
        same(await store.find(other.id), other, 'apply every condition of the filter, exactly')
      const prefixes = [prefix, `${prefix}x_`]
      same(await store.revokeWhere({ prefixes, owner, resource }, AT), 1, 'revoke the keys of every prefix')
      const counts = [
        await store.revokeWhere({ prefixes: [prefix], resource }, AT),
        await store.revokeWhere({ prefixes: [prefix] }, AT),
      ]
      same(counts, [2, 2], 'revoke of every owner when none is given')
    },
  },
  {
    id: 'revoke-again',
    name: 'revokeWhere() leaves keys that are revoked already as they are',
    hold: async ({ store, added, owner, prefix }) => {
      const key = await added({ status: 'revoked', revokedAt: 5, revokedReason: 'first' })
      same(await store.revokeWhere({ prefixes: [prefix], owner }, AT, 'second'), 0, 'count no key twice')
      same(await store.find(key.id), key, 'keep the time and the reason of the first revocation')
    },
  },
  {
    id: 'revoke-beats-replace',
    name: 'a replacement that was read before revokeWhere() cannot undo it',
    hold: async ({ store, added, owner, prefix }) => {
      const key = await added()
      await store.revokeWhere({ prefixes: [prefix], owner }, AT)
      const late = next(key, { name: 'renamed' })
      same(await store.replace(late, key.version), false, 'give every revoked key a new version')
      same(await store.find(key.id), revoked(key), 'let nothing bring a revoked key back')
    },
  },
  {
    id: 'revoke-race',
    name: 'revokeWhere() revokes what is replaced meanwhile, and undoes no replacement',
    hold: async ({ store, added, owner, prefix }) => {
      const keys = [await added(), await added(), await added(), await added()]
      const renamed = keys.map((key) => next(key, { name: 'renamed' }))
      const [, ...isRenamed] = await Promise.all([
        store.revokeWhere({ prefixes: [prefix], owner }, AT),
        ...keys.map(async (key, at) => store.replace(renamed[at] as StoredKey, key.version)),
      ])
      for (const [at, key] of keys.entries()) {
        const expected = revoked((isRenamed[at] ? renamed[at] : key) as StoredKey)
        same(await store.find(key.id), expected, 'revoke what is there, not what was read before')
      }
    },
  },
  {
    id: 'revoke-beats-take',
    name: 'take() under the version before revokeWhere() takes nothing',
    needs: ['revokeWhere', 'take'],
    hold: async ({ store, added, owner, prefix }) => {
      const key = await added()
      const take = () => store.take(key.id, key.version, spendOf([window('hour', 5)]), Date.now())
      await take()
      await store.revokeWhere({ prefixes: [prefix], owner }, AT)
      same(await take(), { stale: revoked(key) }, 'prove the version that revokeWhere gives')
    },
  },
]

function revoked(key: StoredKey): StoredKey {
  return { ...key, version: key.version + 1, status: 'revoked', updatedAt: AT, revokedAt: AT }
}
