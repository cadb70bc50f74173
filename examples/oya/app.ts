import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { createApiKeys } from 'keyward'
import { consolePage } from 'keyward/console'
import { guard, mount } from 'keyward/express'
import type { Place } from '../place.ts'
import { createSessions } from '../sessions.ts'
import { openai, questionOf } from '../upstream.ts'

/** Oya: every deployed agent has an OpenAI-compatible endpoint. The key says which agent is spoken to. */
export function createService(place: Place, url: string) {
  const sessions = createSessions<{ readonly owner: string }>()
  /** The owner of each agent. */
  const agents = new Map<string, string>()
  /** The agent and the turns of each thread. */
  const threads = new Map<string, { readonly agent: string; readonly turns: unknown[] }>()

  // #region keys
  const keys = createApiKeys({
    cache: false, // deletion is immediate, in every process
    ...place,
    prefix: 'a2a_',
    names: 'required',
    credits: 'owner', // one balance for all agents of an owner; a call takes one credit
    limits: { default: { minute: 60 } },
    trustedProxies: [],
  })
  const called = guard(keys, { resource: '*' }) // any agent's key: which agent it is, the handler reads from it

  const agentOf = (id: unknown) => `agent:${id}`
  const VERBS = ['list', 'read', 'create', 'update', 'remove'] // a rotation here is create, update, delete
  const page = consolePage(keys, {
    authorize({ headers }, { incoming }) {
      const user = sessions.of(headers.get('cookie'))
      const resource = agentOf(incoming?.params?.agentId) // which is theirs: ownersOnly has seen to it
      return user && { owner: user.owner, resource, may: (verb) => VERBS.includes(verb) }
    },
    baseUrl: { openai: `${url}/api/v1` },
    model: 'echo',
    fields: ['name', 'expiresAt'],
    self: false,
  })
  // #endregion

  /** Whoever is not signed in, the page tells so. */
  const ownersOnly: RequestHandler = (req, res, next) => {
    const user = sessions.of(req.headers.cookie)
    if (user === undefined || agents.get(String(req.params.agentId)) === user.owner) next()
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
    const status: number = error.status >= 400 && error.status < 500 ? error.status : 500
    if (status === 500) console.error(error)
    if (res.headersSent) return next(error)
    const type = status === 500 ? 'api_error' : 'invalid_request_error'
    res.status(status).json({ error: { type, message: status === 500 ? 'Something went wrong.' : error.message } })
  }

  const app = express()
    .post('/api/v1/chat/completions', called, express.json({ limit: '1mb' }), chat)
    .use('/agents/:agentId/api-keys', ownersOnly, mount(page))
    .get('/sign-in/:session', sessions.enter)
    .use(sendError)

  return {
    app,
    keys,
    signIn: (owner: string) => sessions.signIn({ owner }),
    deploy: (agentId: string, owner: string) => void agents.set(agentId, owner),
    topUp: (owner: string, credits: number) => keys.credit({ owner }, credits),
    close: () => keys.close(),

    /** An agent with a key, and an owner with a balance, for `npm run example oya`. */
    async introduce(): Promise<string> {
      agents.set('7', 'owner_1')
      const cookie = sessions.signIn({ owner: 'owner_1' })
      await keys.credit({ owner: 'owner_1' }, 100)
      const { key, record } = await keys.create({ owner: 'owner_1', resource: agentOf('7'), name: 'First key' })
      const link = url + sessions.linkTo('/agents/7/api-keys', cookie)
      return `export URL=${url} KEY=${key} ID=${record.id} COOKIE=${cookie}\n\nThe page, in a browser: ${link}`
    },
  }
}
