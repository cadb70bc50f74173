import assert from 'node:assert/strict'
import type { Redis } from 'ioredis'
import { createApiKeys } from 'keyward'
import { redisStore } from 'keyward/redis'

/** What keys take in Redis. */
export interface RedisWeight {
  readonly keys: number
  /** As created, by kind of Redis key: what is there once a record, and what is there once an owner or prefix. */
  readonly stored: readonly Kind[]
  /** The same once each key was used: with what its two windows hold. */
  readonly used: readonly Kind[]
  /** Bytes a key by `used_memory`, as created: the server's own table and the allocator's rounding with it. */
  readonly memory: number
}

interface Kind {
  readonly kind: string
  /** Redis keys of this kind. */
  readonly count: number
  /** By `MEMORY USAGE`, for each key of Keyward. */
  readonly bytes: number
}

const KEYS = 10_000
/** Keys of an owner. */
const OF_ONE = 10
/** Of a kind of which there are many, so many are weighed. */
const SAMPLE = 500
const NAMESPACE = 'weighed'

/** Keys with an owner, two scopes and two limits of their own. */
export async function weigh(client: Redis): Promise<RedisWeight> {
  const store = redisStore(client, { namespace: NAMESPACE, timeout: 20_000 })
  const keys = createApiKeys({ prefix: 'agk_live_', store, storeTimeout: 20_000 })
  const texts: string[] = []
  const before = await usedMemory(client)
  for (let n = 0; n < KEYS; n++) {
    const owner = `acct_${Math.floor(n / OF_ONE)}`
    const scopes = ['contacts:read', 'contacts:update']
    texts.push((await keys.create({ owner, scopes, limits: { minute: 60, hour: 1000 } })).key)
  }
  const memory = ((await usedMemory(client)) - before) / KEYS
  const stored = await kindsOf(client)
  for (const text of texts) assert((await keys.verify(text)).ok)
  await keys.close()
  return { keys: KEYS, stored, used: await kindsOf(client), memory }
}

async function kindsOf(client: Redis): Promise<readonly Kind[]> {
  const names = await client.keys(`${NAMESPACE}:*`)
  const kindOf = (name: string) => name.split(':')[1] ?? ''
  const kinds: Kind[] = []
  for (const kind of new Set(names.map(kindOf))) {
    const all = names.filter((name) => kindOf(name) === kind)
    const sample = all.filter((_name, at) => at % Math.ceil(all.length / SAMPLE) === 0)
    // All of its elements are looked at, none is guessed.
    const usage = (name: string) => client.memory('USAGE', name, 'SAMPLES', 0)
    const weights = (await Promise.all(sample.map(usage))).map(Number)
    const mean = weights.reduce((sum, bytes) => sum + bytes, 0) / sample.length
    kinds.push({ kind, count: all.length, bytes: (mean * all.length) / KEYS })
  }
  return kinds
}

async function usedMemory(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])
}

export function bytesOf(kinds: readonly Kind[]): number {
  return kinds.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Redis keys that are there once a record. */
export function perRecord({ keys, stored }: RedisWeight): number {
  return stored.filter(({ count }) => count >= keys).reduce((sum, { count }) => sum + count, 0) / keys
}

export function weightText(weight: RedisWeight): string {
  const { keys, stored, used, memory } = weight
  const row = ({ kind, count, bytes }: Kind) => `| ${kind} | ${count.toLocaleString('en-US')} | ${bytes.toFixed(0)} |`
  return [
    `${keys.toLocaleString('en-US')} keys with owner (${OF_ONE} each), two scopes and two limits of their own take ` +
      `${bytesOf(stored).toFixed(0)} bytes a key as created by MEMORY USAGE, indices included (${memory.toFixed(0)} by ` +
      `used_memory), ${bytesOf(used).toFixed(0)} once used; ${perRecord(weight).toFixed(2)} Redis keys a record beside the indices.`,
    '',
    '| once used | Redis keys | bytes a key |',
    '|---|--:|--:|',
    ...used.map(row),
  ].join('\n')
}
