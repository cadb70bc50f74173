import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type CreateInput, type KeyRecord, type KeyStore, memoryStore } from 'keyward'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundle } from '../../runtimes/bundle.ts'
import { storeServer } from '../../runtimes/http-store.ts'

type Place = 'memory' | 'http' | 'leased'
let worker: Miniflare
let url: URL
let backing: KeyStore
/** What the store behind HTTP is to wait for before it answers. */
let hurdle: Promise<void> = Promise.resolve()

/** The oldest compatibility date on which `nodejs_compat` is what it is today. */
const OLDEST = '2024-09-23'
/** From here on, what one request waits for may be told by another: so it is with leases. */
const TOGETHER = '2024-10-14'

/** A Worker before it, which gives up after 100 ms: that cancels what the other one does for it, as a client's end does not. */
const HASTY = `export default {
  async fetch(request, { MAIN, LEASING }) {
    return (request.url.endsWith('/leased') ? LEASING : MAIN).fetch(request, { signal: AbortSignal.timeout(100) }).catch(() => new Response('given up', { status: 499 }))
  },
}`

const server = createServer(storeOverHttp)

async function storeOverHttp(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const request = new Request(`http://store${req.url}`, { method: 'POST', body: await text(req) })
  await hurdle
  const response = await storeServer(backing)(request)
  res.statusCode = response.status
  res.end(await response.text())
}

beforeAll(async () => {
  backing = memoryStore()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const alike = {
    modules: true,
    compatibilityDate: OLDEST,
    compatibilityFlags: ['nodejs_compat'],
    unsafeDirectSockets: [{}],
  }
  const script = await readFile(await bundle('worker'), 'utf8')
  const serviceBindings = { KEYS: { external: { address, http: {} } } }
  worker = new Miniflare({
    workers: [
      { ...alike, name: 'main', script, serviceBindings },
      { ...alike, name: 'leasing', script, serviceBindings, compatibilityDate: TOGETHER },
      { ...alike, name: 'hasty', script: HASTY, serviceBindings: { MAIN: 'main', LEASING: 'leasing' } },
    ],
  })
  url = await worker.ready
})

afterAll(async () => {
  await worker?.dispose()
  server.closeAllConnections()
  server.close()
})

async function tell<T>(path: string, body: unknown = {}): Promise<T> {
  const response = await fetch(new URL(path, url), { method: 'POST', body: JSON.stringify(body) })
  const answer = await response.text()
  if (response.status !== 200) throw new Error(answer)
  return JSON.parse(answer) as T
}

const create = (place: Place, input: Partial<CreateInput> = {}) =>
  tell<{ key: string; record: KeyRecord }>(`/${place}/create`, { owner: 'acct_1', scopes: ['contacts:read'], ...input })

async function ask(key: string, headers: Record<string, string> = {}, at = new URL('/guarded', url)) {
  const response = await fetch(at, { headers: { 'x-api-key': key, ...headers } })
  const body = (await response.json()) as { owner?: string; code?: string }
  return { status: response.status, said: body.owner ?? body.code, limit: response.headers.get('ratelimit') }
}

/** What is asked of the store from now on waits until this is called. */
function holdUp(): () => void {
  let goOn = () => {}
  hurdle = new Promise((resolve) => {
    goOn = resolve
  })
  return () => {
    hurdle = Promise.resolve()
    goOn()
  }
}

/** A request that is cancelled while it waits. */
async function giveUp(path: string, key: string): Promise<number> {
  const hasty = await worker.unsafeGetDirectURL('hasty')
  return (await fetch(new URL(path, hasty), { headers: { 'x-api-key': key } })).status
}

