import { setTimeout as pause } from 'node:timers/promises'
import Anthropic from '@anthropic-ai/sdk'
import Anthropic0 from 'anthropic0'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createService } from '../../examples/a2agent/app.ts'
import { SDKS } from './sdks.ts'
import { ask, bearing, ENGINES, type Engine, rejection, SERVERS, start } from './services.ts'

/** A question of two tokens, answered by four. */
const QUESTION = 'Good morning'
const CHARGED = 6
const CHAT = { model: 'echo', max_tokens: 100, messages: [{ role: 'user', content: QUESTION }] }

/** An account with a balance, signed in, and two instances of the service. */
async function open(engine: Engine, credits = 1000) {
  const [one, other] = await start(engine, createService, 2)
  if (other === undefined) throw new Error('there is one instance only')
  const account = 'acct_1'
  const as = one.service.signIn(account)
  if (credits > 0) await one.service.topUp(account, credits)
  const create = async (name?: string) => {
    const { status, body } = await ask(`${one.url}/api-keys`, { as, json: { name } })
    expect(status).toBe(201)
    return { id: body.record.id as string, key: body.key as string }
  }
  const chat = (key: string, url = one.url) => ask(`${url}/v1/chat/completions`, { headers: bearing(key), json: CHAT })
  const remove = (id: string) => ask(`${one.url}/api-keys/${id}`, { as, method: 'DELETE' })
  const balance = async () => (await ask(`${one.url}/balance`, { as })).body.balance as number
  return { ...one, other, account, as, create, chat, remove, balance }
}

