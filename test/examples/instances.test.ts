import { setTimeout as pause } from 'node:timers/promises'
import { generateKeyPair } from 'jose'
import type { ApiKeys, Created, CreateInput, Duration, KeyStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { createService as createA2agent } from '../../examples/a2agent/app.ts'
import { createService as createA2v2 } from '../../examples/a2v2/app.ts'
import { createService as createAgentity } from '../../examples/agentity/app.ts'
import { createService as createAgrenting } from '../../examples/agrenting/app.ts'
import { createService as createOya } from '../../examples/oya/app.ts'
import type { Place } from '../../examples/place.ts'
import { type AnyService, ask, bearing, type Lag, start } from './services.ts'

type Given = Place & { readonly store: KeyStore; readonly storeTimeout: Duration }

/** A service, and a request that a key of it is good for. */
interface Scene {
  readonly name: string
  create(place: Given, url: string): AnyService & { readonly keys: ApiKeys }
  readonly input: CreateInput
  /** How the key is sent. */
  readonly carry: (made: Created) => Readonly<Record<string, string>>
  readonly path: string
  readonly json?: object
  /** Where a balance or limits are taken from the store, which proves the record: a cache then has no lag. */
  readonly hasMeters: boolean
}

const { publicKey } = await generateKeyPair('ES256')
const CHAT = { model: 'echo', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }
const bearer = ({ key }: Created) => bearing(key)
const xApiKey = ({ key }: Created) => ({ 'x-api-key': key })
const pair = ({ key, secret = '' }: Created) => ({ 'x-api-key': key, 'x-api-secret': secret })
/** What an instance has under whichever name. */
const withKeys = <T extends AnyService>(service: T, keys: unknown) => ({ ...service, keys: keys as ApiKeys })

const SCENES: readonly Scene[] = [
  {
    name: 'A2Agent',
    create: (place, url) => {
      const service = createA2agent(place, url)
      return withKeys(service, service.keys)
    },
    input: { owner: 'acct_1' },
    carry: bearer,
    path: '/v1/chat/completions',
    json: CHAT,
    hasMeters: true,
  },
  {
    name: 'a2v2',
    create: (place, url) => {
      const service = createA2v2(place, url)
      return withKeys(service, service.keys)
    },
    input: { owner: 'org_1', resource: 'agent:42', name: 'Sync', scopes: ['contacts:read'] },
    carry: pair,
    path: '/agents/42/contacts',
    hasMeters: true,
  },
  {
    name: 'Oya',
    create: (place, url) => {
      const service = createOya(place, url)
      return withKeys(service, service.keys)
    },
    input: { owner: 'owner_1', resource: 'agent:7', name: 'First' },
    carry: bearer,
    path: '/api/v1/chat/completions',
    json: CHAT,
    hasMeters: true,
  },
  {
    name: 'Agentity',
    create: (place) => {
      const service = createAgentity({ ...place, publicKey, issuer: 'https://auth.example' })
      return withKeys(service, service.keys)
    },
    input: { owner: 'user_1', name: 'production-agent' },
    carry: bearer,
    path: '/agents/own',
    hasMeters: false,
  },
  {
    name: 'Agrenting, keys of users',
    create: (place) => {
      const service = createAgrenting(place)
      return withKeys(service, service.userKeys)
    },
    input: { owner: 'user_1', name: 'Laptop' },
    carry: xApiKey,
    path: '/api/v1/agents',
    hasMeters: false,
  },
  {
    name: 'Agrenting, keys of agents',
    create: (place) => {
      const service = createAgrenting(place)
      return withKeys(service, service.agentKeys)
    },
    input: { owner: 'agent:7', resource: 'agent:7', name: 'Rover' },
    carry: xApiKey,
    path: '/api/v1/agents/7/heartbeat',
    json: {},
    hasMeters: false,
  },
]

/** Two instances on one Redis, each of which has served a key; then one of them deletes it. */
async function deleted({ create, input, carry, path, json, hasMeters }: Scene, lag: Lag) {
  const [one, other] = await start('redis', create, 2, lag)
  if (other === undefined) throw new Error('there is one instance only')
  const { keys } = one.service
  const made = await keys.create(input)
  // Where there is no balance, limits are what is taken.
  if (hasMeters) await keys.credit({ owner: input.owner }, 1000).catch(() => {})
  const request = { headers: carry(made), ...(json === undefined ? {} : { json }) }
  const use = async (url: string) => (await ask(url + path, request)).status
  for (const { url } of [one, other, one, other]) expect(await use(url)).toBe(200)
  await keys.remove(made.record.id)
  return { here: () => use(one.url), there: () => use(other.url) }
}

describe.each(SCENES)('two instances of $name on one Redis', (scene) => {
  it('strict: a key deleted on one is refused by the other at its next request', async () => {
    const { here, there } = await deleted(scene, {})
    expect([await there(), await here()]).toEqual([401, 401])
  })

  it('cached: the instance that deleted it refuses at once, the other as soon as the bus has told it', async () => {
    const { here, there } = await deleted(scene, { cache: { maxLag: '1h' } })
    expect(await here()).toBe(401)
    await expect.poll(there, { timeout: 5000 }).toBe(401)
  })

  it('cached, without a bus: refused when the bound has passed', async () => {
    const { here, there } = await deleted(scene, { cache: { maxLag: 300 }, bus: false })
    expect(await here()).toBe(401)
    await pause(301)
    expect(await there()).toBe(401)
  })

  it(`cached, without a bus, within the bound: ${scene.hasMeters ? 'its meters prove each request' : 'still served'}`, async () => {
    const { there } = await deleted(scene, { cache: { maxLag: '1h' }, bus: false })
    expect(await there()).toBe(scene.hasMeters ? 401 : 200)
  })
})
