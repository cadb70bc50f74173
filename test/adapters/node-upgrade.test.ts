import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { type ApiKeysOptions, createApiKeys, memoryStore } from 'keyward'
import { closeWhenRevoked, guard, refuse } from 'keyward/node'
import { fakeClock } from 'keyward/testing'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { deferred, distantStore, wrapStore } from '../support/stores.ts'

const HANDSHAKE = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
/** `request` says `Connection: close`; an upgrade says otherwise. */
const handshake = (...lines: string[]) =>
  String(request([...HANDSHAKE, ...lines])).replace('Connection: close', 'Connection: Upgrade')

const thrown: unknown[] = []
const note = (error: unknown) => thrown.push(error)
process.on('uncaughtExceptionMonitor', note)
afterEach(() => expect(thrown.splice(0)).toEqual([]))

/** A server of WebSockets of which each echoes; its connections end with their keys. */
async function sockets(options: Partial<ApiKeysOptions> = {}, every: '20ms' | '1h' = '1h') {
  const keys = createApiKeys({ prefix: 'wsk_', storeTimeout: '10s', ...options })
  // Stores that a test wraps have no credits.
  const paid = options.store === undefined
  const input = paid ? { credits: { remaining: 10 } } : {}
  const { key, record } = await keys.create({ owner: 'acct_1', ...input })
  const server = createServer((_req, res) => void res.end())
  const wss = new WebSocketServer({ noServer: true })
  const check = guard(keys, paid ? { reserve: 2 } : {})
  const got: string[] = []
  server.on('upgrade', async (req, socket, head) => {
    const verdict = await check(req)
    if (!verdict.ok) return refuse(socket, verdict)
    wss.handleUpgrade(req, socket, head, (ws) => {
      closeWhenRevoked(keys, verdict.access, ws, { every })
      ws.on('message', (data) => {
        got.push(String(data))
        ws.send(`${verdict.access.owner}: ${data}`)
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const ws of wss.clients) ws.terminate()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const open = async (text = key) => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { 'X-API-Key': text } })
    await once(ws, 'open')
    return ws
  }
  return { keys, key, id: record.id, port, open, got }
}

describe('H-51 An upgrade', () => {
  it('of a good key is let through, and says whose it is', async () => {
    const { open } = await sockets()
    const ws = await open()
    ws.send('hello')
    const [answer] = await once(ws, 'message')
    expect(String(answer)).toBe('acct_1: hello')
  })

  it.each(['at once', 'later'])('is refused with a whole answer of HTTP, on a store that answers %s', async (when) => {
    const { port, got } = await sockets(when === 'later' ? { store: distantStore(), cache: false } : {})
    const answer = await raw(port, handshake('X-API-Key: wsk_nonsense'))
    expect(answer.status).toBe(401)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'www-authenticate': 'Bearer realm="api", error="invalid_token"',
      connection: 'close',
      'content-length': String(Buffer.byteLength(answer.body)),
    })
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_key' })
    expect(got).toEqual([])
  })

  it('is refused with the same answer as a request', async () => {
    const { port, keys } = await sockets()
    const check = guard(keys)
    const plain = createServer(async (req, res) => {
      const verdict = await check(req, res)
      if (!verdict.ok) refuse(res, verdict)
    })
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void plain.close())
    const { port: other } = plain.address() as { port: number }
    const strip = ({ status, body, lines }: Awaited<ReturnType<typeof raw>>) =>
      [status, body, ...[...lines].sort()].join('\n').replaceAll(/req_[0-9a-f]{32}/g, '')
    expect(strip(await raw(port, handshake()))).toBe(strip(await raw(other, request())))
  })

  it('is told to a client of ws with its status', async () => {
    const { port } = await sockets()
    const ws = new WebSocket(`ws://127.0.0.1:${port}`)
    const [error] = await once(ws, 'error')
    expect(String(error)).toContain('401')
  })

  it('whose client goes while the store is asked ends nothing but itself', async () => {
    const [asked, goOn] = [deferred<void>(), deferred<void>()]
    const store = wrapStore(memoryStore(), (verb, find) => {
      if (verb !== 'find') return find()
      asked.resolve()
      return goOn.promise.then(find)
    })
    const keys = createApiKeys({ prefix: 'wsk_', store, storeTimeout: '10s' })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const check = guard(keys)
    const done = deferred<string>()
    const server = createServer()
    server.on('upgrade', async (req, socket) => {
      const verdict = await check(req)
      if (!verdict.ok) refuse(socket, verdict)
      done.resolve(verdict.ok ? 'admitted' : verdict.code)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const client = connect(port, '127.0.0.1')
    client.write(handshake(`X-API-Key: ${key}`))
    await asked.promise
    client.resetAndDestroy()
    await new Promise((resolve) => setTimeout(resolve, 30))
    await store.remove(record.id)
    goOn.resolve()
    expect(await done.promise).toBe('invalid_key')
  })

  it('gives back what it held when the connection has ended', async () => {
    const { keys, id, open } = await sockets()
    const ws = await open()
    expect(await keys.balance({ id })).toBe(8)
    ws.close()
    await once(ws, 'close')
    await expect.poll(() => keys.balance({ id })).toBe(10)
  })
})

describe('A live connection', () => {
  it.each(['revoke', 'disable', 'remove'] as const)('is closed at once when this process does %s', async (verb) => {
    const { keys, id, open } = await sockets()
    const [ws, second] = [await open(), await open()]
    const { key } = await keys.create({ owner: 'acct_1', credits: { remaining: 10 } })
    const another = await open(key)
    const closed = Promise.all([once(ws, 'close'), once(second, 'close')])
    await keys[verb](id)
    const [[code]] = await closed
    expect([1006, 1008]).toContain(code)
    another.send('still there')
    await once(another, 'message')
  })

  it('is closed by a bulk revocation', async () => {
    const { keys, open } = await sockets()
    const closed = once(await open(), 'close')
    await keys.revokeAll({ owner: 'acct_1', reason: 'left' })
    await closed
  })

  it('is closed when another process revokes its key', async () => {
    const store = memoryStore()
    const { id, open } = await sockets({ store }, '20ms')
    const closed = once(await open(), 'close')
    const stored = await store.find(id)
    await store.replace(
      { ...(stored as object), status: 'revoked', version: Number(stored?.version) + 1 } as never,
      Number(stored?.version),
    )
    await closed
  })

  it('is closed when its key expires', async () => {
    const clock = fakeClock()
    const { keys, id, open } = await sockets({ clock }, '20ms')
    await keys.update(id, { expiresAt: new Date(clock.now() + 60_000) })
    const closed = once(await open(), 'close')
    clock.advance('2m')
    await closed
  })

  it('is not closed by a store that is down for a while', async () => {
    const looked = deferred<void>()
    let down = false
    let looks = 0
    const store = wrapStore(memoryStore(), (verb, find) => {
      if (!down || verb !== 'find') return find()
      if (++looks > 2) looked.resolve()
      throw new Error('down')
    })
    const { open } = await sockets({ store, cache: false }, '20ms')
    const ws = await open()
    down = true
    await looked.promise
    ws.send('still there')
    await once(ws, 'message')
  })

  it('needs no identity, and a time that is one', async () => {
    const { keys, open } = await sockets()
    const ws = await open()
    closeWhenRevoked(keys, undefined, ws)
    const error = await failure(() => closeWhenRevoked(keys, { id: 'x' }, ws, { every: 0 }))
    expect(error).toMatchObject({ code: 'CONFIG' })
  })
})

describe('closeWhenRevoked on what is no WebSocket', () => {
  async function instance() {
    const keys = createApiKeys({ prefix: 'wsk_' })
    return { keys, ...(await keys.create({ owner: 'acct_1' })) }
  }

  it('ends a stream of HTTP/2 without a code or a reason, which its `close` has not', async () => {
    const { keys, record } = await instance()
    const server = createHttp2Server()
    const opened = once(server, 'stream')
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
    onTestFinished(() => {
      client.destroy()
      server.close()
    })
    const asked = client.request({ ':path': '/' })
    asked.on('error', () => {})
    const [stream] = (await opened) as [ServerHttp2Stream]
    stream.respond({ ':status': 200 })
    closeWhenRevoked(keys, record, stream)
    await keys.revoke(record.id)
    await expect.poll(() => stream.destroyed).toBe(true)
  })

  it('looks after nothing that has closed before', async () => {
    const { keys, record } = await instance()
    let looks = 0
    const looked: Pick<typeof keys, 'get'> = {
      get: (id) => {
        looks++
        return keys.get(id)
      },
    }
    const stream = new PassThrough()
    stream.destroy()
    await once(stream, 'close')
    closeWhenRevoked(looked, record, stream, { every: '5ms' })
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(looks).toBe(0)
  })

  it('looks as often as each asks', async () => {
    const { keys, record } = await instance()
    let isGone = false
    const looked: Pick<typeof keys, 'get'> = { get: async (id) => (isGone ? undefined : keys.get(id)) }
    const [slow, quick] = [new PassThrough(), new PassThrough()]
    onTestFinished(() => void slow.destroy())
    closeWhenRevoked(looked, record, slow, { every: '1h' })
    closeWhenRevoked(looked, record, quick, { every: '10ms' })
    isGone = true
    await expect.poll(() => quick.destroyed).toBe(true)
    expect(slow.destroyed).toBe(false)
  })
})

describe('refuse', () => {
  it.each([undefined, null, {}, { ok: false, code: 'invalid_key', status: 401 }])(
    'refuses %j, which no guard gave',
    async (verdict) => {
      expect(await failure(() => refuse(process.stdout, verdict as never))).toMatchObject({ code: 'CONFIG' })
    },
  )

  it('writes nothing where somebody has answered', async () => {
    const keys = createApiKeys({ prefix: 'wsk_' })
    const check = guard(keys)
    const server = createServer(async (req, res) => {
      res.end('first')
      const verdict = await check(req, res)
      if (!verdict.ok) refuse(res, verdict)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    expect((await raw((server.address() as { port: number }).port, request())).body).toBe('first')
  })
})
