import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import express from 'express'
import Fastify from 'fastify'
import { type ApiKeys, createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { guard as fastifyGuard } from 'keyward/fastify'
import { guard as nodeGuard } from 'keyward/node'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { serve } from '../support/serve.ts'
import { deferred } from '../support/stores.ts'
import { serveTls } from '../support/tls.ts'

const RESERVE = { reserve: 60 } as const

/** A stream that fails after its first piece, as that of a model does whose server goes away. */
const failing = () =>
  Readable.from(
    (async function* () {
      yield 'a'
      await wait(10)
      throw new Error('the model is gone')
    })(),
  )

type ListenerOf = (keys: ApiKeys) => RequestListener | Promise<RequestListener>

/** Handlers that fail in the middle of their answer. */
const CUT: readonly { name: string; listenerOf: ListenerOf }[] = [
  ...EXPRESSES.flatMap(({ name, express }) => [
    {
      name: `${name}, by an error that is passed on`,
      listenerOf: (keys: ApiKeys) => {
        const app = express()
        app.set('env', 'test')
        app.get('/', guard(keys, RESERVE), (_req, res, next) => {
          res.write('a')
          setImmediate(() => next(new Error('its own')))
        })
        return app
      },
    },
    {
      name: `${name}, by a stream`,
      listenerOf: (keys: ApiKeys) =>
        express().get('/', guard(keys, RESERVE), (_req, res) => void pipeline(failing(), res, () => {})),
    },
  ]),
  {
    name: 'Fastify, by a stream',
    listenerOf: async (keys) => {
      const app = Fastify()
      app.get('/', { onRequest: fastifyGuard(keys, RESERVE) }, (_request, reply) => reply.send(failing()))
      await app.ready()
      return app.routing
    },
  },
  {
    name: 'node, by a stream',
    listenerOf: (keys) => {
      const check = nodeGuard(keys, RESERVE)
      return async (req, res) => {
        if ((await check(req, res)).ok) pipeline(failing(), res, () => {})
      }
    },
  },
]

async function purse() {
  const keys = createApiKeys({ prefix: 'cut_', trustedProxies: [] })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  return { keys, key, balance: () => keys.balance({ id: record.id }) }
}

describe('What a request holds is given back when its handler fails in the middle of the answer', () => {
  it.each(CUT)('on $name', async ({ listenerOf }) => {
    const { keys, key, balance } = await purse()
    const { url } = await serve(await listenerOf(keys))
    const answer = await fetch(url, { headers: { 'x-api-key': key } })
    await expect(answer.text()).rejects.toThrow()
    await expect.poll(balance).toBe(100)
  })

  it('after whoever is told of the failure has settled', async () => {
    const { keys, key, balance } = await purse()
    const app = express().get('/', guard(keys, RESERVE), (req, res) => {
      pipeline(failing(), res, () => req.apiKey.settle(7))
    })
    const { url } = await serve(app)
    await (await fetch(url, { headers: { 'x-api-key': key } })).text().catch(() => {})
    await expect.poll(balance).toBe(93)
    await wait(20)
    expect(await balance()).toBe(93)
  })
})

interface Leaving {
  readonly name: string
  /** @param raw what lies below TLS */
  readonly leave: (socket: Socket, raw: Socket) => unknown
  readonly prepare?: (server: Server) => unknown
}

/** What a client can do to its connection, and what the host makes of it. */
const LEAVING: readonly Leaving[] = [
  { name: 'ends its connection', leave: (socket) => socket.end() },
  { name: 'destroys its connection', leave: (socket) => socket.destroy() },
  { name: 'resets its connection', leave: (_, raw) => raw.resetAndDestroy() },
  { name: 'sends nonsense', leave: (socket) => socket.write('\0\r\n\r\n') },
  {
    name: 'sends nonsense, upon which the host ends the connection',
    leave: (socket) => socket.write('\0\r\n\r\n'),
    prepare: (server) => server.on('clientError', (_error, socket) => socket.destroy()),
  },
  { name: 'waits until the host has enough', leave: () => {}, prepare: (server) => server.setTimeout(50) },
]

describe.each(['plain', 'TLS'])('What a request holds stays held while its handler runs, %s', (transport) => {
  it.each(LEAVING)('when its client $name', async ({ leave, prepare }) => {
    const { keys, key, balance } = await purse()
    const [begun, closed] = [deferred(), deferred()]
    const app = express().get('/', guard(keys, RESERVE), (_req, res) => {
      res.once('close', closed.resolve)
      res.write('a')
      begun.resolve()
    })
    const { server, port } = transport === 'TLS' ? await serveTls(app) : await serve(app)
    prepare?.(server)
    const raw = connect(port, '127.0.0.1')
    const socket = transport === 'TLS' ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw
    for (const each of [raw, socket]) each.on('error', () => {})
    await once(socket, transport === 'TLS' ? 'secureConnect' : 'connect')
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\n\r\n`)
    await begun.promise
    leave(socket, raw)
    await closed.promise
    await wait(20)
    expect(await balance()).toBe(40)
  })
})