describe.each(ENGINES)('A2Agent on %s', (engine) => {
  it('Keys belong to an account; any number per account; optional label', async () => {
    const { url, service, as, create } = await open(engine)
    for (const name of ['one', undefined, 'one']) await create(name)
    const mine = await ask(`${url}/api-keys`, { as })
    expect(mine.body.items.map((item: { name?: string }) => item.name)).toEqual(['one', undefined, 'one'])
    const theirs = await ask(`${url}/api-keys`, { as: service.signIn('acct_2') })
    expect(theirs.body.items).toEqual([])
    expect((await ask(`${url}/api-keys`)).status).toBe(401)
  })

  it('Text shown once at creation', async () => {
    const { url, as, create } = await open(engine)
    const { id, key } = await create()
    expect(key).toMatch(/^a2_[0-9A-Za-z]{50}$/)
    for (const told of [await ask(`${url}/api-keys`, { as }), await ask(`${url}/api-keys/${id}`, { as })]) {
      expect(JSON.stringify(told.body)).not.toContain(key.slice(15, 47))
    }
    expect((await ask(`${url}/api-keys`, { as })).body.items).toHaveLength(1)
  })

  it('a key has a label and nothing else that a customer could set, least of all credit', async () => {
    const { url, as, service, create } = await open(engine)
    const more = { credits: { remaining: 1_000_000 }, owner: 'acct_2', limits: { minute: 9 }, expiresAt: '2040-01-01' }
    for (const [field, value] of Object.entries(more)) {
      expect((await ask(`${url}/api-keys`, { as, json: { [field]: value } })).status, field).toBe(400)
    }
    const { id } = await create()
    expect((await ask(`${url}/api-keys/${id}`, { as, method: 'PATCH', json: { name: 'x' } })).status).toBe(403)
    expect((await ask(`${url}/api-keys/${id}/rotate`, { as, json: { overlap: 0 } })).status).toBe(403)
    expect((await service.keys.list({ owner: 'acct_1' })).items).toHaveLength(1)
  })

  it('Every call is charged to the prepaid balance; keys of one account share it', async () => {
    const { create, chat, balance } = await open(engine)
    const [first, second] = [await create(), await create()]
    expect(await balance()).toBe(1000)
    expect((await chat(first.key)).body.usage.total_tokens).toBe(CHARGED)
    expect(await balance()).toBe(1000 - CHARGED)
    expect((await chat(second.key)).status).toBe(200)
    expect(await balance()).toBe(1000 - 2 * CHARGED)
  })

  it('Actual cost is known only after the answer: hold an upper bound, settle the truth', async () => {
    const { url, create, balance } = await open(engine)
    const { key } = await create()
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...bearing(key), 'content-type': 'application/json' },
      body: JSON.stringify({ ...CHAT, stream: true }),
    })
    expect(await balance()).toBe(1000 - 102)
    expect(await response.text()).toMatch(/data: \[DONE\]\n\n$/)
    expect(await balance()).toBe(1000 - CHARGED)
  })

  it('a client that hangs up is charged what was used until then, and nothing stays held', async () => {
    const { url, create, balance } = await open(engine)
    const { key } = await create()
    const content = 'word '.repeat(400).trim()
    const client = new AbortController()
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...bearing(key), 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'echo', max_tokens: 402, messages: [{ role: 'user', content }], stream: true }),
      signal: client.signal,
    })
    await response.body?.getReader().read()
    expect(await balance()).toBe(1000 - 802)
    client.abort()
    await expect.poll(balance, { timeout: 5000 }).toBeGreaterThan(1000 - 802)
    expect(await balance()).toBeLessThanOrEqual(1000 - 400)
  })

  it('calls at once never spend more than the balance', async () => {
    const { create, chat, other, balance, url } = await open(engine, 3 * 102)
    const { key } = await create()
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => chat(key, i % 2 ? url : other.url)))
    const served = answers.filter(({ status }) => status === 200).length
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 403]))
    expect(served).toBeGreaterThanOrEqual(3)
    expect(await balance()).toBe(3 * 102 - served * CHARGED)
  })

  it('No automatic expiry', async () => {
    const { service, create } = await open(engine)
    const { id } = await create()
    expect(await service.keys.get(id)).toMatchObject({ status: 'active', expiresAt: undefined })
  })

  it('Deletion is immediate: the very next request with that key is 401, of another process too', async () => {
    const { url, other, as, create, chat } = await open(engine)
    const { id, key } = await create()
    for (const each of [url, other.url]) expect((await chat(key, each)).status).toBe(200)
    expect((await ask(`${url}/api-keys/${id}`, { as, method: 'DELETE' })).status).toBe(204)
    for (const each of [other.url, url]) expect((await chat(key, each)).status).toBe(401)
  })

  it('Rotation = create, switch, delete', async () => {
    const { create, chat, remove } = await open(engine)
    const old = await create('production')
    const fresh = await create('production')
    for (const { key } of [old, fresh]) expect((await chat(key)).status).toBe(200)
    await remove(old.id)
    expect((await chat(old.key)).status).toBe(401)
    expect((await chat(fresh.key)).status).toBe(200)
  })

  it("another account's key can neither be seen nor deleted", async () => {
    const { url, service, create, chat } = await open(engine)
    const { id, key } = await create()
    const stranger = service.signIn('acct_2')
    expect((await ask(`${url}/api-keys/${id}`, { as: stranger, method: 'DELETE' })).status).toBe(404)
    expect((await chat(key)).status).toBe(200)
  })

  it('401: missing, malformed or deleted key', async () => {
    const { url, create, chat, remove } = await open(engine)
    const { id, key } = await create()
    await remove(id)
    expect((await ask(`${url}/v1/chat/completions`, { json: CHAT })).status).toBe(401)
    for (const bad of [key, key.slice(0, -1), 'a2_', 'sk-somebody-elses']) expect((await chat(bad)).status).toBe(401)
  })

  it('403: account suspended, until it is reinstated', async () => {
    const { service, account, create, chat, balance } = await open(engine)
    const { key } = await create()
    service.suspend(account)
    expect(await chat(key)).toMatchObject({ status: 403, body: { code: 'account_suspended' } })
    expect(await balance()).toBe(1000)
    service.reinstate(account)
    expect((await chat(key)).status).toBe(200)
  })

  it('403: balance at zero (not 402)', async () => {
    const { service, account, create, chat } = await open(engine, 0)
    const { key } = await create()
    expect(await chat(key)).toMatchObject({ status: 403, body: { status: 403, code: 'insufficient_balance' } })
    await service.topUp(account, 1000)
    expect((await chat(key)).status).toBe(200)
  })

  it('403 at zero, and not before: a balance below the bound is used up to its last credit', async () => {
    const { create, chat, balance } = await open(engine, 2 * CHARGED - 1)
    const { key } = await create()
    expect((await chat(key)).status).toBe(200)
    expect(await balance()).toBe(CHARGED - 1)
    expect((await chat(key)).status).toBe(200)
    expect(await balance()).toBe(0)
    expect((await chat(key)).status).toBe(403)
  })

  it('of calls at once at a low balance none goes unpaid: what is held is held once', async () => {
    const { create, chat, other, balance, url } = await open(engine, CHARGED)
    const { key } = await create()
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => chat(key, i % 2 ? url : other.url)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(403)])
    expect(await balance()).toBe(0)
  })

  it('Charges before deletion stand, and a call that the deletion overtakes is charged too', async () => {
    const { url, create, chat, remove, balance } = await open(engine)
    const { id, key } = await create()
    await chat(key)
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...bearing(key), 'content-type': 'application/json' },
      body: JSON.stringify({ ...CHAT, stream: true }),
    })
    await remove(id)
    await response.text()
    expect(await balance()).toBe(1000 - 2 * CHARGED)
  })

  it('a request that is none is answered 400 and costs nothing', async () => {
    const { url, create, balance } = await open(engine)
    const { key } = await create()
    const headers = bearing(key)
    const told = await ask(`${url}/v1/chat/completions`, { headers, json: { model: 'echo', messages: [] } })
    expect(told).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } })
    expect(await balance()).toBe(1000)
  })
})

