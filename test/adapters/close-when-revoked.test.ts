import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import {
  connect,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createApiKeys } from 'keyward'
import { type Connection, closeWhenRevoked } from 'keyward/node'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { failure } from '../support/outcome.ts'
import { deferred } from '../support/stores.ts'
import { serveTls } from '../support/tls.ts'

const escaped: unknown[] = []
const note = (error: unknown) => escaped.push(error)
process.on('uncaughtExceptionMonitor', note)
process.on('unhandledRejection', note)
afterEach(() => expect(escaped.splice(0)).toEqual([]))

async function instance() {
  const keys = createApiKeys({ prefix: 'lvk_' })
  return { keys, ...(await keys.create({ owner: 'acct_1' })) }
}

async function plainServer(): Promise<{ server: Server; port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { server, port: (server.address() as AddressInfo).port }
}

/** A client, and the server's end of the same connection, which is closed with the key. */
async function pairOfSockets(tls: boolean, perMessageDeflate: boolean) {
  const { keys, record } = await instance()
  const { server, port } = tls ? await serveTls(() => {}) : await plainServer()
  const wss = new WebSocketServer({ server, perMessageDeflate })
  const connected = once(wss, 'connection')
  const options = { rejectUnauthorized: false, perMessageDeflate }
  const client = new WebSocket(`${tls ? 'wss' : 'ws'}://127.0.0.1:${port}`, options)
  onTestFinished(() => client.terminate())
  const [[ws]] = (await Promise.all([connected, once(client, 'open')])) as [[WebSocket], unknown]
  closeWhenRevoked(keys, record, ws)
  return { client, ws, revoke: () => keys.revoke(record.id) }
}

const WAYS = [false, true].flatMap((tls) => [false, true].map((deflate) => ({ tls, deflate })))
const queue = (ws: WebSocket) => {
  for (let sent = 0; sent < 30; sent++) ws.send('x'.repeat(100_000))
}

describe('A WebSocket that is closed with its key', () => {
  it.concurrent.each(WAYS)('says 1008 with nothing to send ($tls, $deflate)', async ({ tls, deflate }) => {
    const { client, revoke } = await pairOfSockets(tls, deflate)
    const closed = once(client, 'close')
    await revoke()
    expect((await closed)[0]).toBe(1008)
  })

  it.concurrent.each(WAYS)('says 1008 behind what is queued ($tls, $deflate)', async ({ tls, deflate }) => {
    const { client, ws, revoke } = await pairOfSockets(tls, deflate)
    let got = 0
    client.on('message', () => got++)
    const closed = once(client, 'close')
    queue(ws)
    await revoke()
    expect([(await closed)[0], got]).toEqual([1008, 30])
  })

  it('hears nothing of a client that sends on meanwhile, and ends all the same', async () => {
    const { client, ws, revoke } = await pairOfSockets(false, true)
    const heard: string[] = []
    ws.on('message', (data) => heard.push(String(data)))
    queue(ws)
    await revoke()
    await expect.poll(() => ws.readyState).toBe(WebSocket.CLOSING)
    client.send('one more')
    await once(ws, 'close')
    expect(heard).toEqual([])
  })
})

describe('closeWhenRevoked on HTTP/2', () => {
  it.each([
    ['request', (req: Http2ServerRequest) => req],
    ['response', (_req: Http2ServerRequest, res: Http2ServerResponse) => res],
  ])('ends the stream of a %s', async (_what, which) => {
    const { keys, record } = await instance()
    const streamed = deferred<Http2ServerRequest['stream']>()
    const server = createHttp2Server((req, res) => {
      res.writeHead(200)
      closeWhenRevoked(keys, record, which(req, res) as Connection)
      streamed.resolve(req.stream)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(() => {
      client.destroy()
      server.close()
    })
    const asked = client.request()
    asked.on('error', () => {})
    asked.end()
    const stream = await streamed.promise
    await keys.revoke(record.id)
    await expect.poll(() => stream.destroyed).toBe(true)
  })
})

describe('closeWhenRevoked', () => {
  const never = Object.assign(new EventEmitter(), { destroy: () => {} })

  it.each([[[]], [{}], [undefined], ['keys'], [{ get: 'x' }]])('refuses %j as keys', async (keys) => {
    expect(await failure(() => closeWhenRevoked(keys as never, { id: 'x' }, never, { every: 1 }))).toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('keys must be one instance'),
    })
    expect(never.listenerCount('close')).toBe(0)
  })

  it('refuses a list of instances, though nobody came', async () => {
    const { keys } = await instance()
    const error = await failure(() => closeWhenRevoked([keys, keys] as never, undefined, never))
    expect(error).toMatchObject({ code: 'CONFIG' })
  })

  it.each([[undefined], [null], [{}]])('refuses %j as a connection', async (connection) => {
    const { keys, record } = await instance()
    const error = await failure(() => closeWhenRevoked(keys, record, connection as never))
    expect(error).toMatchObject({ code: 'CONFIG' })
  })

  it.each(['close', 'terminate', 'destroy'] as const)(
    'ends the others of a key though the %s of one throws, and that one later',
    async (verb) => {
      const { keys, record } = await instance()
      let tries = 0
      const broken = Object.assign(new EventEmitter(), {
        [verb]: () => {
          if (++tries === 1) throw new Error('broken')
          broken.emit('close')
        },
      })
      const sound = Object.assign(new EventEmitter(), { destroy: () => sound.emit('close') })
      const ended = once(sound, 'close')
      closeWhenRevoked(keys, record, broken, { every: '10ms' })
      closeWhenRevoked(keys, record, sound, { every: '10ms' })
      await keys.revoke(record.id)
      await ended
      await expect.poll(() => tries).toBeGreaterThan(1)
    },
  )

  it('lets nothing escape of what finds no record', async () => {
    let looks = 0
    const get = () => {
      looks++
      throw new Error('broken')
    }
    const connection = Object.assign(new EventEmitter(), { destroy: () => {} })
    onTestFinished(() => void connection.emit('close'))
    closeWhenRevoked({ get }, { id: 'x' }, connection, { every: '5ms' })
    await expect.poll(() => looks).toBeGreaterThan(2)
  })
})
