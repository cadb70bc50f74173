import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { type KeyStore, memoryStore } from 'keyward'
import { describe, expect, it, vi } from 'vitest'
import { createService } from '../../examples/mcp/app.ts'
import { bearing, rejection, start } from './services.ts'

async function open() {
  const [{ service, url }] = await start('memory', createService)
  const issue = (scopes: readonly ('notes:read' | 'notes:write' | 'notes:*')[], owner = 'acct_1') =>
    service.keys.create({ owner, scopes })

  /** The SDK's own client, connected. */
  async function connect(key: string) {
    const errors: Error[] = []
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers: { Authorization: `Bearer ${key}` } },
      reconnectionOptions: {
        maxRetries: 1,
        initialReconnectionDelay: 10,
        maxReconnectionDelay: 10,
        reconnectionDelayGrowFactor: 1,
      },
    })
    const client = new Client({ name: 'test', version: '1.0.0' })
    client.onerror = (error) => errors.push(error)
    await client.connect(transport)
    const call = async (name: string, args: Record<string, unknown> = {}) => {
      const { isError, content } = await client.callTool({ name, arguments: args })
      const [{ text }] = content as [{ text: string }]
      return isError === true ? `refused: ${text}` : text
    }
    return { client, transport, call, errors }
  }
  return { keys: service.keys, url, issue, connect }
}

describe('examples/mcp, with the client of the SDK', () => {
  it('serves its tools to a valid key, each owner its own notes', async () => {
    const { issue, connect } = await open()
    const [mine, theirs] = [await issue(['notes:*']), await issue(['notes:*'], 'acct_2')]
    const { client, call } = await connect(mine.key)
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['list_notes', 'add_note'])
    expect(await call('add_note', { text: 'milk' })).toBe('added')
    expect(await call('list_notes')).toBe('["milk"]')
    expect(await (await connect(theirs.key)).call('list_notes')).toBe('[]')
  })

  it.each(['', 'mcp_nonsense', 'sk-something'])('refuses the key %j at the connection', async (key) => {
    const { connect } = await open()
    expect(await rejection(connect(key))).toMatchObject({ code: 401 })
  })

  it('refuses a tool to a key without its scope, as a result that a model can read', async () => {
    const { issue, connect } = await open()
    const { call } = await connect((await issue(['notes:read'])).key)
    expect(await call('add_note', { text: 'milk' })).toBe('refused: This API key lacks the scope notes:write.')
    expect(await call('list_notes')).toBe('[]')
  })

  it('takes a scope away, and gives it, in the middle of a session', async () => {
    const { keys, issue, connect } = await open()
    const { key, record } = await issue(['notes:*'])
    const { call } = await connect(key)
    await keys.update(record.id, { scopes: ['notes:read'] })
    expect(await call('add_note', { text: 'milk' })).toMatch(/^refused/)
    await keys.update(record.id, { scopes: ['notes:write'] })
    expect(await call('add_note', { text: 'milk' })).toBe('added')
  })

  it('refuses a key that is revoked in the middle of a session, and closes its stream', async () => {
    const { keys, issue, connect } = await open()
    const { key, record } = await issue(['notes:*'])
    const { call, errors } = await connect(key)
    expect(await call('list_notes')).toBe('[]')
    await keys.revoke(record.id)
    expect(await rejection(call('list_notes'))).toMatchObject({ code: 401 })
    // The client tries to open its stream again, and is refused.
    await vi.waitFor(() => expect(String(errors)).toContain('Failed to open SSE stream'), { timeout: 10_000 })
  })

  it('goes on with a session when its key is rotated', async () => {
    const { keys, url, issue, connect } = await open()
    const { key, record } = await issue(['notes:*'])
    const { transport } = await connect(key)
    const fresh = await keys.rotate(record.id, { overlap: 0 })
    expect((await post(url, fresh.key, { session: transport.sessionId })).status).toBe(200)
    expect((await post(url, key, { session: transport.sessionId })).status).toBe(401)
  })

  it('knows no session of another key, nor one that never was', async () => {
    const { url, issue, connect } = await open()
    const { transport } = await connect((await issue(['notes:*'])).key)
    const other = await issue(['notes:*'])
    for (const session of [transport.sessionId, 'nonsense', '__proto__', undefined]) {
      expect((await post(url, other.key, { session })).status).toBe(404)
    }
    const stream = await fetch(`${url}/mcp`, {
      headers: { ...bearing(other.key), accept: 'text/event-stream', 'mcp-session-id': transport.sessionId ?? '' },
    })
    expect(stream.status).toBe(404)
  })

  it('checks each call of a batch', async () => {
    const { url, issue, connect } = await open()
    const { key } = await issue(['notes:read'])
    const { transport } = await connect(key)
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'add_note', arguments: { text: 'x' } } }
    const answer = await post(url, key, { session: transport.sessionId, body: [call, { ...call, id: 2 }] })
    expect(await answer.text()).not.toContain('added')
  })

  it('hands the SDK the id of the key, and no part of its secret', async () => {
    const { keys, url, issue } = await open()
    const { key, record } = await issue(['notes:read'])
    const expiring = await keys.create({ owner: 'acct_1', scopes: ['notes:read'], expiresAt: '2099-01-01T00:00:00Z' })
    const seen: { token: string; clientId: string; expiresAt?: number }[] = []
    const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js')
    const handle = vi.spyOn(StreamableHTTPServerTransport.prototype, 'handleRequest')
    handle.mockImplementation(async (req, res) => {
      if (req.auth !== undefined) seen.push(req.auth)
      res.end()
    })
    try {
      for (const each of [key, expiring.key]) await post(url, each, { body: INITIALIZE })
    } finally {
      handle.mockRestore()
    }
    expect(seen).toMatchObject([
      { token: record.id, clientId: 'acct_1', scopes: ['notes:read'], expiresAt: expect.any(Number) },
      { token: expiring.record.id, expiresAt: Date.parse('2099-01-01T00:00:00Z') / 1000 },
    ])
    expect(JSON.stringify(seen)).not.toContain(key.slice(-30))
  })

  it('refuses before it reads a body', async () => {
    const { url } = await open()
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{ this is no JSON',
    })
    expect(answer.status).toBe(401)
  })

  it('closes with sessions open', async () => {
    const store: KeyStore = memoryStore()
    const service = createService({ store })
    await expect(service.close()).resolves.toBeUndefined()
  })
})

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}

interface Message {
  readonly session?: string | undefined
  readonly body?: unknown
}

function post(url: string, key: string, { session, body }: Message): Promise<Response> {
  return fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      ...bearing(key),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
    },
    body: JSON.stringify(body ?? { jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  })
}
