import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { type ApiKeysOptions, createApiKeys, type ScopeKnownTo } from 'keyward'
import { consolePage } from 'keyward/console'
import { guard, mount } from 'keyward/express'
import type { Place } from '../place.ts'
import { createSessions } from '../sessions.ts'

export interface Member {
  readonly organization: string
  readonly role: 'owner' | 'admin' | 'member'
}

interface Item {
  readonly id: string
  readonly [field: string]: unknown
}

/** a2v2: the CRM of organizations and their agents. A key comes with a secret, and acts on one agent. */
export function createService(place: Place & Pick<ApiKeysOptions, 'trustedProxies'>, url: string) {
  const sessions = createSessions<Member>()
  /** The organization of each agent. */
  const agents = new Map<string, string>()
  const items = new Map<string, Map<string, Item>>()
  const itemsOf = (place: string) => items.get(place) ?? items.set(place, new Map()).get(place) ?? new Map()

  /** Whoever is not signed in, the page tells so. */
  const ownAgentOnly: RequestHandler = (req, res, next) => {
    const member = sessions.of(req.headers.cookie)
    if (member === undefined || agents.get(String(req.params.agentId)) === member.organization) next()
    else res.status(404).json({ error: 'there is no such agent' })
  }

  // #region keys
  const BOTH = { title: 'API key and secret are required', detail: 'API key and secret are required' }
  const keys = createApiKeys({
    cache: false, // edits and deletions take effect on the next request, in every process
    trustedProxies: [],
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
  })
  type Permission = ScopeKnownTo<typeof keys>

  /** Lets a key with this permission through to its own agent. */
  const may = (permission: Permission) =>
    guard(keys, { scopes: [permission], resource: ({ params }) => `agent:${params.agentId}` })

  const page = consolePage(keys, {
    authorize({ headers }, { incoming }) {
      const member = sessions.of(headers.get('cookie'))
      if (member === undefined) return undefined
      const verbs = member.role === 'member' ? ['list', 'read'] : ['list', 'read', 'create', 'update', 'remove']
      const resource = `agent:${incoming?.params?.agentId}` // which is theirs: ownAgentOnly has seen to it
      return { owner: member.organization, resource, may: (verb) => verbs.includes(verb) }
    },
    baseUrl: { api: url },
    snippets: SNIPPETS,
    texts: { en: { scopes: 'Permissions', columnScopes: 'Permissions', addresses: 'Allowed IPs' } },
    fields: ['name', 'description', 'scopes', 'limits', 'allowedIps', 'expiresAt'],
    windows: ['minute', 'hour'],
    browserKey: false,
    self: false,
  })
  // #endregion

  const sendError: ErrorRequestHandler = (error, _req, res, _next) => {
    const status: number = error.status >= 400 && error.status < 500 ? error.status : 500
    if (status === 500) console.error(error)
    res.status(status).json({ error: status === 500 ? 'something went wrong' : error.message })
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
    if (item === undefined) return void res.status(404).json({ error: 'there is nothing here' })
    if (req.method === 'PATCH') itemsOf(place).set(id, { ...item, ...req.body, id })
    if (req.method === 'DELETE') itemsOf(place).delete(id)
    res.json(itemsOf(place).get(id) ?? item)
  }

  const json = express.json()
  const contacts = '/agents/:agentId/contacts'
  const documents = '/agents/:agentId/document-extraction'
  const app = express()
    .use('/agents/:agentId/api-keys', ownAgentOnly, mount(page))
    .get('/sign-in/:session', sessions.enter)
    .post(documents, may('document-extraction:create'), json, add)
    .get(documents, may('document-extraction:read'), list)
  for (const path of [contacts, `${contacts}/:contactId/files`]) {
    app.post(path, may('contacts:create'), json, add).get(path, may('contacts:read'), list)
    app.get(`${path}/:id`, may('contacts:read'), one).delete(`${path}/:id`, may('contacts:delete'), one)
    app.patch(`${path}/:id`, may('contacts:update'), json, one)
  }
  app.use(sendError)

  return {
    app,
    keys,
    signIn: (member: Member) => sessions.signIn(member),
    addAgent: (agentId: string, organization: string) => void agents.set(agentId, organization),
    close: () => keys.close(),

    /** An organization with an agent, its admin and a key, for `npm run example a2v2`. */
    async introduce(): Promise<string> {
      agents.set('42', 'org_1')
      const cookie = sessions.signIn({ organization: 'org_1', role: 'admin' })
      const scopes = ['contacts:create', 'contacts:read'] as const
      const { key, secret, record } = await keys.create({ owner: 'org_1', resource: 'agent:42', name: 'Sync', scopes })
      const link = url + sessions.linkTo('/agents/42/api-keys', cookie)
      const line = `export URL=${url} KEY=${key} SECRET=${secret} ID=${record.id} COOKIE=${cookie}`
      return `${line}\n\nThe page, in a browser: ${link}`
    },
  }
}

const SNIPPETS = [
  {
    label: 'curl',
    text: `curl {baseUrl}/agents/{resource}/contacts \\
  -H "X-API-Key: {key}" \\
  -H "X-API-Secret: {secret}"
`,
  },
  {
    label: 'fetch',
    text: `const headers = { 'X-API-Key': '{key}', 'X-API-Secret': '{secret}' }
const response = await fetch('{baseUrl}/agents/{resource}/contacts', { headers })
console.log(await response.json())
`,
  },
]
