import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteStore } from 'keyward/sqlite'
import OpenAI from 'openai'
import OpenAI7 from 'openai7'
import { describe, expect, it } from 'vitest'
import { createService } from '../../examples/oya/app.ts'
import { ask, bearing, ENGINES, type Engine, rejection, SERVERS, start } from './services.ts'

const CHAT = { model: 'echo', messages: [{ role: 'user', content: 'Good morning' }] }

interface Made {
  readonly id: string
  readonly key: string
}

/** Two agents of one owner with a balance, an agent of somebody else; two instances. */
async function open(engine: Engine, credits = 100) {
  const instances = await start(engine, createService, 2)
  for (const { service } of instances) {
    for (const agent of ['7', '8']) service.deploy(agent, 'owner_1')
    service.deploy('9', 'owner_2')
  }
  const [{ url, service, store, requests }, other] = instances
  if (credits > 0) await service.topUp('owner_1', credits)
  const as = service.signIn('owner_1')
  const keysOf = (agent = '7') => `${url}/agents/${agent}/api-keys`
  const create = async (json: object = { name: 'First' }, agent = '7') => {
    const { status, body } = await ask(keysOf(agent), { as, json })
    expect(status, JSON.stringify(body)).toBe(201)
    return { id: body.record.id as string, key: body.key as string }
  }
  const endpoint = `${url}/api/v1/chat/completions`
  const chat = (key: string, more: object = {}, to = endpoint) =>
    ask(to, { headers: bearing(key), json: { ...CHAT, ...more } })
  return { url, other, service, store, requests, as, keysOf, create, chat, endpoint }
}

