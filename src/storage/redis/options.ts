import { KeywardError } from '../../model/errors.ts'
import { isObject } from '../../model/is-object.ts'
import { show } from '../../model/redact.ts'
import { isWhole } from '../../model/whole.ts'
import { optionsOf } from '../store-options.ts'
import { type ClientOptions, isCluster, keyPrefixOf, type RedisClient } from './client.ts'

export interface RedisStoreOptions {
  /**
   * What the names of all its keys and its channel begin with: 1 to 64 of `A-Z a-z 0-9 _ . : -`. Stores of one
   * namespace on one database are one store.
   * @default 'keyward'
   */
  readonly namespace?: string
  /**
   * How long one command may take, ms, whatever the client's own settings are. `storeTimeout` of `createApiKeys` holds
   * beside it.
   * @default 1000
   */
  readonly timeout?: number
  /**
   * How many replicas must have a change of a key before it is acknowledged (`WAIT`), at most 100: where there are not
   * enough within half of `timeout`, it throws `STORE` with `outcome: 'unknown'`. Not for a Cluster.
   * @default 0: a failover may take back the last changes, a revocation among them
   */
  readonly replicas?: number
}

interface RedisSettings {
  readonly namespace: string
  readonly channel: string
  readonly timeout: number
  readonly replicas: number
}

const NAMESPACE = /^[\w.:-]{1,64}$/
const LONGEST_WAIT = 60_000
const MOST_REPLICAS = 100

/** @throws KeywardError `CONFIG` */
export function parseRedisOptions(client: unknown, options: RedisStoreOptions): RedisSettings {
  checkClient(client)
  const given = optionsOf('redisStore', options, ['namespace', 'timeout', 'replicas'])
  const { namespace = 'keyward', timeout = 1_000, replicas = 0 } = given
  if (typeof namespace !== 'string' || !NAMESPACE.test(namespace)) {
    throw wrong('namespace', `must be 1 to 64 of A-Z a-z 0-9 _ . : -, not ${show(namespace)}`)
  }
  if (!isWhole(timeout, 1, LONGEST_WAIT)) {
    throw wrong('timeout', `must be a whole number from 1 to ${LONGEST_WAIT} (ms), not ${show(timeout)}`)
  }
  if (!isWhole(replicas, 0, MOST_REPLICAS)) {
    throw wrong('replicas', `must be a whole number from 0 to ${MOST_REPLICAS}, not ${show(replicas)}`)
  }
  if (replicas > 0 && isCluster(client)) {
    throw wrong('replicas', 'is for one primary: on a Cluster each has its own. Set min-replicas-to-write there.')
  }
  return { namespace, timeout, replicas, channel: `${keyPrefixOf(client)}${namespace}:changes` }
}

/** Nothing of the client is shown: its options hold a password. */
function checkClient(client: unknown): asserts client is RedisClient {
  const { duplicate, on, evalsha, options } = Object(client) as Partial<RedisClient>
  const methods: readonly unknown[] = [duplicate, on, evalsha]
  if (!methods.every((method) => typeof method === 'function') || !isObject(options)) {
    throw new KeywardError('CONFIG', 'redisStore takes a client of ioredis: redisStore(new Redis(url))')
  }
  const { role, redisOptions } = options as ClientOptions
  if (role === 'slave' || redisOptions?.role === 'slave') {
    throw new KeywardError('CONFIG', "the client of redisStore must write: take out its option role: 'slave'")
  }
}

function wrong(path: string, message: string): KeywardError {
  return new KeywardError('CONFIG', `${path} of redisStore ${message}`, { issues: [{ path, message }] })
}
