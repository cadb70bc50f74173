import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Express } from 'express'
import { Redis } from 'ioredis'
import { type Duration, type KeyStore, memoryStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { migrate, sqlStore } from 'keyward/sql'
import { sqliteStore } from 'keyward/sqlite'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { afterAll, onTestFinished } from 'vitest'
import type { Place } from '../../examples/place.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { serve } from '../support/serve.ts'

export const ENGINES = ['memory', 'sqlite', 'redis', 'postgres'] as const
export type Engine = (typeof ENGINES)[number]
/** For what is asked of each client too: the embedded store is asked for with `fetch` alone. */
export const SERVERS = ['memory', 'redis', 'postgres'] as const satisfies readonly Engine[]

export interface Started<Service> {
  readonly service: Service
  readonly store: KeyStore
  readonly url: string
  readonly port: number
  /** How many requests reached its socket. */
  requests(): number
}

export interface AnyService {
  readonly app: Express
  close(): Promise<unknown>
}

/** How instances know of each other's changes, where that is not at once. */
export interface Lag {
  /** As `createApiKeys` has it; the services' own is `false`. */
  readonly cache?: { readonly maxLag: Duration }
  /** Whether the store tells of changes. @default true */
  readonly bus?: boolean
}

/** Instances of a service, each with a store and a port of its own, over the same data, until the test ends. */
export async function start<Service extends AnyService>(
  engine: Engine,
  create: (place: Place & { readonly store: KeyStore; readonly storeTimeout: Duration }, url: string) => Service,
  instances = 1,
  { bus = true, ...cache }: Lag = {},
): Promise<readonly [Started<Service>, ...Started<Service>[]]> {
  const open = await openEngine(engine)
  const started: Started<Service>[] = []
  for (let i = 0; i < instances; i++) {
    const store = bus ? open() : withoutBus(open())
    let requests = 0
    const { url, port } = await serve((req, res) => {
      requests++
      service.app(req, res)
    })
    // What is slow here is the machine, which others use too: that is no fault of a store.
    const service = create({ store, storeTimeout: '10s', ...cache }, url)
    onTestFinished(async () => {
      await service.close()
      await store.close?.()
    })
    started.push({ service, store, url, port, requests: () => requests })
  }
  return started as unknown as readonly [Started<Service>, ...Started<Service>[]]
}

function withoutBus({ watch: _, ...store }: KeyStore): KeyStore {
  return store
}

async function openEngine(engine: Engine): Promise<() => KeyStore> {
  if (engine === 'sqlite') return openFile()
  if (engine === 'redis') return openRedis()
  if (engine === 'postgres') return openPostgres()
  const store = memoryStore()
  return () => store
}

function openFile(): () => KeyStore {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-service-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return () => sqliteStore(join(folder, 'keys.db'))
}

let redis: Promise<RedisServer> | undefined
let postgres: Promise<Postgres> | undefined
let namespaces = 0

/** One server for the tests of a file, and in it a namespace for each test. */
async function openRedis(): Promise<() => KeyStore> {
  redis ??= startRedis()
  const { url } = await redis
  const namespace = `test${++namespaces}`
  return () => {
    const client = new Redis(url)
    onTestFinished(() => client.disconnect())
    return redisStore(client, { namespace })
  }
}

/** Likewise, with tables of its own for each test. */
async function openPostgres(): Promise<() => KeyStore> {
  postgres ??= startPostgres()
  const { connection } = await postgres
  const prefix = `test${++namespaces}_`
  const connect = () => {
    const kysely = new Kysely<object>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ ...connection, max: 5 }) }),
    })
    onTestFinished(() => kysely.destroy())
    return kysely
  }
  await migrate(connect(), { prefix })
  return () => sqlStore(connect(), { prefix })
}

afterAll(async () => {
  await (await redis)?.stop()
  await (await postgres)?.end()
})

export interface Told {
  readonly status: number
  readonly headers: Headers
  /** What was answered: fields of JSON, or undefined for an empty answer. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes, and say what they expect there
  readonly body: any
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A cookie, as `signIn` gave it. */
  readonly as?: string
  readonly json?: unknown
}

/** One request by `fetch`; with `json` it is a POST unless it says otherwise. */
export async function ask(url: string, { method, headers, as, json }: Asked = {}): Promise<Told> {
  const response = await fetch(url, {
    method: method ?? (json === undefined ? 'GET' : 'POST'),
    headers: {
      accept: 'application/json',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(as === undefined ? {} : { cookie: as }),
      ...headers,
    },
    body: json === undefined ? null : JSON.stringify(json),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** `Authorization: Bearer`. */
export function bearing(key: string): { readonly authorization: string } {
  return { authorization: `Bearer ${key}` }
}

/** One request by `curl`. */
export async function curl(...args: readonly string[]): Promise<Pick<Told, 'status' | 'body'>> {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-w', '\n%{http_code}', ...args])
  const end = stdout.lastIndexOf('\n')
  const text = stdout.slice(0, end)
  return { status: Number(stdout.slice(end)), body: text === '' ? undefined : JSON.parse(text) }
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`it was answered: ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