describe.each(ENGINES)('Oya on %s', (engine) => {
  it('Keys start with a2a_; created from an agent with a name; text shown once', async () => {
    const { keysOf, as, create } = await open(engine)
    const { key } = await create({ name: 'Website' })
    expect(key).toMatch(/^a2a_[0-9A-Za-z]{50}$/)
    const { body } = await ask(keysOf(), { as })
    expect(body.items).toMatchObject([{ name: 'Website' }])
    expect(JSON.stringify(body)).not.toContain(key.slice(16, 48))
    expect((await ask(keysOf(), { as, json: {} })).status).toBe(400)
    expect((await ask(keysOf('9'), { as, json: { name: 'x' } })).status).toBe(404)
    expect((await ask(keysOf(), { json: { name: 'x' } })).status).toBe(401)
  })

  it('stored hashed: what the store has of a key is not its secret', async () => {
    const { store, create } = await open(engine)
    const { id, key } = await create()
    const stored = JSON.stringify(await store.find(id))
    expect(stored).toContain(id)
    expect(stored).not.toContain(key.slice(16, 48))
  })

  it('One key, one agent: its keys are listed, changed and deleted under that agent only', async () => {
    const { keysOf, as, create } = await open(engine)
    const { id } = await create()
    expect((await ask(keysOf('8'), { as })).body.items).toEqual([])
    expect((await ask(`${keysOf('8')}/${id}`, { as, method: 'PATCH', json: { name: 'x' } })).status).toBe(404)
    expect((await ask(`${keysOf('8')}/${id}`, { as, method: 'DELETE' })).status).toBe(404)
    expect((await ask(keysOf(), { as })).body.items).toHaveLength(1)
    expect((await ask(keysOf('9'), { as })).status).toBe(404)
  })

  it('Authorization: Bearer a2a_… or X-API-Key: a2a_…', async () => {
    const { create, endpoint } = await open(engine)
    const { key } = await create()
    for (const headers of [bearing(key), { 'x-api-key': key }]) {
      const { status, body } = await ask(endpoint, { headers, json: CHAT })
      expect({ status, answer: body.choices[0].message.content }).toEqual({
        status: 200,
        answer: 'You said: Good morning',
      })
    }
  })

  it('Body may carry thread_id; the first answer has one', async () => {
    const { create, chat } = await open(engine)
    const { key } = await create()
    const first = await chat(key)
    expect(first.body).toMatchObject({ thread_id: expect.stringMatching(/^thread_/), turn: 1 })
    const second = await chat(key, { thread_id: first.body.thread_id })
    expect(second.body).toMatchObject({ thread_id: first.body.thread_id, turn: 2 })
    expect((await chat(key)).body.thread_id).not.toBe(first.body.thread_id)
  })

  it("a thread belongs to the key's agent", async () => {
    const { create, chat } = await open(engine)
    const [seven, again, eight] = [await create(), await create(), await create({ name: 'Other' }, '8')]
    const { thread_id } = (await chat(seven.key)).body
    expect((await chat(again.key, { thread_id })).status).toBe(200)
    const refused = await chat(eight.key, { thread_id })
    const madeUp = await chat(eight.key, { thread_id: 'thread_0' })
    expect(refused).toMatchObject({ status: 404, body: madeUp.body })
  })

  it('Last-used shown per key', async () => {
    const { create, chat, keysOf, as, service } = await open(engine)
    const [used, unused] = [await create(), await create()]
    await chat(used.key)
    await service.keys.flush()
    const { items } = (await ask(keysOf(), { as })).body
    const lastUsed = Object.fromEntries(items.map((each: Made & { lastUsedAt?: string }) => [each.id, each.lastUsedAt]))
    expect(lastUsed[used.id]).toMatch(/^20\d\d-\d\d-\d\dT/)
    expect(lastUsed[unused.id]).toBeUndefined()
  })

  it('several keys per agent; create-update-delete rotation; deletion immediate, in every process', async () => {
    const { create, chat, keysOf, as, other, endpoint } = await open(engine)
    const there = `${other?.url}/api/v1/chat/completions`
    const [old, fresh] = [await create(), await create({ name: 'Second' })]
    const renamed = await ask(`${keysOf()}/${fresh.id}`, { as, method: 'PATCH', json: { name: 'Production' } })
    expect(renamed.body.record).toMatchObject({ id: fresh.id, name: 'Production' })
    for (const to of [endpoint, there]) expect((await chat(old.key, {}, to)).status).toBe(200)
    expect((await ask(`${keysOf()}/${old.id}`, { as, method: 'DELETE' })).status).toBe(204)
    for (const to of [there, endpoint]) {
      expect((await chat(old.key, {}, to)).status).toBe(401)
      expect((await chat(fresh.key, {}, to)).status).toBe(200)
    }
  })

  it("Calls consume the owner's balance, whichever of the agents is called", async () => {
    const { create, chat, service } = await open(engine, 10)
    const [seven, eight] = [await create(), await create({ name: 'Other' }, '8')]
    for (const { key } of [seven, eight, eight]) await chat(key)
    expect(await service.keys.balance({ owner: 'owner_1' })).toBe(7)
  })

  it('429 rate limited', async () => {
    const { create, chat } = await open(engine)
    const { key } = await create()
    for (let i = 0; i < 60; i++) expect((await chat(key, { max_tokens: 1 })).status).toBe(200)
    const told = await chat(key)
    expect(told).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
    expect(Number(told.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  })

  it('402 balance insufficient, and the agent resumes at once after a top-up', async () => {
    const { create, chat, service, other } = await open(engine, 1)
    const { key } = await create()
    const there = `${other?.url}/api/v1/chat/completions`
    expect((await chat(key)).status).toBe(200)
    for (const to of [undefined, there]) {
      expect(await chat(key, {}, to)).toMatchObject({ status: 402, body: { code: 'insufficient_balance' } })
    }
    await service.topUp('owner_1', 2)
    for (const to of [there, undefined]) expect((await chat(key, {}, to)).status).toBe(200)
  })

  it('401 invalid or expired', async () => {
    const { create, chat, keysOf, as } = await open(engine)
    const { id, key } = await create({ name: 'Short', expiresAt: '2040-01-01T00:00:00Z' })
    expect((await chat(key)).status).toBe(200)
    for (const bad of [`${key.slice(0, -1)}-`, 'a2a_', 'sk-1']) {
      expect(await chat(bad)).toMatchObject({ status: 401, body: { code: 'invalid_key' } })
    }
    const expiresAt = new Date(Date.now() + 800)
    expect((await ask(`${keysOf()}/${id}`, { as, method: 'PATCH', json: { expiresAt } })).status).toBe(200)
    const code = async () => (await chat(key)).body.code as unknown
    await expect.poll(code, { timeout: 5000 }).toBe('expired')
  })
})

it('Oya keys are stored hashed: neither the text nor the secret in it is in any file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-oya-'))
  const store = sqliteStore(join(folder, 'keys.db'))
  const { keys } = createService({ store }, 'http://localhost')
  const { key, record } = await keys.create({ owner: 'owner_1', resource: 'agent:7', name: 'First' })
  await keys.close()
  await store.close?.()
  const bytes = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'latin1'))
    .join('')
  rmSync(folder, { recursive: true })
  expect(bytes).toContain(record.id)
  expect(bytes).not.toContain(key.slice(16, 48))
})

