import { Cluster, Redis } from 'ioredis'
import { createApiKeys, type KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { migrate, sqlStore } from 'keyward/sql'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMariadb } from '../support/mariadb.ts'
import { judged } from '../support/outcome.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis, startRedisCluster } from '../support/redis.ts'
import { connect } from './sql/databases.ts'

/** A store at a server that tells what it was asked. */
interface Counted {
  readonly store: KeyStore
  /** How many commands the server has done since it was asked for the last time. */
  count(): Promise<number>
  end(): Promise<unknown>
}

type RedisServers = readonly { readonly cli: (...command: readonly string[]) => string }[]

/** `INFO commandstats`, over all nodes; what a script calls is not sent by anybody. */
function commandsAt(servers: RedisServers): () => Promise<number> {
  return async () => {
    const told = servers.map(({ cli }) => {
      const stats = cli('info', 'commandstats').matchAll(/^cmdstat_(evalsha|eval):calls=(\d+)/gm)
      cli('config', 'resetstat')
      const calls = Object.fromEntries([...stats].map(([, name, calls]) => [name, Number(calls)]))
      // Nothing else is sent: the other commands are what the scripts do themselves.
      return (calls.evalsha ?? 0) + (calls.eval ?? 0)
    })
    return told.reduce((sum, calls) => sum + calls, 0)
  }
}

async function overRedis(): Promise<Counted> {
  const server = await startRedis()
  const client = new Redis(server.url, { lazyConnect: true })
  const store = redisStore(client, { timeout: 10_000 })
  const end = async () => {
    await store.close?.()
    client.disconnect()
    await server.stop()
  }
  return { store, count: commandsAt([server]), end }
}

async function overCluster(): Promise<Counted> {
  const cluster = await startRedisCluster()
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const client = new Cluster(nodes, { lazyConnect: true })
  const store = redisStore(client, { timeout: 10_000 })
  const end = async () => {
    await store.close?.()
    client.disconnect()
    await cluster.stop()
  }
  return { store, count: commandsAt(cluster.nodes), end }
}

/** `pg_stat_statements`. */
async function overPostgres(): Promise<Counted> {
  const server = await startPostgres(['shared_preload_libraries=pg_stat_statements'])
  const { connection } = server
  const [kysely, watching] = [
    connect({ engine: 'PostgreSQL', connection }),
    connect({ engine: 'PostgreSQL', connection }),
  ]
  await sql`CREATE EXTENSION pg_stat_statements`.execute(watching)
  const count = async () => {
    const asked = sql<{ calls: string }>`SELECT coalesce(sum(calls), 0) AS calls FROM pg_stat_statements`
    const { rows } = await asked.execute(watching)
    await sql`SELECT pg_stat_statements_reset()`.execute(watching)
    // The reset is counted after it is done.
    return Number(rows[0]?.calls) - 1
  }
  return { ...(await overSql(kysely, [kysely, watching], server)), count }
}

/** The general log. */
async function overMariadb(): Promise<Counted> {
  const server = await startMariadb(['--general-log=1', '--log-output=TABLE'])
  const { connection } = server
  const [kysely, watching] = [connect({ engine: 'MariaDB', connection }), connect({ engine: 'MariaDB', connection })]
  const count = async () => {
    const asked = sql<{ calls: string }>`SELECT count(*) AS calls FROM mysql.general_log
      WHERE command_type IN ('Query', 'Execute') AND argument NOT LIKE '%mysql.general_log%'`
    const { rows } = await asked.execute(watching)
    await sql`TRUNCATE mysql.general_log`.execute(watching)
    return Number(rows[0]?.calls)
  }
  return { ...(await overSql(kysely, [kysely, watching], server)), count }
}

async function overSql(
  kysely: Kysely<unknown>,
  pools: readonly Kysely<unknown>[],
  server: { end(): Promise<void> },
): Promise<Omit<Counted, 'count'>> {
  await migrate(kysely)
  const end = async () => {
    await Promise.all(pools.map((pool) => pool.destroy()))
    await server.end()
  }
  return { store: sqlStore(kysely), end }
}