const BY_SDK = SDKS.filter(({ name }) => !name.includes('apiKey')).flatMap((sdk) =>
  SERVERS.map((engine) => ({ sdk, name: sdk.name, engine })),
)

describe.each(BY_SDK)('A2Agent by $name on $engine', ({ sdk, engine }) => {
  it('POST /v1/chat/completions and /v1/messages are answered, whole and streaming, and charged the same', async () => {
    const { url, create, balance } = await open(engine)
    const client = sdk.connect(url, (await create()).key)
    expect(await client.ask(QUESTION)).toBe('You said: Good morning')
    expect(await balance()).toBe(1000 - CHARGED)
    expect(await client.stream(QUESTION)).toEqual(['You ', 'said: ', 'Good ', 'morning'])
    // An SDK knows the end by the last event, which comes before it is settled.
    await expect.poll(balance).toBe(1000 - 2 * CHARGED)
  })

  it('SDKs raise AuthenticationError for a malformed and for a deleted key, and do not retry a 401', async () => {
    const { url, create, remove, requests } = await open(engine)
    const { id, key } = await create()
    await remove(id)
    for (const bad of [key, key.slice(1)]) {
      const before = requests()
      expect(await rejection(sdk.connect(url, bad).ask(QUESTION))).toBeInstanceOf(sdk.errors.AuthenticationError)
      expect(requests()).toBe(before + 1)
    }
  })

  it('SDKs raise PermissionDeniedError for a suspended account and for one at zero, and do not retry a 403', async () => {
    const { url, service, account, create, requests } = await open(engine, 0)
    const { key } = await create()
    for (const kind of ['poor', 'suspended']) {
      if (kind === 'suspended') {
        await service.topUp(account, 1000)
        service.suspend(account)
      }
      for (const call of ['ask', 'stream'] as const) {
        const before = requests()
        const error = await rejection(sdk.connect(url, key)[call](QUESTION))
        expect(error, kind).toBeInstanceOf(sdk.errors.PermissionDeniedError)
        expect(requests()).toBe(before + 1)
      }
    }
  })
})

it.each([
  ['1.11', Anthropic],
  ['0.137', Anthropic0 as unknown as typeof Anthropic],
])('@anthropic-ai/sdk %s takes the key from ANTHROPIC_AUTH_TOKEN', async (_version, Client) => {
  const { url, create } = await open('memory')
  vi.stubEnv('ANTHROPIC_API_KEY', undefined)
  vi.stubEnv('ANTHROPIC_AUTH_TOKEN', (await create()).key)
  onTestFinished(() => void vi.unstubAllEnvs())
  const messages = [{ role: 'user', content: QUESTION } as const]
  const message = await new Client({ baseURL: url }).messages.create({ model: 'echo', max_tokens: 100, messages })
  expect(message.content).toMatchObject([{ text: 'You said: Good morning' }])
})

it('a link of the example signs in by its session alone, and leads to no other site', async () => {
  const { url, as } = await open('memory')
  const session = as.replace('session=', '')
  const visit = async (id: string, to: string) => {
    const { status, headers } = await fetch(`${url}/sign-in/${id}?to=${to}`, { redirect: 'manual' })
    return [status, headers.get('location'), headers.has('set-cookie')]
  }
  expect(await visit(session, '/api-keys')).toEqual([302, '/api-keys', true])
  for (const to of ['//evil.example', '/%5Cevil.example', 'https://evil.example', '', '/a%0D%0Ab']) {
    expect(await visit(session, to), to).toEqual([404, null, false])
  }
  expect(await visit('made-up', '/api-keys')).toEqual([404, null, false])
})

it('an answer that takes its time keeps its hold until it is settled', async () => {
  const { url, create, balance } = await open('memory')
  const { key } = await create()
  const answer = ask(`${url}/v1/messages`, { headers: bearing(key), json: CHAT })
  while ((await balance()) === 1000) await pause(1)
  expect(await balance()).toBe(1000 - 102)
  expect((await answer).body.usage).toEqual({ input_tokens: 2, output_tokens: 4 })
  expect(await balance()).toBe(1000 - CHARGED)
})
