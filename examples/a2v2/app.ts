import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { type ApiKeysOptions, createApiKeys, type ScopeKnownTo } from 'keyward'
import { guard } from 'keyward/express'
import { createSessions } from '../sessions.ts'

export interface Member {
  readonly organization: string
  readonly role: 'owner' | 'admin' | 'member'
}

interface Item {
  readonly id: string
  readonly [field: string]: unknown
}

/** Where it runs: where its keys live, and which proxies are believed. */
type Place = Pick<ApiKeysOptions, 'store' | 'storeTimeout' | 'trustedProxies'>

/** a2v2: the CRM of organizations and their agents. A key comes with a secret, and acts on one agent. */
export function createService({ trustedProxies = [], ...place }: Place) {
  const sessions = createSessions<Member>()
  /** The organization of each agent. */
  const agents = new Map<string, string>()
  const items = new Map<string, Map<string, Item>>()
  const itemsOf = (place: string) => items.get(place) ?? items.set(place, new Map()).get(place) ?? new Map()

  const managersOnly: RequestHandler = (req, res, next) => {
    if (sessions.user(req).role !== 'member') next()
    else res.status(403).json({ error: 'only owners and admins may manage API keys' })
  }
  const ownAgentOnly: RequestHandler = (req, res, next) => {
    if (agents.get(String(req.body?.agentId)) === sessions.user(req).organization) next()
    else res.status(404).json({ error: 'there is no such agent' })
  }

  // #region keys
  const BOTH = { title: 'API key and secret are required', detail: 'API key and secret are required' }
  const keys = createApiKeys({
    ...place,
    prefix: 'a2v2_',
    pair: true, // X-API-Key and X-API-Secret
    names: 'required',
    scopes: { contacts: ['create', 'read', 'update', 'delete'], 'document-extraction': ['create', 'read'] },
    limits: { default: { minute: 60, hour: 1000 }, max: { minute: 1000, hour: 10_000 } },
    answers: {
      missing_credentials: BOTH,
      incomplete_credentials: BOTH,
      insufficient_scope: { title: 'permission denied', detail: 'permission denied' },
    },
    trustedProxies,
    cache: false, // edits and deletions take effect on the next request, in every process
  })
  type Permission = ScopeKnownTo<typeof keys>

  /** Lets a key with this permission through to its own agent. */
  const may = (permission: Permission) =>
    guard(keys, { scopes: [permission], resource: ({ params }) => `agent:${params.agentId}` })

  const apiKeys = express.Router().use(sessions.required)
  apiKeys.get('/', async (req, res) => void res.json(await keys.list({ owner: sessions.user(req).organization })))
  apiKeys.use(managersOnly, express.json())
  apiKeys.post('/', ownAgentOnly, async (req, res) => {
    const [owner, resource] = [sessions.user(req).organization, `agent:${req.body.agentId}`]
    res.status(201).json(await keys.create({ ...settingsIn(req.body), owner, resource }))
  })
  apiKeys.patch('/:id', async (req, res) => {
    res.json(await keys.update(req.params.id, settingsIn(req.body), { owner: sessions.user(req).organization }))
  })
  apiKeys.delete('/:id', async (req, res) => {
    await keys.remove(req.params.id, { owner: sessions.user(req).organization })
    res.status(204).end()
  })
  const KEY_ERRORS: Readonly<Record<string, number>> = { INPUT: 400, NOT_FOUND: 404, CONFLICT: 409, STATE: 409 }
  // #endregion

  const sendError: ErrorRequestHandler = (error, _req, res, _next) => {
    const status: number = KEY_ERRORS[error.code] ?? (error.status >= 400 && error.status < 500 ? error.status : 500)
    if (status === 500) console.error(error)
    res.status(status).json({ error: status === 500 ? 'something went wrong' : error.message, issues: error.issues })
  }

  const list: RequestHandler = (req, res) => void res.json([...itemsOf(req.path).values()])
  const add: RequestHandler = (req, res) => {
    const item = { ...req.body, id: randomUUID() }
    itemsOf(req.path).set(item.id, item)
    res.status(201).json(item)
  }
  const one: RequestHandler = (req, res) => {
    const [, place = '', id = ''] = /^(.*)\/([^/]+)$/.exec(req.path) ?? []
    const item = itemsOf(place).get(id)
    if (item === undefined) return void res.status(404).json({ error: 'there is no such contact' })
    if (req.method === 'PATCH') itemsOf(place).set(id, { ...item, ...req.body, id })
    if (req.method === 'DELETE') itemsOf(place).delete(id)
    res.json(itemsOf(place).get(id) ?? item)
  }

  const json = express.json()
  const contacts = '/agents/:agentId/contacts'
  const documents = '/agents/:agentId/document-extraction'
  const app = express()
    .use('/api-keys', apiKeys)
    .post(contacts, may('contacts:create'), json, add)
    .get(contacts, may('contacts:read'), list)
    .get(`${contacts}/:id`, may('contacts:read'), one)
    .patch(`${contacts}/:id`, may('contacts:update'), json, one)
    .delete(`${contacts}/:id`, may('contacts:delete'), one)
    .post(`${contacts}/:id/files`, may('contacts:create'), json, add)
    .get(`${contacts}/:id/files`, may('contacts:read'), list)
    .post(documents, may('document-extraction:create'), json, add)
    .get(documents, may('document-extraction:read'), list)
    .use(sendError)

  return {
    app,
    keys,
    signIn: (member: Member) => sessions.signIn(member),
    addAgent: (agentId: string, organization: string) => void agents.set(agentId, organization),
    close: () => keys.close(),

    /** An organization with an agent, its admin and a key, for `npm run example a2v2`. */
    async introduce(url: string): Promise<string> {
      agents.set('42', 'org_1')
      const cookie = sessions.signIn({ organization: 'org_1', role: 'admin' })
      const scopes = ['contacts:create', 'contacts:read'] as const
      const { key, secret, record } = await keys.create({ owner: 'org_1', resource: 'agent:42', name: 'Sync', scopes })
      return `export URL=${url} KEY=${key} SECRET=${secret} ID=${record.id} COOKIE=${cookie}`
    },
  }
}

/** What a member may say of a key: neither whose it is nor anything that Keyward has and a2v2 has not. */
function settingsIn(body: unknown) {
  const { name, description, permissions: scopes, limits, allowedIps, expiresAt } = Object(body)
  return { name, description, scopes, limits, allowedIps, expiresAt }
}