const BY_SDK = [
  { name: 'openai 6', Client: OpenAI },
  { name: 'openai 7', Client: OpenAI7 as unknown as typeof OpenAI },
].flatMap((sdk) => SERVERS.map((engine) => ({ ...sdk, engine })))

describe.each(BY_SDK)('Oya by $name on $engine', ({ Client, engine }) => {
  const forms = {
    'Authorization: Bearer': (key: string) => ({ apiKey: key }),
    // Both headers, as when OPENAI_API_KEY is set to something else: the foreign one is ignored.
    'X-API-Key': (key: string) => ({ apiKey: 'sk-somebody-elses', defaultHeaders: { 'X-API-Key': key } }),
  }

  it.each(Object.entries(forms))('has two turns of a conversation with %s', async (_header, given) => {
    const { url, create } = await open(engine)
    const client = new Client({ baseURL: `${url}/api/v1`, ...given((await create()).key) })
    const say = async (content: string, more: object = {}) => {
      const answer = await client.chat.completions.create({
        model: 'echo',
        messages: [{ role: 'user', content }],
        ...more,
      })
      const { thread_id, turn } = answer as unknown as { thread_id: string; turn: number }
      return { text: answer.choices[0]?.message.content, thread_id, turn }
    }
    const first = await say('Hello')
    expect(first).toMatchObject({ text: 'You said: Hello', turn: 1 })
    expect(await say('And now?', { thread_id: first.thread_id })).toEqual({
      ...first,
      text: 'You said: And now?',
      turn: 2,
    })
  })

  it('streams, with the thread in every chunk', async () => {
    const { url, create } = await open(engine)
    const client = new Client({ baseURL: `${url}/api/v1`, apiKey: (await create()).key })
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const chunks = await client.chat.completions.create({ model: 'echo', messages, stream: true })
    const threads = new Set<string>()
    let text = ''
    for await (const chunk of chunks) {
      threads.add((chunk as unknown as { thread_id: string }).thread_id)
      text += chunk.choices[0]?.delta.content ?? ''
    }
    expect(text).toBe('You said: Hello')
    expect(threads.size).toBe(1)
  })

  it('raises AuthenticationError for 401 and an error of status 402, and does not retry', async () => {
    const { url, create, requests } = await open(engine, 0)
    const { key } = await create()
    const before = requests()
    const call = (apiKey: string) =>
      new Client({ baseURL: `${url}/api/v1`, apiKey }).chat.completions.create({
        model: 'echo',
        messages: [{ role: 'user', content: 'Hi' }],
      })
    expect(await rejection(call('a2a_wrong'))).toBeInstanceOf(Client.AuthenticationError)
    expect(await rejection(call(key))).toMatchObject({ status: 402, code: 'insufficient_balance' })
    expect(requests()).toBe(before + 2)
  })
})