/** What a find and a take are at each server: to look and to write under the condition that nothing changed is two. */
const SERVERS = [
  { name: 'Redis', open: overRedis, find: 1, take: 1, refusal: 1 },
  { name: 'Redis Cluster', open: overCluster, find: 1, take: 1, refusal: 1 },
  { name: 'PostgreSQL', open: overPostgres, find: 1, take: 2, refusal: 1 },
  { name: 'MariaDB', open: overMariadb, find: 1, take: 2, refusal: 1 },
] as const

describe.each(SERVERS)('counted at the server, over $name,', ({ open, find, take, refusal }) => {
  const REQUESTS = 40
  let counted: Counted

  beforeAll(async () => {
    counted = await open()
  }, 60_000)
  afterAll(() => counted?.end())

  /**
   * Two processes: one makes keys, the other has never seen them. Use marks and what is heard of other processes are
   * beside the request, and are left out.
   */
  async function cold(limits: Record<string, number>) {
    const { touch: _, watch: __, ...store } = counted.store
    const make = () => createApiKeys({ prefix: 'st_', store, storeTimeout: '10s', cache: { maxLag: '1h' } })
    const [maker, keys] = [make(), make()]
    // Connections stand, and scripts are known to every node.
    for (let time = 0; time < 40; time++) {
      await judged(keys, (await maker.create({ owner: 'acct_1', limits: { minute: 10 } })).key)
    }
    const { key } = await maker.create({ owner: 'acct_1', limits })
    const again = await maker.create({ owner: 'acct_1', limits: { ...limits, hour: 0 } })
    await counted.count()
    return { keys, key, full: again.key }
  }

  it(`a warm key with limits costs ${take} for each request that is admitted, a cold one ${find + take}`, async () => {
    const { keys, key } = await cold({ minute: 900, day: 900 })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await counted.count()).toBe(find + take)
    for (let time = 0; time < REQUESTS; time++) expect(await judged(keys, key)).toBe('admitted')
    expect(await counted.count()).toBe(REQUESTS * take)
  })

  it('a warm key without limits costs nothing, a cold one one read', async () => {
    const { keys, key } = await cold({})
    expect(await judged(keys, key)).toBe('admitted')
    expect(await counted.count()).toBe(find)
    for (let time = 0; time < REQUESTS; time++) expect(await judged(keys, key)).toBe('admitted')
    expect(await counted.count()).toBe(0)
  })

  it(`a refusal for a limit that is full costs ${refusal}`, async () => {
    const { keys, full } = await cold({ minute: 900 })
    await judged(keys, full)
    await counted.count()
    for (let time = 0; time < REQUESTS; time++) expect(await judged(keys, full)).toBe('rate_limited')
    expect(await counted.count()).toBe(REQUESTS * refusal)
  })

  it(`a refusal for a balance that is spent costs ${refusal}, but for one in a second`, async () => {
    const { touch: _, watch: __, ...store } = counted.store
    const keys = createApiKeys({ prefix: 'st_', store, storeTimeout: '10s', cache: { maxLag: '1h' } })
    const { key } = await keys.create({ owner: 'acct_1', credits: { remaining: 1 } })
    for (const code of ['admitted', 'insufficient_balance']) expect(await judged(keys, key)).toBe(code)
    await counted.count()
    for (let time = 0; time < REQUESTS; time++) expect(await judged(keys, key)).toBe('insufficient_balance')
    expect(await counted.count()).toBeLessThan(2 * REQUESTS * refusal)
  })

  it('what has not the shape of a key costs nothing, and 50 who ask for one cold key at once share a read', async () => {
    const { keys, key } = await cold({})
    for (const text of ['st_', 'st_x', `${key}x`, key.slice(0, -1)])
      expect(await judged(keys, text)).toBe('invalid_key')
    expect(await counted.count()).toBe(0)
    const codes = await Promise.all(Array.from({ length: 50 }, () => judged(keys, key)))
    expect(new Set(codes)).toEqual(new Set(['admitted']))
    expect(await counted.count()).toBe(find)
  })
})