describe('keyward/fetch on workerd', () => {
  it.each(['memory', 'http'] as const)('admits, refuses and limits, with a store of %s', async (place) => {
    const { key } = await create(place)
    expect(await ask(key)).toEqual({ status: 200, said: 'acct_1', limit: '"minute";r=4;t=60, "hour";r=99;t=3600' })
    expect(await ask(`${key.slice(0, -1)}~`)).toMatchObject({ status: 401, said: 'invalid_key' })
    const other = await create(place, { scopes: ['contacts:update'] })
    expect(await ask(other.key)).toMatchObject({ status: 403, said: 'insufficient_scope' })
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(key)))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(4).fill(200), ...Array(8).fill(429)])
  })

  it.each(['memory', 'http'] as const)('tells the time, with a store of %s', async (place) => {
    const { key, record } = await create(place, { expiresAt: new Date(Date.now() + 60_000).toISOString() })
    expect(Math.abs(Date.parse(record.createdAt) - Date.now())).toBeLessThan(60_000)
    expect(await ask(key)).toMatchObject({ status: 200 })
  })

  it.each(['memory', 'http'] as const)('obeys a revocation at once, with a store of %s', async (place) => {
    const { key, record } = await create(place)
    expect(await ask(key)).toMatchObject({ status: 200 })
    await tell(`/${place}/revoke`, { id: record.id })
    expect(await ask(key)).toMatchObject({ status: 401, said: 'revoked' })
  })

  it('judges the address that the platform tells', async () => {
    const { key } = await create('memory', { allowedIps: ['203.0.113.0/24'] })
    expect(await ask(key, { 'cf-connecting-ip': '203.0.113.7' })).toMatchObject({ status: 200 })
    expect(await ask(key, { 'cf-connecting-ip': '198.51.100.7' })).toMatchObject({ status: 403 })
    const spoofed = { 'cf-connecting-ip': '198.51.100.7', 'x-forwarded-for': '203.0.113.7' }
    expect(await ask(key, spoofed)).toMatchObject({ status: 403, said: 'ip_not_allowed' })
  })

  it('G-07 gives the handler a request without the key, and with the rest', async () => {
    const { key } = await create('memory')
    const headers = { 'x-api-key': key, authorization: `Bearer ${key}`, 'x-other': '1' }
    const answer = await fetch(new URL('/guarded', url), { headers })
    const { forwarded } = (await answer.json()) as { forwarded: string[] }
    expect(forwarded).toContain('x-other')
    expect(forwarded.filter((name) => /authorization|api-key/.test(name))).toEqual([])
  })

  it('writes use marks when the host waits for flush()', async () => {
    const { key, record } = await create('http')
    for (let use = 0; use < 3; use++) await ask(key)
    await expect.poll(async () => (await backing.find(record.id))?.uses).toBe(3)
  })

  it('is not held up by requests that were given up while the store was asked', async () => {
    const { key } = await create('http')
    const goOn = holdUp()
    expect(await giveUp('/guarded', key)).toBe(499)
    const waiting = [ask(key), ask(key)]
    await new Promise((resolve) => setTimeout(resolve, 100))
    goOn()
    expect(await Promise.all(waiting)).toMatchObject([{ status: 200 }, { status: 200 }])
  })

  it('serves a hot key by leases, also after a request was given up that asked for one', async () => {
    const { key } = await create('leased')
    const at = new URL('/leased', await worker.unsafeGetDirectURL('leasing'))
    const many = (count: number) => Promise.all(Array.from({ length: count }, () => ask(key, {}, at)))
    const warm = await many(20)
    hurdle = new Promise((resolve) => setTimeout(resolve, 50))
    const hot = await many(60)
    const goOn = holdUp()
    const given = await Promise.all(Array.from({ length: 5 }, () => giveUp('/leased', key)))
    goOn()
    const after = await many(20)
    expect([...warm, ...hot, ...after].map(({ status }) => status)).toEqual(Array(100).fill(200))
    expect(given).toContain(499)
  })

  it('keeps every promise of a guard', async () => {
    const { passed, failed } = await tell<{ passed: number; failed: string[] }>('/checks/guard')
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(60)
  })

  it('keeps every promise of a store that is reached by fetch', async () => {
    const { passed, failed } = await tell<{ passed: number; failed: string[] }>('/checks/store')
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(60)
  })
})
