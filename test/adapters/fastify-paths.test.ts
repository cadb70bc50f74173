import { type AddressInfo, connect } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listener } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { deferred, distantStore, wrongSecretFor } from '../support/stores.ts'

/** An application, and what it complains of. */
function complaining() {
  const complaints: string[] = []
  const stream = { write: (line: string) => void complaints.push(line) }
  return { app: Fastify({ forceCloseConnections: true, logger: { level: 'warn', stream } }), complaints }
}

async function listening(app: Pick<FastifyInstance, 'close' | 'listen' | 'server'>): Promise<number> {
  onTestFinished(() => void app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

describe.each([
  ['at once', undefined],
  ['later', distantStore],
])('N-06 Hijacking with Fastify, with a store that answers %s', (_, store) => {
  async function instance() {
    const keys = createApiKeys({ prefix: 'fap_', ...(store === undefined ? {} : { store: store() }) })
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 10 } })
    return { keys, lines: [`X-API-Key: ${key}`], free: async () => keys.balance({ id: record.id }) }
  }

  it.each(['onRequest', 'preHandler'] as const)(
    'behind a guard as %s: a handler that answers by itself is not called without a key, and holds until its end',
    async (hook) => {
      const { keys, lines, free } = await instance()
      const app = Fastify({ forceCloseConnections: true })
      let reached = 0
      app.get('/', { [hook]: guard(keys, { reserve: 4 }) }, async (req, reply) => {
        reached++
        reply.hijack()
        const held = await free()
        reply.raw.end(`${req.apiKey.owner} ${held}`)
      })
      const port = await listening(app)
      for (const none of [[], ['X-API-Key: fap_nonsense']]) expect((await raw(port, request(none))).status).toBe(401)
      expect(reached).toBe(0)
      expect(await raw(port, request(lines))).toMatchObject({ status: 200, body: 'acct_1 6' })
      await expect.poll(free).toBe(10)
    },
  )

  it('before a guard: who took the request over answers it, whether or not it has a key, and no handler is called', async () => {
    const { keys, lines, free } = await instance()
    const { app, complaints } = complaining()
    let reached = 0
    app.addHook('onRequest', async (_req, reply) => {
      reply.hijack()
      setTimeout(() => reply.raw.end('taken over'), 20)
    })
    app.get('/', { onRequest: guard(keys, { reserve: 4 }) }, async () => ++reached)
    const port = await listening(app)
    for (const sent of [[], ['X-API-Key: fap_nonsense'], lines]) {
      expect(await raw(port, request(sent))).toMatchObject({ status: 200, body: 'taken over' })
    }
    expect([reached, complaints]).toEqual([0, []])
    await expect.poll(free).toBe(10)
  })
})

it('N-06 Hijacking with Fastify while a guard asks: no handler is called, and nothing stays held', async () => {
  const keys = createApiKeys({ prefix: 'fap_', store: distantStore() })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 10 } })
  const { app, complaints } = complaining()
  const apiKeyGuard = guard(keys, { reserve: 4 })
  let reached = 0
  app.addHook('onRequest', (req, reply, done) => {
    apiKeyGuard(req, reply, done)
    reply.hijack()
    setTimeout(() => reply.raw.end('taken over'), 20)
  })
  app.get('/', async () => ++reached)
  const port = await listening(app)
  const { key: unknown } = await wrongSecretFor('A'.repeat(12), 'fap_')
  for (const sent of [unknown, key]) {
    expect(await raw(port, request([`X-API-Key: ${sent}`]))).toMatchObject({ status: 200, body: 'taken over' })
  }
  expect([reached, complaints]).toEqual([0, []])
  await expect.poll(() => keys.balance({ id: record.id })).toBe(10)
})

describe('I-05 The trustProxy of Fastify', () => {
  it.each([
    [true, [], 403],
    [1, [], 403],
    [true, undefined, 403],
    [1, undefined, 403],
    [false, ['127.0.0.1'], 200],
  ] as const)('%j changes nothing for a forwarded address, with trustedProxies: %j', async (trust, trusted, status) => {
    const keys = createApiKeys({ prefix: 'fap_', ...(trusted === undefined ? {} : { trustedProxies: trusted }) })
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
    // Numbers are in its documents, and no more in its types.
    const app = Fastify({ forceCloseConnections: true, trustProxy: trust as boolean })
    const seen: string[] = []
    app.addHook('onRequest', async ({ ip }) => void seen.push(ip))
    app.get('/', { onRequest: guard(keys) }, async () => 'reached')
    const port = await listening(app)
    expect((await raw(port, request([`X-API-Key: ${key}`, 'X-Forwarded-For: 10.0.0.5']))).status).toBe(status)
    // What Fastify itself believes.
    expect(seen).toEqual([trust === true ? '10.0.0.5' : '127.0.0.1'])
  })
})

it('I-20 A client that has gone is let through by no allowlist, and nothing is thrown', async () => {
  const heard = listener()
  const keys = createApiKeys({ prefix: 'fap_', onEvent: heard.onEvent })
  const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['127.0.0.0/8'] })
  const [asked, over] = [deferred(), deferred()]
  const apiKeyGuard = guard(keys)
  let reached = 0
  const app = Fastify({ forceCloseConnections: true })
  app.addHook('onRequest', async ({ raw: { socket } }) => {
    asked.resolve()
    // Not `once` of node:events, which an error before it rejects: Deno tells of one, and Node may.
    await new Promise((resolve) => socket.once('close', resolve))
  })
  app.addHook('onRequest', (req, reply, done) => {
    apiKeyGuard(req, reply, done)
    setImmediate(over.resolve)
  })
  app.get('/', async () => ++reached)
  const socket = connect(await listening(app), '127.0.0.1')
  socket.write(request([`X-API-Key: ${key}`]))
  await asked.promise
  socket.destroy()
  await over.promise
  expect(heard.of('denied').map(({ code }) => code)).toEqual(['ip_not_allowed'])
  expect([heard.of('fault'), reached]).toEqual([[], 0])
})
