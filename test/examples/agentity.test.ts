import { generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createService } from '../../examples/agentity/app.ts'
import { curl, ENGINES, type Engine, start } from './services.ts'

const ISSUER = 'https://auth.example'
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const ours = await generateKeyPair('ES256')
const theirs = await generateKeyPair('ES256')

interface TokenOptions {
  readonly issuer?: string
  readonly expires?: string | number
  readonly signer?: typeof ours.privateKey
}

function token(user: string, { issuer = ISSUER, expires = '1h', signer = ours.privateKey }: TokenOptions = {}) {
  const claims = new SignJWT().setSubject(user).setIssuer(issuer).setIssuedAt().setExpirationTime(expires)
  return claims.setProtectedHeader({ alg: 'ES256' }).sign(signer)
}

const bearing = (credential: string) => ['-H', `Authorization: Bearer ${credential}`]

/** Two instances, and a user's token; everything is asked by `curl`, as Agentity documents it. */
async function open(engine: Engine) {
  const settings = { publicKey: ours.publicKey, issuer: ISSUER }
  const [{ url, service }, other] = await start(engine, (place) => createService({ ...place, ...settings }), 2)
  const there = String(other?.url)
  const jwt = await token('user_1')
  const create = (nickname: unknown = 'production-agent', credential = jwt) => {
    const json = ['-H', 'Content-Type: application/json', '-d', JSON.stringify({ nickname })]
    return curl('-X', 'POST', `${url}/auth/api-keys`, ...bearing(credential), ...json)
  }
  const list = (credential = jwt) => curl(`${url}/auth/api-keys`, ...bearing(credential))
  const remove = (id: number | string, credential = jwt) =>
    curl('-X', 'DELETE', `${url}/auth/api-keys/${id}`, ...bearing(credential))
  const use = (key: string, base = url) => curl(`${base}/agents`, ...bearing(key))
  return { url, there, service, jwt, create, list, remove, use }
}

describe.each(ENGINES)('Agentity on %s', (engine) => {
  it('POST /auth/api-keys → 201 with { id (integer), nickname, key, createdAt, updatedAt (ISO 8601) }', async () => {
    const { create } = await open(engine)
    const { status, body } = await create()
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.any(Number),
      nickname: 'production-agent',
      key: expect.stringMatching(/^agk_live_[0-9A-Za-z]{50}$/),
      createdAt: expect.stringMatching(ISO),
      updatedAt: expect.stringMatching(ISO),
    })
    expect(Number.isSafeInteger(body.id)).toBe(true)
  })

  it("Nickname required (400) and unique among the user's keys (409)", async () => {
    const { create } = await open(engine)
    for (const nickname of [undefined, '', null, 7]) expect((await create(nickname ?? null)).status).toBe(400)
    expect((await create()).status).toBe(201)
    expect((await create()).status).toBe(409)
    expect((await create('Production-agent')).status).toBe(201)
    expect((await create('production-agent', await token('user_2'))).status).toBe(201)
  })

  it('of many keys created at once with one nickname, one is', async () => {
    const { create } = await open(engine)
    const told = await Promise.all(Array.from({ length: 8 }, () => create()))
    expect(told.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)])
  })

  it('GET /auth/api-keys → 200 { apiKeys: [ { id, nickname, createdAt, updatedAt } ] }, no key values', async () => {
    const { create, list } = await open(engine)
    const { key, ...made } = (await create()).body
    expect(await list()).toEqual({ status: 200, body: { apiKeys: [made] } })
    expect(await list(await token('user_2'))).toEqual({ status: 200, body: { apiKeys: [] } })
    expect(key).toBeDefined()
  })

  it('GET /auth/api-keys lists more keys than a page holds', async () => {
    const { service, list } = await open(engine)
    for (let i = 0; i < 103; i++) await service.keys.create({ owner: 'user_1', name: `key ${i}` })
    const { apiKeys } = (await list()).body
    expect(new Set(apiKeys.map(({ id }: { id: number }) => id)).size).toBe(103)
  })

  it('DELETE /auth/api-keys/:id → 200 { message: "API key deleted successfully" }, and frees the nickname', async () => {
    const { create, remove, list } = await open(engine)
    const { id } = (await create()).body
    expect(await remove(id)).toEqual({ status: 200, body: { message: 'API key deleted successfully' } })
    expect((await list()).body.apiKeys).toEqual([])
    expect((await create()).status).toBe(201)
  })

  it('401 for a missing or invalid token: another signature, issuer, a past expiry, a key, no expiry at all', async () => {
    const { url, jwt, create, list, remove } = await open(engine)
    const { id, key } = (await create()).body
    const unlimited = await new SignJWT()
      .setSubject('user_1')
      .setIssuer(ISSUER)
      .setProtectedHeader({ alg: 'ES256' })
      .sign(ours.privateKey)
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${jwt.split('.')[1]}.`
    const bad = [
      await token('user_1', { signer: theirs.privateKey }),
      await token('user_1', { issuer: 'https://evil.example' }),
      await token('user_1', { expires: Math.floor(Date.now() / 1000) - 1 }),
      unlimited,
      unsigned,
      `${jwt.slice(0, -4)}AAAA`,
      key,
      'nonsense',
    ]
    for (const credential of bad) {
      const told = [await create('x', credential), await list(credential), await remove(id, credential)]
      expect(
        told.map(({ status }) => status),
        credential,
      ).toEqual([401, 401, 401])
    }
    expect((await curl(`${url}/auth/api-keys`)).status).toBe(401)
    expect((await list()).body.apiKeys).toHaveLength(1)
  })

  it('401 for a key of another account; 404 for no such key', async () => {
    const { create, remove, list } = await open(engine)
    const { id } = (await create()).body
    expect((await remove(id, await token('user_2'))).status).toBe(401)
    for (const none of [1, 999_999_999_999, 'abc', '0x10']) expect((await remove(none)).status).toBe(404)
    expect((await list()).body.apiKeys).toHaveLength(1)
  })

  it('Requests with the key stop working at once, in every process', async () => {
    const { there, url, create, remove, use } = await open(engine)
    const { id, key } = (await create()).body
    for (const base of [url, there]) expect((await use(key, base)).status).toBe(200)
    await remove(id)
    for (const base of [there, url]) expect((await use(key, base)).status).toBe(401)
  })

  it('The keys work as Authorization: Bearer agk_live_… on a data route, side by side with a JWT', async () => {
    const { url, jwt, create, use } = await open(engine)
    const { key } = (await create()).body
    expect(await use(key)).toEqual({ status: 200, body: { owner: 'user_1', by: 'key' } })
    expect(await use(jwt)).toEqual({ status: 200, body: { owner: 'user_1', by: 'user' } })
    expect((await curl(`${url}/agents/own`, ...bearing(key))).status).toBe(200)
    expect((await curl(`${url}/agents/own`, ...bearing(jwt))).status).toBe(401)
  })

  it('on the data route a bad key, a bad JWT and nothing at all are 401', async () => {
    const { url, create, use } = await open(engine)
    const { key } = (await create()).body
    const bad = [`${key.slice(0, -1)}-`, 'agk_live_', await token('user_1', { signer: theirs.privateKey }), 'nonsense']
    for (const credential of bad) expect((await use(credential)).status, credential).toBe(401)
    expect((await curl(`${url}/agents`)).status).toBe(401)
  })
})
