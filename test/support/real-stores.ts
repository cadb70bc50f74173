import { execFileSync } from 'node:child_process'
import { Cluster, Redis } from 'ioredis'
import type { KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { migrate, sqlStore } from 'keyward/sql'
import { sql } from 'kysely'
import { connect, type SERVERS } from '../storage/sql/databases.ts'
import { startMariadb } from './mariadb.ts'
import { startPostgres } from './postgres.ts'
import { type RedisServer, startRedis, startRedisCluster } from './redis.ts'
import { stopProcess } from './stop-process.ts'

/** A real server of its own, with what may happen to it. */
export interface RealStore {
  /** As one more process has it: over connections of its own. */
  store(): KeyStore
  /** From here on nothing answers, but nothing is refused either, as behind a broken network. */
  freeze(): void
  thaw(): void
  /** Everything that is kept is gone: a replica without data was promoted, or somebody typed FLUSHALL. */
  wipe(): Promise<void>
  /** What is kept of a key is cut off, so that nobody can read it. */
  damage(id: string): Promise<void>
  end(): Promise<void>
}

export const REAL_STORES: readonly { readonly name: string; readonly open: () => Promise<RealStore> }[] = [
  { name: 'Redis', open: openRedis },
  { name: 'Redis Cluster', open: openCluster },
  { name: 'PostgreSQL', open: () => openSql('PostgreSQL') },
  { name: 'MariaDB', open: () => openSql('MariaDB') },
]

async function openRedis(): Promise<RealStore> {
  const server = await startRedis()
  return overRedis([server], () => new Redis(server.url, { lazyConnect: true }), server.stop)
}

async function openCluster(): Promise<RealStore> {
  const cluster = await startRedisCluster()
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  return overRedis(cluster.nodes, () => new Cluster(nodes, { lazyConnect: true }), cluster.stop)
}

function overRedis(servers: readonly RedisServer[], open: () => Redis | Cluster, stop: () => Promise<void>): RealStore {
  const closing: (() => unknown)[] = []
  const thaw = () => {
    for (const { pid } of servers) process.kill(pid(), 'SIGCONT')
  }
  return {
    store() {
      const client = open()
      client.on('error', () => {})
      const store = redisStore(client)
      closing.push(
        () => store.close?.(),
        () => client.disconnect(),
      )
      return store
    },
    freeze() {
      for (const { pid } of servers) stopProcess(pid())
    },
    thaw,
    wipe: async () => {
      for (const { cli } of servers) cli('flushall')
    },
    damage: async (id) => {
      servers[0]?.cli('-c', 'append', `keyward:key:{${id}}`, '{')
    },
    end: async () => {
      thaw()
      for (const close of closing) await close()
      await stop()
    },
  }
}

async function openSql(engine: (typeof SERVERS)[number]): Promise<RealStore> {
  const server = await (engine === 'PostgreSQL' ? startPostgres() : startMariadb())
  const open = () => connect({ engine, connection: server.connection })
  const pools = [open()]
  const own = pools[0] as (typeof pools)[0]
  await migrate(own)
  // The server with all its processes.
  const pids = () => {
    const pid = String(server.process().pid)
    const listed = execFileSync('ps', ['-o', 'pid=', '--pid', pid, '--ppid', pid], { encoding: 'utf8' })
    return (listed.match(/\d+/g) ?? []).map(Number)
  }
  const thaw = () => {
    for (const pid of pids()) process.kill(pid, 'SIGCONT')
  }
  return {
    store() {
      const pool = open()
      pools.push(pool)
      return sqlStore(pool)
    },
    freeze() {
      for (const pid of pids()) stopProcess(pid)
    },
    thaw,
    wipe: async () => {
      await sql`DELETE FROM keyward_keys`.execute(own)
    },
    damage: async (id) => {
      await sql`UPDATE keyward_keys SET data = '{"hash":' WHERE id = ${id}`.execute(own)
    },
    end: async () => {
      thaw()
      await Promise.all(pools.map((pool) => pool.destroy()))
      await server.end()
    },
  }
}
