import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Express } from 'express'
import type { ApiKeys, KeyStore } from 'keyward'
import type { Place } from './place.ts'

/**
 * `npm run example <name>`. Keys live in a temporary file, in the file KEYS_FILE, or in the Redis or PostgreSQL of
 * STORE_URL; the port is PORT, or 3000. Several names are served beside each other, on the next ports and one store. The
 * small ones, one for each framework, keep theirs in memory.
 */
interface Service {
  readonly app: Express
  /** Makes what one needs to try it, and answers the line for the shell that names it, and what else there is to see. */
  introduce(url: string): Promise<string>
  close(): Promise<void>
}

type Open = (place: Place, url: string) => Promise<Service>

/** A machine that is busy with other things ends no demonstration. */
const PATIENCE = 5_000

const SERVICES: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['a2agent', async (place, url) => (await import('./a2agent/app.ts')).createService(place, url)],
  ['a2v2', async (place, url) => (await import('./a2v2/app.ts')).createService(place, url)],
  ['agentity', async (place) => (await import('./agentity/server.ts')).createServer(place)],
  ['agrenting', async (place) => (await import('./agrenting/app.ts')).createService(place)],
  ['mcp', async (place) => (await import('./mcp/app.ts')).createService(place)],
  ['oya', async (place, url) => (await import('./oya/app.ts')).createService(place, url)],
])

/** Each is a program of its own, which serves as soon as it is imported. */
const FRAMEWORKS = ['express', 'fastify', 'fetch', 'hono', 'koa', 'nest', 'node']

const names = process.argv.slice(2)
const [name = ''] = names
if (names.length > 0 && names.every((each) => SERVICES.has(each))) await serve(names)
else if (FRAMEWORKS.includes(name) && names.length === 1) await serveSmall()
else {
  const all = [...SERVICES.keys(), ...FRAMEWORKS]
  console.error(`npm run example <name>, where name is one of ${all.join(', ')}`)
  process.exitCode = 1
}

async function serve(names: readonly string[]): Promise<void> {
  const { store, where, closeStore } = await openStore()
  const first = Number(process.env.PORT ?? 3000)
  const started: { readonly server: Server; readonly service: Service }[] = []
  for (const [i, each] of names.entries()) {
    const server = createServer().listen(first === 0 ? 0 : first + i, '127.0.0.1')
    await once(server, 'listening')
    const service = await open(each, { store, storeTimeout: PATIENCE }, urlOf(server))
    server.on('request', service.app)
    started.push({ server, service })
    console.log(`
${each} serves, with its keys in ${where}. In another terminal:

${await service.introduce(urlOf(server))}

Then type the commands of examples/${each}/README.md, as they stand. Ctrl-C stops.
`)
  }

  let closing = false
  async function close(): Promise<void> {
    if (closing) return // Ctrl-C comes once from the terminal and once from npm
    closing = true
    for (const { server, service } of started) {
      server.close()
      server.closeAllConnections()
      await service.close()
    }
    await closeStore()
    console.log('Closed.')
  }
  process.on('SIGINT', close)
  process.on('SIGTERM', close)
}

async function open(name: string, place: Place, url: string): Promise<Service> {
  const service = await SERVICES.get(name)?.(place, url)
  if (service === undefined) throw new Error(`there is no ${name}`)
  return service
}

async function serveSmall(): Promise<void> {
  const { keys, server }: { keys: ApiKeys; server: Server } = await import(`./frameworks/${name}.ts`)
  if (!server.listening) await once(server, 'listening')
  const { key } = await keys.create({ owner: 'you', name: 'Example', scopes: ['contacts:read'] })
  console.log(`
examples/frameworks/${name}.ts serves. In another terminal:

curl -i ${urlOf(server)}/contacts -H 'Authorization: Bearer ${key}'
curl -i ${urlOf(server)}/contacts
curl -i ${urlOf(server)}/contacts/1 -X DELETE -H 'Authorization: Bearer ${key}'

Ctrl-C stops.
`)
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Opened {
  readonly store: KeyStore
  readonly where: string
  closeStore(): Promise<void>
}

function openStore(): Promise<Opened> {
  const { STORE_URL, KEYS_FILE } = process.env
  if (STORE_URL === undefined) return openFile(KEYS_FILE)
  return /^rediss?:/.test(STORE_URL) ? openRedis(STORE_URL) : openPostgres(STORE_URL)
}

async function openFile(file: string | undefined): Promise<Opened> {
  const { sqliteStore } = await import('keyward/sqlite')
  const folder = file === undefined ? mkdtempSync(join(tmpdir(), 'keyward-example-')) : undefined
  const where = file ?? join(String(folder), 'keys.db')
  const store = sqliteStore(where)
  const closeStore = async () => {
    await store.close?.()
    if (folder !== undefined) rmSync(folder, { recursive: true })
  }
  return { store, where, closeStore }
}

async function openRedis(url: string): Promise<Opened> {
  const [{ Redis }, { redisStore }] = await Promise.all([import('ioredis'), import('keyward/redis')])
  const client = new Redis(url)
  const store = redisStore(client, { timeout: PATIENCE })
  const closeStore = async () => {
    await store.close?.()
    await client.quit()
  }
  return { store, where: 'Redis', closeStore }
}

async function openPostgres(url: string): Promise<Opened> {
  const [{ Kysely, PostgresDialect }, { default: pg }] = await Promise.all([import('kysely'), import('pg')])
  const { migrate, sqlStore } = await import('keyward/sql')
  const pool = new pg.Pool({ connectionString: url })
  // A connection that is lost while nobody uses it is an event, which ends a process that does not listen.
  pool.on('error', (error) => console.error(error.message))
  const kysely = new Kysely<object>({ dialect: new PostgresDialect({ pool }) })
  await migrate(kysely)
  const store = sqlStore(kysely)
  const closeStore = async () => {
    await store.close?.()
    await kysely.destroy()
  }
  return { store, where: 'PostgreSQL', closeStore }
}
