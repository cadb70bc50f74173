import { describe, expect, it } from 'vitest'
import { createService } from '../../examples/agrenting/app.ts'
import { ask, bearing, ENGINES, type Engine, start } from './services.ts'

const AGENT = {
  name: 'Translator',
  did: 'did:example:123',
  capabilities: ['translation'],
  pricing_model: 'fixed',
  base_price: '9.50',
}

/** A user with a key. */
async function open(engine: Engine, instances = 1) {
  const [{ url, service }, other] = await start(engine, createService, instances)
  const as = service.signIn('user_1')
  const create = async (session = as, name = 'Laptop') => {
    const { status, body } = await ask(`${url}/api/v1/keys`, { as: session, json: { name } })
    expect(status).toBe(201)
    return body.data as { id: string; api_key: string }
  }
  const register = (headers: Readonly<Record<string, string>> = {}, agent: object = AGENT) =>
    ask(`${url}/api/v1/agents/register`, { headers, json: { agent } })
  const dashboard = async (session = as) => (await ask(`${url}/dashboard/agents`, { as: session })).body.data.agents
  return { url, other, service, as, create, register, dashboard }
}

const carrying = (key: string) => ({ 'x-api-key': key })

describe.each(ENGINES)('Agrenting on %s', (engine) => {
  it('User keys ap_… in X-API-Key; shown once; named', async () => {
    const { url, as, create } = await open(engine)
    const { api_key } = await create()
    expect(api_key).toMatch(/^ap_[0-9A-Za-z]{50}$/)
    expect((await ask(`${url}/api/v1/agents`, { headers: carrying(api_key) })).status).toBe(200)
    const { body } = await ask(`${url}/api/v1/keys`, { as })
    expect(body.data).toMatchObject([{ name: 'Laptop' }])
    expect(JSON.stringify(body)).not.toContain(api_key.slice(15, 47))
    expect((await ask(`${url}/api/v1/keys`, { as, json: {} })).status).toBe(400)
  })

  it("full access to that user's account, and to no other", async () => {
    const { url, service, create, register } = await open(engine)
    const mine = await create()
    const theirs = await create(service.signIn('user_2'))
    const { id } = (await register(carrying(mine.api_key))).body.data.agent
    const read = async (key: string) => (await ask(`${url}/api/v1/agents/${id}`, { headers: carrying(key) })).status
    expect(await read(mine.api_key)).toBe(200)
    expect(await read(theirs.api_key)).toBe(403)
    const agents = async (key: string) =>
      (await ask(`${url}/api/v1/agents`, { headers: carrying(key) })).body.data.agents.length as number
    expect([await agents(mine.api_key), await agents(theirs.api_key)]).toEqual([1, 0])
  })

  it("register with a user key → the agent is owned by the user, visible in the user's list", async () => {
    const { create, register, dashboard } = await open(engine)
    const told = await register(carrying((await create()).api_key))
    expect(told).toMatchObject({ status: 201, body: { data: { agent: { owner_id: 'user_1' } } } })
    expect(await dashboard()).toEqual([told.body.data.agent])
  })

  it("counts against the user's plan limit (403 when it is reached; by default there is none)", async () => {
    const { service, create, register } = await open(engine)
    const headers = carrying((await create()).api_key)
    for (let i = 0; i < 3; i++) expect((await register(headers)).status).toBe(201)
    service.setPlanLimit('user_1', 4)
    expect([(await register(headers)).status, (await register(headers)).status]).toEqual([201, 403])
    const stranger = await create(service.signIn('user_2'))
    expect((await register(carrying(stranger.api_key))).status).toBe(201)
  })

  it('50 registrations at once on one instance at a plan limit of 10 leave exactly 10', async () => {
    const { service, create, register, dashboard } = await open(engine)
    const headers = carrying((await create()).api_key)
    service.setPlanLimit('user_1', 10)
    const told = await Promise.all(Array.from({ length: 50 }, () => register(headers)))
    const statuses = told.map(({ status }) => status)
    expect([statuses.filter((each) => each === 201).length, statuses.filter((each) => each === 403).length]).toEqual([
      10, 40,
    ])
    expect(await dashboard()).toHaveLength(10)
    expect((await service.agentKeys.list({ owner: 'user_1' })).items).toHaveLength(10)
  })

  it('with no key at all → autonomous registration: owner none, no limit, in no dashboard', async () => {
    const { service, register, dashboard } = await open(engine)
    service.setPlanLimit('user_1', 0)
    const told = await Promise.all([register(), register(), register()])
    for (const { status, body } of told) {
      expect({ status, owner: body.data.agent.owner_id }).toEqual({ status: 201, owner: null })
    }
    expect(await dashboard()).toEqual([])
  })

  it('A key that is present but bad is 401, never "autonomous"', async () => {
    const { url, as, create, register } = await open(engine)
    const { id, api_key } = await create()
    expect((await ask(`${url}/api/v1/keys/${id}`, { as, method: 'DELETE' })).status).toBe(204)
    const agentKey = (await register()).body.data.api_key
    for (const bad of [api_key, api_key.slice(0, -1), 'ap_', 'nonsense', '', agentKey]) {
      expect((await register(carrying(bad))).status, bad).toBe(401)
    }
    for (const authorization of ['Bearer', 'Bearer nonsense', `Bearer ${api_key}`, 'Basic YTpi']) {
      expect((await register({ authorization })).status, authorization).toBe(401)
    }
  })

  it('The answer is { data: { agent, api_key, message } }, base_price a string', async () => {
    const { create, register } = await open(engine)
    const { body } = await register(carrying((await create()).api_key), { ...AGENT, base_price: 9.5 })
    expect(body).toEqual({
      data: {
        agent: { ...AGENT, id: expect.any(String), owner_id: 'user_1', base_price: '9.5' },
        api_key: expect.stringMatching(/^agt_[0-9A-Za-z]{50}$/),
        message: 'Keep your API key secure. It will not be shown again.',
      },
    })
  })

  it("api_key is a fresh key of the agent itself, which works on the agent's own routes and on no other agent's", async () => {
    const { url, create, register } = await open(engine)
    const headers = carrying((await create()).api_key)
    const [one, sibling, stranger] = [await register(headers), await register(headers), await register()]
    const { agent, api_key } = one.body.data
    const visit = async (id: string, route: 'heartbeat' | 'show', key: string) => {
      const method = route === 'show' ? 'GET' : 'POST'
      const path = route === 'show' ? '' : '/heartbeat'
      return (await ask(`${url}/api/v1/agents/${id}${path}`, { method, headers: carrying(key) })).status
    }
    for (const route of ['show', 'heartbeat'] as const) {
      expect(await visit(agent.id, route, api_key)).toBe(200)
      expect(await visit(sibling.body.data.agent.id, route, api_key)).toBe(403)
      expect(await visit(stranger.body.data.agent.id, route, api_key)).toBe(403)
      expect(await visit(stranger.body.data.agent.id, route, stranger.body.data.api_key)).toBe(200)
      expect(await visit('no-such-agent', route, api_key)).toBe(403)
    }
    expect((await ask(`${url}/api/v1/agents`, { headers: carrying(api_key) })).status).toBe(401)
    expect(await visit(agent.id, 'heartbeat', headers['x-api-key'])).toBe(401)
  })

  it('what describes no agent is 400 and leaves neither agent nor key', async () => {
    const { service, create, register, dashboard } = await open(engine)
    const headers = carrying((await create()).api_key)
    for (const more of [{ name: 7 }, { capabilities: 'all' }, { base_price: 'much' }, { did: undefined }]) {
      expect((await register(headers, { ...AGENT, ...more })).status, JSON.stringify(more)).toBe(400)
    }
    expect(await dashboard()).toEqual([])
    expect((await service.agentKeys.list({ owner: 'user_1' })).items).toEqual([])
  })

  it('a user key that is deleted on one instance is refused by the other at its next request', async () => {
    const { url, other, as, create } = await open(engine, 2)
    const { id, api_key } = await create()
    const there = `${other?.url}/api/v1/agents`
    const headers = bearing(api_key)
    expect((await ask(there, { headers })).status).toBe(200)
    await ask(`${url}/api/v1/keys/${id}`, { as, method: 'DELETE' })
    expect((await ask(there, { headers })).status).toBe(401)
  })
})
