import assert from 'node:assert/strict'
import type { Options } from 'express-rate-limit'
import type { Redis } from 'ioredis'
import { type ApiKeys, createApiKeys, type KeyStore, type Limits, type Verdict } from 'keyward'
import { redisStore } from 'keyward/redis'
import { type RedisReply, RedisStore } from 'rate-limit-redis'
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible'
import type { Errand } from './flight.ts'

/** Calls go round over so many keys. */
const KEYS = 5_000
/** As of a real service. The first is counted use by use, the second in sub-windows. */
const LIMITS: Limits = { minute: 100, hour: 1_000 }
/** So high that one key is never refused. */
const HIGH: Limits = { minute: 1e9, hour: 2e9 }
/** Full for longer than the run lasts. */
const LONG: Limits = { hour: 100, day: 1_000 }

const EMPTY = 'return 1'

export const GET = 'GET'
export const EMPTY_SCRIPT = 'an empty script'

/** The least that a client can ask: what every ratio is a multiple of. */
async function floor(client: Redis, name = ''): Promise<readonly Errand[]> {
  const sha = String(await client.script('LOAD', EMPTY))
  await client.set('bench:value', 'x'.repeat(50))
  return [
    {
      name: GET + name,
      check: async () => assert.equal(await client.get('bench:value'), 'x'.repeat(50)),
      call: () => client.get('bench:value'),
      isRight: (answer) => typeof answer === 'string',
    },
    {
      name: EMPTY_SCRIPT + name,
      check: async () => assert.equal(await client.evalsha(sha, 0), 1),
      call: () => client.evalsha(sha, 0),
      isRight: (answer) => answer === 1,
    },
  ]
}

export const MANY_KEYS = 'Keyward: verify, two windows, many keys'
export const LEASED = 'Keyward: verify, two windows, one hot key, leases of 100'
/** What is there beside each of Keyward's, and is asked of a server in no other way. */
export const PEERS = 'peers'

/** What is asked side by side, by the name of the process: a server has one configuration, and the engine compiles for what it sees. */
export const ERRANDS: Readonly<Record<string, (client: Redis) => Promise<readonly Errand[]>>> = {
  [PEERS]: peers,
  [MANY_KEYS]: (client) => keyward(client, MANY_KEYS, LIMITS, { keys: KEYS }),
  'Keyward: verify, two windows, one hot key': (client) =>
    keyward(client, 'Keyward: verify, two windows, one hot key', HIGH),
  'Keyward: verify, one hot key, windows full (refused)': (client) =>
    keyward(client, 'Keyward: verify, one hot key, windows full (refused)', LONG, { used: 100 }),
  [LEASED]: (client) => keyward(client, LEASED, HIGH, { lease: 100, times: 10 }),
}

async function peers(client: Redis): Promise<readonly Errand[]> {
  const pipelining = client.duplicate({ enableAutoPipelining: true })
  return [
    ...(await floor(client)),
    ...(await floor(pipelining, ', enableAutoPipelining')),
    flexible(client),
    rateLimitRedis(client),
  ]
}

interface Scenario {
  readonly keys?: number
  /** Uses of each key before the first that is timed: a full window refuses all that follow. */
  readonly used?: number
  readonly lease?: number
  readonly times?: number
}

/** Beside the floor that it is a multiple of. */
async function keyward(client: Redis, name: string, limits: Limits, scenario: Scenario = {}) {
  const store = redisStore(client, { timeout: 20_000 })
  await checkLimits(store)
  const { keys = 1, used = 0, lease, times = 1 } = scenario
  const errand = await verifying(name, instance(store, limits, lease), keys, used)
  return [...(await floor(client)), { ...errand, times }]
}

async function verifying(name: string, keys: ApiKeys, count: number, used: number): Promise<Errand> {
  const texts: string[] = []
  for (let n = 0; n < count; n++) texts.push((await keys.create({ owner: `acct_${n}` })).key)
  const admits = used === 0
  return {
    name,
    async check() {
      for (let use = 0; use < used; use++) assert(isAdmitted(await keys.verify(texts[0] ?? '')))
      for (const text of texts) assert.equal(codeOf(await keys.verify(text)), admits ? 'admitted' : 'rate_limited')
    },
    call: (n) => keys.verify(texts[n % count] ?? ''),
    isRight: (verdict) => isAdmitted(verdict) === admits,
  }
}

function instance(store: KeyStore, limits: Limits, lease?: number): ApiKeys {
  return createApiKeys({
    prefix: 'agk_live_',
    store,
    // A machine that does other things, too, may keep a call waiting.
    storeTimeout: 20_000,
    limits: { default: limits, ...(lease !== undefined && { lease }) },
    cache: { maxKeys: 2 * KEYS, maxLag: 60_000 },
  })
}

async function checkLimits(store: KeyStore): Promise<void> {
  for (const limits of [
    { minute: 2, hour: 9 },
    { minute: 9, hour: 2 },
  ]) {
    const keys = instance(store, limits)
    const { key, record } = await keys.create({ owner: 'acct_check' })
    const codes: string[] = []
    for (let use = 0; use < 3; use++) codes.push(codeOf(await keys.verify(key)))
    await keys.revoke(record.id)
    codes.push(codeOf(await keys.verify(key)))
    assert.deepEqual(codes, ['admitted', 'admitted', 'rate_limited', 'revoked'])
  }
}

function isAdmitted(verdict: unknown): boolean {
  return (verdict as Verdict).ok
}

function codeOf(verdict: Verdict): string {
  return verdict.ok ? 'admitted' : verdict.code
}

/** Two windows of fixed length each; no key is verified, so this is only a part of the work. */
function flexible(client: Redis): Errand {
  const limiters = (prefix: string, points: number) =>
    [60, 3600].map(
      (duration) => new RateLimiterRedis({ storeClient: client, keyPrefix: `${prefix}${duration}`, points, duration }),
    )
  const consume = (all: readonly RateLimiterRedis[], key: string) =>
    Promise.all(all.map((limiter) => limiter.consume(key)))
  const high = limiters('flexible', 1e9)
  return {
    name: 'rate-limiter-flexible: two windows, many keys, no key verified',
    async check() {
      const low = limiters('flexible-check', 2)
      await consume(low, 'key')
      await consume(low, 'key')
      await assert.rejects(consume(low, 'key'), (refusal) => (refusal as RateLimiterRes).remainingPoints === 0)
    },
    call: (n) => consume(high, `key${n % KEYS}`),
    isRight: (answer) => (answer as readonly RateLimiterRes[]).every(({ remainingPoints }) => remainingPoints > 0),
  }
}

/** The same for the store of express-rate-limit, which counts and leaves the comparison to the middleware. */
function rateLimitRedis(client: Redis): Errand {
  const stores = [60_000, 3_600_000].map((windowMs) => {
    const store = new RedisStore({
      sendCommand: (command, ...args) => client.call(command, ...args) as Promise<RedisReply>,
      prefix: `rlr:${windowMs}:`,
    })
    store.init({ windowMs } as Options)
    return store
  })
  const increment = (key: string) => Promise.all(stores.map((store) => store.increment(key)))
  return {
    name: 'rate-limit-redis: two windows, many keys, no key verified',
    async check() {
      const hits: number[][] = []
      for (let use = 0; use < 2; use++) hits.push((await increment('check')).map(({ totalHits }) => totalHits))
      assert.deepEqual(hits, [
        [1, 1],
        [2, 2],
      ])
    },
    call: (n) => increment(`key${n % KEYS}`),
    isRight: (answer) => (answer as readonly { totalHits: number }[]).every(({ totalHits }) => totalHits > 0),
  }
}
