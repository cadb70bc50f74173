import { randomUUID } from 'node:crypto'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { type CallToolResult, isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express'
import { type Access, type ApiKeysOptions, createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { closeWhenRevoked } from 'keyward/node'
import { z } from 'zod'

type Scope = 'notes:read' | 'notes:write'

interface Session {
  readonly transport: StreamableHTTPServerTransport
  /** The key that opened it: no other one may use it. An id stays the same when its key is rotated. */
  readonly keyId: string
}

/** An MCP server over streamable HTTP: who may speak to it at all is the guard's business, who may call a tool is the tool's. */
export function createService(options: Pick<ApiKeysOptions, 'store' | 'storeTimeout' | 'onEvent'>) {
  const keys = createApiKeys({
    prefix: 'mcp_',
    scopes: { notes: ['read', 'write'] },
    cache: false, // a revoked key is refused at once, whoever revoked it
    trustedProxies: [],
    ...options,
  })
  const notes = new Map<string, string[]>()
  const sessions = new Map<string, Session>()

  /** What the SDK hands to each tool. It may be logged by anybody, so it has the id of the key, never the key. */
  const identify: RequestHandler = (req, _res, next) => {
    const { id, owner, scopes, expiresAt } = req.apiKey
    // The SDK wants an end. Ours is asked about at each request, so that this one only has to be later.
    const end = expiresAt === undefined ? Date.now() + 3_600_000 : Date.parse(expiresAt)
    const auth = { token: id, clientId: owner, scopes: [...scopes], expiresAt: Math.floor(end / 1000) }
    Object.assign(req, { auth: { ...auth, extra: { access: req.apiKey } } })
    next()
  }

  async function open(keyId: string): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { transport, keyId }),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await serverOf(notes).connect(transport)
    return transport
  }

  async function handle(req: Request, res: Response): Promise<void> {
    const session = sessions.get(String(req.headers['mcp-session-id']))
    const isOwn = session?.keyId === req.apiKey.id
    const isFirst = req.headers['mcp-session-id'] === undefined && isInitializeRequest(req.body)
    // A session of another key is as unknown as one that never was: the client begins a new one.
    if (!isOwn && !isFirst) return void res.status(404).json(fault('Session not found'))
    // The stream of a session stays open for hours: it ends with its key.
    if (req.method === 'GET') closeWhenRevoked(keys, req.apiKey, res)
    const transport = isOwn ? session.transport : await open(req.apiKey.id)
    await transport.handleRequest(req, res, req.body)
  }

  const app = express()
  // The guard comes first: nobody's body is read without a key.
  app.all('/mcp', guard(keys), identify, express.json({ limit: '1mb' }), handle)
  app.use(sendError)

  return {
    app,
    keys,
    async close(): Promise<void> {
      await Promise.all([...sessions.values()].map(({ transport }) => transport.close()))
      await keys.close()
    },
    async introduce(url: string): Promise<string> {
      const { key } = await keys.create({ owner: 'you', name: 'MCP', scopes: ['notes:*'] })
      return `export URL=${url} KEY=${key}`
    },
  }
}

/** One server for each session, with the same tools. Each tool says what it demands. */
function serverOf(notes: Map<string, string[]>): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  const listNotes = { description: 'Lists your notes.', inputSchema: {} }
  const addNote = { description: 'Adds a note.', inputSchema: { text: z.string().min(1) } }
  server.registerTool('list_notes', listNotes, (_input, { authInfo }) =>
    withScope(authInfo, 'notes:read', ({ owner }) => JSON.stringify(notes.get(owner) ?? [])),
  )
  server.registerTool('add_note', addNote, ({ text }, { authInfo }) =>
    withScope(authInfo, 'notes:write', ({ owner }) => {
      notes.set(owner, [...(notes.get(owner) ?? []), text])
      return 'added'
    }),
  )
  return server
}

/** Runs a tool for a key that has its scope; a model can read why another one was refused. */
function withScope(
  authInfo: { readonly extra?: Record<string, unknown> } | undefined,
  scope: Scope,
  run: (access: Access) => string,
): CallToolResult {
  const access = authInfo?.extra?.access as Access | undefined
  if (access?.can(scope)) return { content: [{ type: 'text', text: run(access) }] }
  return { isError: true, content: [{ type: 'text', text: `This API key lacks the scope ${scope}.` }] }
}

function fault(message: string): object {
  return { jsonrpc: '2.0', error: { code: -32001, message }, id: null }
}

/** What is wrong with a body is told; what is wrong with us is not. */
const sendError: ErrorRequestHandler = (error, _req, res, _next) => {
  const isTheirs = error.status >= 400 && error.status < 500
  if (!isTheirs) console.error(error)
  res.status(isTheirs ? error.status : 500).json(fault(isTheirs ? error.message : 'Something went wrong.'))
}
