import { KeywardError } from '../model/errors.ts'
import type { KeyStore } from '../model/store.ts'
import { insert, remove, replace, touch } from './redis/changes.ts'
import { commandConnection, isCluster, onEnd, type RedisClient } from './redis/client.ts'
import { lineOver } from './redis/connection.ts'
import { namesIn } from './redis/keys.ts'
import { lease } from './redis/lease.ts'
import { list, revokeWhere } from './redis/list.ts'
import { notesOver } from './redis/notes.ts'
import { parseRedisOptions, type RedisStoreOptions } from './redis/options.ts'
import { changesOver, replicatedChanges } from './redis/replicas.ts'
import { move, take } from './redis/take.ts'
import { takesApart, takesTogether } from './redis/together.ts'
import { watchOver } from './redis/watch.ts'

export type { RedisClient } from './redis/client.ts'
export type { RedisStoreOptions } from './redis/options.ts'

/**
 * Keys in Redis (6.2 or newer, Valkey), standalone, behind Sentinel or on a Cluster, through a client of ioredis 5 or 6.
 *
 * The store works on connections of its own, which the client's `duplicate` makes when they are first needed, so that
 * the client's settings for queues and retries cannot make a request wait, or be charged twice. They are given up when
 * the client is closed, and for good by `store.close()`. Limits and credits go by the server's clock; one `take` is one command.
 *
 * @throws {KeywardError} `CONFIG` for a wrong client or option. Verbs throw `CONFLICT` and `STORE` as `KeyStore` says,
 * and `INPUT` for a cursor that no page gave and for a key above 128 KiB; after `close`, they throw `STORE`.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): KeyStore {
  const { namespace, channel, timeout, replicas } = parseRedisOptions(client, options)
  const names = namesIn(namespace, channel)
  const connection = commandConnection(client, timeout)
  const line = lineOver(connection, timeout)
  const { run } = line
  const oneSlot = !isCluster(client)
  // What lies in several slots of a Cluster cannot go in one command.
  const runTake = oneSlot ? takesTogether(line.runAtOnce) : takesApart(run)
  const till = { run, runTake, names, oneSlot }
  const plain = changesOver(run, names)
  const changing = replicas === 0 ? undefined : lineOver(commandConnection(client, timeout), timeout)
  const { change, find } =
    changing === undefined ? plain : replicatedChanges(run, changing, names, { replicas, timeout })
  const watches = new Set<() => void>()
  let isClosed = false
  const close = (): void => {
    isClosed = true
    forgetEnd()
    for (const stop of watches) stop()
    watches.clear()
    line.close()
    changing?.close()
  }
  const forgetEnd = onEnd(client, () => {
    line.rest()
    changing?.rest()
  })

  return {
    find,
    insert: (key) => change(key.id, (send) => insert(send, names, key)),
    replace: (key, ifVersion) => change(key.id, (send) => replace(send, names, key, ifVersion)),
    remove: (id) => change(id, (send) => remove(send, names, id)),
    list: (query) => list(run, names, query),
    touch: (marks) => touch(run, names, oneSlot, marks),
    take(id, version, spend, now) {
      // Not async: a promise of a promise is waited for twice, on every request.
      try {
        return take(till, id, version, spend, now)
      } catch (error) {
        return Promise.reject(error)
      }
    },
    lease: async (id, version, spend) => lease(till, id, version, spend),
    move: (credit, now) => move(till, credit, now),
    revokeWhere: (filter, at, reason) => change(undefined, (send) => revokeWhere(send, names, filter, at, reason)),
    ...notesOver(run, names),
    async watch(onChange, onFault) {
      if (typeof onChange !== 'function') throw new KeywardError('CONFIG', 'watch of redisStore needs a function')
      if (isClosed) throw new KeywardError('STORE', 'the Redis store is closed')
      const stop = watchOver({ client, commands: connection, line, channel, timeout, onChange, onFault })
      watches.add(stop)
      return async () => {
        watches.delete(stop)
        stop()
      }
    },
    close,
  }
}
