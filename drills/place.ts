import { Cluster, Redis } from 'ioredis'
import type { KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { migrate, sqlStore } from 'keyward/sql'
import pg from 'pg'
import { connect, type Target } from '../test/storage/sql/databases.ts'
import { startMariadb } from '../test/support/mariadb.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { startRedis, startRedisCluster } from '../test/support/redis.ts'

/** How any process reaches a store, as JSON. */
export type Place =
  | { readonly engine: 'Redis'; readonly port: number; readonly name?: string }
  | { readonly engine: 'Redis Cluster'; readonly ports: readonly number[]; readonly name?: string }
  | (Target & { readonly name?: string })

export const SERVERS = ['Redis', 'Redis Cluster', 'PostgreSQL', 'MariaDB'] as const
export type ServerName = (typeof SERVERS)[number]

/** A server of a drill's own. */
export interface Running {
  readonly place: Place
  /** `kill -9`. */
  kill(): Promise<void>
  /** Starts it again on its data; resolves when it answers. */
  start(): Promise<void>
  /** Stops it, and forgets its data. */
  end(): Promise<void>
}

/** What it acknowledges outlives `kill -9`: Redis writes each change to its log first. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

/**
 * InnoDB reads past the cache of the system, and by default has 128 MB of its own: less than a million keys. Who runs it
 * gives it most of the memory of its machine.
 */
const ROOMY = '--innodb-buffer-pool-size=1G'

/** @param durable Whether Redis writes its log; the others always do. */
export async function startPlace(engine: ServerName, { durable = true } = {}): Promise<Running> {
  const running = await start(engine, durable ? DURABLE : [])
  const { place } = running
  if (place.engine !== 'PostgreSQL' && place.engine !== 'MariaDB') return running
  await prepareTables(place)
  return running
}

async function start(engine: ServerName, settings: readonly string[]): Promise<Running> {
  if (engine === 'Redis') {
    const server = await startRedis(...settings)
    const { port, kill, stop } = server
    return { place: { engine, port }, kill, start: server.start, end: stop }
  }
  if (engine === 'Redis Cluster') {
    const { nodes, stop } = await startRedisCluster()
    const all = async (work: (node: (typeof nodes)[number]) => Promise<void>) =>
      void (await Promise.all(nodes.map(work)))
    return {
      place: { engine, ports: nodes.map(({ port }) => port) },
      kill: () => all(({ kill }) => kill()),
      start: () => all((node) => node.start()),
      end: stop,
    }
  }
  const server = engine === 'PostgreSQL' ? await startPostgres() : await startMariadb([ROOMY])
  const { connection, kill, end } = server
  return { place: { engine, connection }, kill, start: server.start, end }
}

/** Makes the tables of a place; harmless again. */
export async function prepareTables(place: Place): Promise<void> {
  if (place.engine === 'Redis' || place.engine === 'Redis Cluster') return
  const kysely = connect(place, 1)
  try {
    await migrate(kysely, { prefix: prefixOf(place) })
  } finally {
    await kysely.destroy()
  }
}

export interface Opened {
  readonly store: KeyStore
  close(): Promise<void>
}

/**
 * A place as a service opens it, with the bus where there is one. Stores of different names are different stores.
 * @param isPatient Whether a command to Redis may take long: for bulk work beside which much else goes on
 */
export function openPlace(place: Place, { isPatient = false } = {}): Opened {
  if (place.engine === 'Redis' || place.engine === 'Redis Cluster') return openRedis(place, isPatient)
  const kysely = connect(place)
  // A test stops the server while this listens; the store makes another connection.
  const listen = () => new pg.Client(place.engine === 'SQLite' ? {} : place.connection)
  const store = sqlStore(kysely, { prefix: prefixOf(place), ...(place.engine === 'PostgreSQL' && { listen }) })
  return {
    store,
    async close() {
      await store.close?.()
      await kysely.destroy()
    },
  }
}

function openRedis(place: Extract<Place, { readonly engine: 'Redis' | 'Redis Cluster' }>, isPatient: boolean): Opened {
  const client =
    place.engine === 'Redis'
      ? new Redis(place.port, '127.0.0.1', { lazyConnect: true })
      : new Cluster(
          place.ports.map((port) => ({ host: '127.0.0.1', port })),
          { lazyConnect: true },
        )
  client.on('error', () => {})
  const store = redisStore(client, {
    ...(place.name !== undefined && { namespace: place.name }),
    ...(isPatient && { timeout: 60_000 }),
  })
  return {
    store,
    async close() {
      await store.close?.()
      client.disconnect()
    },
  }
}

/** What the tables of a place begin with. */
export function prefixOf({ name = 'keyward' }: Place): string {
  return `${name}_`
}

/** The channel on which the changes of a place are told. */
export function channelOf({ engine, name = 'keyward' }: Place): string {
  return engine === 'PostgreSQL' ? `${name}_changes` : `${name}:changes`
}
