import express, { type ErrorRequestHandler, type Request } from 'express'
import { createApiKeys, type Demand } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { CARRIERS, type Carrier } from '../support/express.ts'
import { judged } from '../support/outcome.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

const wordOf = ({ status, body }: RawAnswer) => (status === 200 ? 'admitted' : String(JSON.parse(body).code))

/** Routes that act on agents, for keys of one instance, and what reached their handlers. */
async function agents({ options, lines }: Carrier) {
  const keys = createApiKeys({ prefix: 'res_', ...options })
  const handled: string[] = []
  const app = express()
  app.use(express.json())
  const handle = (req: Request, res: { json(body: unknown): unknown }) => {
    handled.push(`${req.apiKey.owner} ${agentOf(req) ?? req.path}`)
    res.json({})
  }
  app.get('/agents/:id', guard(keys, { resource: (req) => `agent:${String(req.params.id)}` }), handle)
  app.post('/agents/:id', guard(keys, { resource: agentOf }), handle)
  app.post('/strict/:id', guard(keys, { resource: agentOrThrow }), handle)
  app.get('/contacts', guard(keys), handle)
  app.get('/any', guard(keys, { resource: '*' }), handle)
  app.get('/accounts/:account/agents/:agent', guard(keys, { owner: accountOf, resource: agentIn }), handle)
  const report: ErrorRequestHandler = (error, _req, res, _next) =>
    void res.status(error.status ?? 500).json({ code: String(error.message) })
  app.use(report)
  const { port } = await serve(app)
  const make = async (resource?: string, owner = 'acct_1') => {
    const created = await keys.create({ owner, resource })
    return async (target: string, body?: object) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      const more = body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${text.length}`]
      const head = request([...lines(created), ...more], { target, method: body === undefined ? 'GET' : 'POST' })
      return wordOf(await raw(port, Buffer.concat([head, Buffer.from(text)])))
    }
  }
  return { keys, make, handled }
}

/** The agent that the handler acts on, where path, query and body agree on it. */
function agentOf(req: Request): string | undefined {
  const said = [req.params.id, req.query.agentId, (req.body as { agentId?: unknown } | undefined)?.agentId]
  const named = new Set(said.filter((id) => id !== undefined))
  const [id] = named
  return named.size === 1 && typeof id === 'string' ? `agent:${id}` : undefined
}

function agentOrThrow(req: Request): string {
  const agent = agentOf(req)
  if (agent === undefined) throw Object.assign(new Error('mismatch'), { status: 400 })
  return agent
}

const accountOf = (req: Request) => `acct_${String(req.params.account)}`
const agentIn = (req: Request) => `agent:${String(req.params.agent)}`

describe.each(CARRIERS)('R. Resources of one account ($source)', (carrier) => {
  it('R-02 a key that is bound to one agent is refused on another of the same account', async () => {
    const { make, handled } = await agents(carrier)
    const [x, y] = [await make('agent:X'), await make('agent:Y')]
    expect([await x('/agents/X'), await x('/agents/Y'), await y('/agents/X'), await y('/agents/Y')]).toEqual([
      'admitted',
      'resource_mismatch',
      'resource_mismatch',
      'admitted',
    ])
    expect(handled).toEqual(['acct_1 agent:X', 'acct_1 agent:Y'])
  })

  it('R-02 a bound key is refused where the route names no resource, unless it says that any will do', async () => {
    const { make } = await agents(carrier)
    const [bound, free] = [await make('agent:X'), await make()]
    expect([await bound('/contacts'), await bound('/any')]).toEqual(['resource_mismatch', 'admitted'])
    expect([await free('/contacts'), await free('/any'), await free('/agents/X'), await free('/agents/Y')]).toEqual(
      Array(4).fill('admitted'),
    )
  })

  it('R-02 R-09 a key of another account is refused though its resource is called the same', async () => {
    const { make, handled } = await agents(carrier)
    const [ours, theirs] = [await make('agent:X'), await make('agent:X', 'acct_2')]
    expect([await ours('/accounts/1/agents/X'), await ours('/accounts/2/agents/X')]).toEqual([
      'admitted',
      'owner_mismatch',
    ])
    expect(await theirs('/accounts/1/agents/X')).toBe('owner_mismatch')
    expect(await theirs('/accounts/2/agents/Y')).toBe('resource_mismatch')
    expect(handled).toEqual(['acct_1 /accounts/1/agents/X'])
  })

  it('R-17 where path, query and body disagree on the resource nobody passes', async () => {
    const { make, handled } = await agents(carrier)
    const keysOf = { bound: await make('agent:X'), free: await make() }
    for (const ask of Object.values(keysOf)) {
      expect(await ask('/agents/X', { agentId: 'Y' })).toBe('resource_mismatch')
      expect(await ask('/agents/Y', { agentId: 'X' })).toBe('resource_mismatch')
      expect(await ask('/agents/X?agentId=Y', {})).toBe('resource_mismatch')
      expect(await ask('/agents/X?agentId=X&agentId=Y', {})).toBe('resource_mismatch')
      expect(await ask('/agents/X', { agentId: ['X'] })).toBe('resource_mismatch')
      expect(await ask('/agents/X', { agentId: null })).toBe('resource_mismatch')
      expect(await ask('/strict/X', { agentId: 'Y' })).toBe('mismatch')
    }
    expect(handled).toEqual([])
    expect(await keysOf.bound('/agents/X?agentId=X', { agentId: 'X' })).toBe('admitted')
    expect(handled).toEqual(['acct_1 agent:X'])
  })

  it('R-18 only the decoded name itself is the name', async () => {
    const { make, handled } = await agents(carrier)
    const ask = await make('agent:X')
    for (const other of ['x', 'X%2e', '%20X', 'X%00', 'X%2f', 'X%252e', '%2558', 'X;a', '*', '%2a', 'X%0a', '%D0%A5']) {
      expect(await ask(`/agents/${other}`)).toBe('resource_mismatch')
    }
    expect(handled).toEqual([])
    for (const same of ['X', '%58', 'X/', 'X?x=Y', 'X#Y']) expect(await ask(`/agents/${same}`)).toBe('admitted')
  })

  it('R-16 keys of an account that was closed are refused at once, and unknown once they are removed', async () => {
    const { keys, make, handled } = await agents(carrier)
    const [gone, other] = [await make(), await make(undefined, 'acct_2')]
    expect([await gone('/contacts'), await other('/contacts')]).toEqual(['admitted', 'admitted'])
    await keys.revokeAll({ owner: 'acct_1', reason: 'closed' })
    expect([await gone('/contacts'), await other('/contacts')]).toEqual(['revoked', 'admitted'])
    for (const { id } of (await keys.list({ owner: 'acct_1' })).items) await keys.remove(id)
    expect([await gone('/contacts'), await other('/contacts')]).toEqual(['invalid_key', 'admitted'])
    expect(handled.filter((line) => line.startsWith('acct_1'))).toHaveLength(1)
  })
})

describe('R. What a demand names', () => {
  it.each([
    undefined,
    null,
    '',
    0,
    1,
    true,
    ['agent:X'],
    { agent: 'X' },
    new String('agent:X'),
    '*',
    'agent:*',
    'agent:',
  ])('R-17 R-18 %j is not the resource of a key, nor its owner', async (named) => {
    const keys = createApiKeys({ prefix: 'res_' })
    const { key } = await keys.create({ owner: 'agent:X', resource: 'agent:X' })
    const answer = () => named as string
    expect(await judged(keys, key, { resource: answer })).toBe('resource_mismatch')
    expect(await judged(keys, key, { resource: '*', owner: answer })).toBe('owner_mismatch')
  })

  it.each([undefined, null, '', 0, ['agent:X'], { agent: 'X' }])(
    'R-17 a resource that is %j lets no key pass, bound or not',
    async (named) => {
      const keys = createApiKeys({ prefix: 'res_' })
      const { key } = await keys.create({ owner: 'acct_1' })
      expect(await judged(keys, key, { resource: () => named as string })).toBe('resource_mismatch')
    },
  )

  it.each(['*', 'agent:*', '%', 'agent', ''])('R-18 a resource of a key is no pattern: %j', async (resource) => {
    const keys = createApiKeys({ prefix: 'res_' })
    const input = { owner: 'acct_1', ...(resource === '' ? {} : { resource }) }
    const { key } = await keys.create(input)
    const demand: Demand = { resource: 'agent:X' }
    expect(await judged(keys, key, demand)).toBe(resource === '' ? 'admitted' : 'resource_mismatch')
  })
})
