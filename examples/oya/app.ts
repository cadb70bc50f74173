import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { type ApiKeysOptions, createApiKeys, type KeyRecord } from 'keyward'
import { guard } from 'keyward/express'
import { createSessions } from '../sessions.ts'
import { openai, questionOf } from '../upstream.ts'

/** Oya: every deployed agent has an OpenAI-compatible endpoint. The key says which agent is spoken to. */
export function createService(place: Pick<ApiKeysOptions, 'store' | 'storeTimeout'>) {
  const sessions = createSessions<{ readonly owner: string }>()
  /** The owner of each agent. */
  const agents = new Map<string, string>()
  /** The agent and the turns of each thread. */
  const threads = new Map<string, { readonly agent: string; readonly turns: unknown[] }>()

  // #region keys
  const keys = createApiKeys({
    ...place,
    prefix: 'a2a_',
    names: 'required',
    credits: 'owner', // one balance for all agents of an owner; a call takes one credit
    limits: { default: { minute: 60 } },
    cache: false, // deletion is immediate, in every process
    trustedProxies: [],
  })
  const called = guard(keys, { resource: '*' }) // any agent's key: which agent it is, the handler reads from it

  const agentOf = (id: string) => `agent:${id}`
  const shown = ({ id, name, display, status, createdAt, lastUsedAt, expiresAt }: KeyRecord) => {
    return { id, name, display, status, createdAt, lastUsedAt, expiresAt }
  }
  const apiKeys = express.Router({ mergeParams: true }).use(express.json())
  apiKeys.get('/', async (req, res) => {
    const { items } = await keys.list(ofAgent(req.params))
    res.json({ apiKeys: items.map(shown) })
  })
  apiKeys.post('/', async (req, res) => {
    const { name, expiresAt } = req.body ?? {}
    const { key, record } = await keys.create({ name, expiresAt, ...ofAgent(req.params) })
    res.status(201).json({ ...shown(record), key })
  })
  apiKeys.patch('/:id', async (req, res) => {
    const { name, expiresAt } = req.body ?? {}
    res.json(shown(await keys.update(req.params.id, { name, expiresAt }, ofAgent(req.params))))
  })
  apiKeys.delete('/:id', async (req, res) => {
    await keys.remove(req.params.id, ofAgent(req.params))
    res.status(204).end()
  })
  const KEY_ERRORS: Readonly<Record<string, number>> = { INPUT: 400, NOT_FOUND: 404, CONFLICT: 409 }
  // #endregion

  /** As a condition on keys: those of this agent, which `ownersOnly` has let through. */
  function ofAgent(params: object): { readonly owner: string; readonly resource: string } {
    const { agentId } = params as { readonly agentId: string }
    return { owner: agents.get(agentId) ?? '', resource: agentOf(agentId) }
  }

  const ownersOnly: RequestHandler = (req, res, next) => {
    if (agents.get(String(req.params.agentId)) === sessions.user(req).owner) next()
    else res.status(404).json({ error: { message: 'There is no such agent.' } })
  }

  /** A turn of a thread, which belongs to the agent of the key; the first answer has a new one. */
  const chat: RequestHandler = async (req, res) => {
    const question = questionOf(req.body)
    const agent = String(req.apiKey.resource)
    const { thread_id = `thread_${randomUUID()}` } = req.body
    const thread = threads.get(thread_id) ?? { agent, turns: [] }
    const isMadeUp = req.body.thread_id !== undefined && !threads.has(thread_id)
    if (isMadeUp || thread.agent !== agent) {
      const error = { type: 'invalid_request_error', message: 'There is no such thread.', param: 'thread_id' }
      return void res.status(404).json({ error })
    }
    threads.set(thread_id, thread)
    thread.turns.push(question.text)
    const { type, pieces } = openai({ ...question, more: { thread_id, turn: thread.turns.length } })
    res.type(type)
    for await (const piece of pieces) res.write(piece)
    res.end()
  }

  const sendError: ErrorRequestHandler = (error, _req, res, next) => {
    const status: number = KEY_ERRORS[error.code] ?? (error.status >= 400 && error.status < 500 ? error.status : 500)
    if (status === 500) console.error(error)
    if (res.headersSent) return next(error)
    const type = status === 500 ? 'api_error' : 'invalid_request_error'
    res.status(status).json({ error: { type, message: status === 500 ? 'Something went wrong.' : error.message } })
  }

  const app = express()
    .post('/api/v1/chat/completions', called, express.json({ limit: '1mb' }), chat)
    .use('/agents/:agentId/api-keys', sessions.required, ownersOnly, apiKeys)
    .use(sendError)

  return {
    app,
    keys,
    signIn: (owner: string) => sessions.signIn({ owner }),
    deploy: (agentId: string, owner: string) => void agents.set(agentId, owner),
    topUp: (owner: string, credits: number) => keys.credit({ owner }, credits),
    close: () => keys.close(),

    /** An agent with a key, and an owner with a balance, for `npm run example oya`. */
    async introduce(url: string): Promise<string> {
      agents.set('7', 'owner_1')
      const cookie = sessions.signIn({ owner: 'owner_1' })
      await keys.credit({ owner: 'owner_1' }, 100)
      const { key, record } = await keys.create({ owner: 'owner_1', resource: agentOf('7'), name: 'First key' })
      return `export URL=${url} KEY=${key} ID=${record.id} COOKIE=${cookie}`
    },
  }
}
