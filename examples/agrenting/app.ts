import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { createApiKeys, type KeyRecord } from 'keyward'
import { guard } from 'keyward/express'
import type { Place } from '../place.ts'
import { createSessions } from '../sessions.ts'

export interface Agent {
  readonly id: string
  readonly owner_id: string | null
  readonly name: string
  readonly did: string
  readonly capabilities: readonly string[]
  readonly pricing_model: string
  readonly base_price: string
}

/** Agrenting: a marketplace where users register agents, and agents register themselves. */
export function createService(place: Place) {
  const sessions = createSessions<{ readonly user: string }>()
  const agents = new Map<string, Agent>()
  /** How many agents a user's plan allows; by default there is no limit. */
  const plans = new Map<string, number>()
  const agentsOf = (user: string) => [...agents.values()].filter(({ owner_id }) => owner_id === user)

  // #region keys
  const common = { cache: false, ...place, trustedProxies: [] } as const
  const userKeys = createApiKeys({ prefix: 'ap_', names: 'required', ...common })
  const agentKeys = createApiKeys({ prefix: 'agt_', ...common })

  const anyone = guard(userKeys, { optional: true }) // nobody at all, or a good user key: a bad one is refused
  const user = guard(userKeys)
  /** The agent itself, or the user who owns it. */
  const onAgent = guard([userKeys, agentKeys], {
    resource: ({ params }) => `agent:${params.id}`,
    owner: ({ params }) => keyOwnerOf(agents.get(String(params.id))),
  })
  const itself = guard(agentKeys, { resource: ({ params }) => `agent:${params.id}` })

  /** Every key has an owner: an agent that nobody owns is its own. */
  const keyOwnerOf = (agent: Agent | undefined) => agent && (agent.owner_id ?? `agent:${agent.id}`)
  const keyOf = (agent: Agent) =>
    agentKeys.create({ owner: keyOwnerOf(agent) ?? '', resource: `agent:${agent.id}`, name: agent.name })

  const shown = ({ id, name, display, createdAt, lastUsedAt }: KeyRecord) => {
    return { id, name, display, createdAt, lastUsedAt }
  }
  const apiKeys = express.Router().use(sessions.required, express.json())
  apiKeys.get('/', async (req, res) => {
    const { user: owner } = sessions.user(req)
    const { items, cursor } = await userKeys.list({ owner, cursor: req.query.cursor?.toString() })
    res.json({ data: items.map(shown), next_cursor: cursor ?? null })
  })
  apiKeys.post('/', async (req, res) => {
    const { key, record } = await userKeys.create({ owner: sessions.user(req).user, name: req.body?.name })
    res.status(201).json({ data: { ...shown(record), api_key: key } })
  })
  apiKeys.delete('/:id', async (req, res) => {
    await userKeys.remove(req.params.id, { owner: sessions.user(req).user })
    res.status(204).end()
  })
  // #endregion

  const register: RequestHandler = async (req, res) => {
    const owner = req.apiKey?.owner
    const agent = agentFrom(req.body?.agent, owner)
    // Counted and added in one turn of the event loop: no other registration comes between.
    if (owner !== undefined && agentsOf(owner).length >= (plans.get(owner) ?? Number.POSITIVE_INFINITY)) {
      return void res.status(403).json({ error: 'The agent limit of your plan is reached.' })
    }
    agents.set(agent.id, agent)
    try {
      const { key: api_key } = await keyOf(agent)
      const message = 'Keep your API key secure. It will not be shown again.'
      res.status(201).json({ data: { agent, api_key, message } })
    } catch (error) {
      agents.delete(agent.id)
      throw error
    }
  }

  const sendError: ErrorRequestHandler = (error, _req, res, _next) => {
    const status: number = error.status >= 400 && error.status < 500 ? error.status : 500
    if (status === 500) console.error(error)
    res.status(status).json({ error: status === 500 ? 'Something went wrong.' : error.message })
  }

  const show: RequestHandler = (req, res) => void res.json({ data: { agent: agents.get(String(req.params.id)) } })
  const app = express()
    .use('/api/v1/keys', apiKeys)
    .post('/api/v1/agents/register', anyone, express.json(), register)
    .get('/api/v1/agents', user, (req, res) => void res.json({ data: { agents: agentsOf(req.apiKey.owner) } }))
    .get('/api/v1/agents/:id', onAgent, show)
    .post('/api/v1/agents/:id/heartbeat', itself, show)
    .get('/dashboard/agents', sessions.required, (req, res) => {
      res.json({ data: { agents: agentsOf(sessions.user(req).user) } })
    })
    .use(sendError)

  return {
    app,
    userKeys,
    agentKeys,
    signIn: (user: string) => sessions.signIn({ user }),
    setPlanLimit: (user: string, most: number) => void plans.set(user, most),
    close: async () => void (await Promise.all([userKeys.close(), agentKeys.close()])),

    /** A user with a key, for `npm run example agrenting`. */
    async introduce(url: string): Promise<string> {
      const cookie = sessions.signIn({ user: 'user_1' })
      const { key, record } = await userKeys.create({ owner: 'user_1', name: 'First key' })
      return `export URL=${url} KEY=${key} ID=${record.id} COOKIE=${cookie}`
    },
  }
}

/** @throws an error with status 400 for what describes no agent */
function agentFrom(body: unknown, owner: string | undefined): Agent {
  const { name, did, capabilities = [], pricing_model, base_price } = Object(body)
  const isGood = [name, did, pricing_model].every(
    (text) => typeof text === 'string' && text !== '' && text.length <= 100,
  )
  const isList = Array.isArray(capabilities) && capabilities.every((each) => typeof each === 'string')
  if (!isGood || !isList || !/^\d+(\.\d+)?$/.test(String(base_price))) {
    throw Object.assign(new Error('agent must be { name, did, capabilities, pricing_model, base_price }'), {
      status: 400,
    })
  }
  const id = randomUUID()
  return { id, owner_id: owner ?? null, name, did, capabilities, pricing_model, base_price: String(base_price) }
}
