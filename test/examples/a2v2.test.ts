import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createService, type Member } from '../../examples/a2v2/app.ts'
import { ask, curl, ENGINES, type Engine, start } from './services.ts'

const BOTH = 'API key and secret are required'
const FORM = { name: 'Sync', scopes: ['contacts:read'] }

interface Made {
  readonly key: string
  readonly secret: string
  readonly record: { readonly id: string; readonly limits: object; readonly scopes: readonly string[] }
}

/** Two organizations, of which the first has the agents 42 and 43; two instances. */
async function open(engine: Engine, trustedProxies: readonly string[] = []) {
  const instances = await start(engine, (place, url) => createService({ ...place, trustedProxies }, url), 2)
  for (const { service } of instances) {
    for (const agent of ['42', '43']) service.addAgent(agent, 'org_1')
    service.addAgent('99', 'org_2')
  }
  const [{ url, service, port }, other] = instances
  const signIn = (role: Member['role'], organization = 'org_1') => service.signIn({ organization, role })
  const admin = signIn('admin')
  const keysOf = (agent = '42') => `${url}/agents/${agent}/api-keys`
  const post = (form: object, as = admin, agent = '42') => ask(keysOf(agent), { as, json: form })
  const create = async (more: object = {}): Promise<Made> => {
    const { status, body } = await post({ ...FORM, ...more })
    expect(status, JSON.stringify(body)).toBe(201)
    return body
  }
  const patch = (id: string, json: object, as = admin, agent = '42') =>
    ask(`${keysOf(agent)}/${id}`, { as, method: 'PATCH', json })
  const remove = (id: string, as = admin) => ask(`${keysOf()}/${id}`, { as, method: 'DELETE' })
  const contacts = `${url}/agents/42/contacts`
  return { url, port, other, service, signIn, keysOf, post, create, patch, remove, contacts }
}

const carrying = ({ key, secret }: { key: string; secret: string }) => ({ 'x-api-key': key, 'x-api-secret': secret })

/** `curl` with both halves, from an address of this machine that stands for another host. */
function curlFrom(address: string, made: Made, url: string, ...more: readonly string[]) {
  const headers = ['-H', `X-API-Key: ${made.key}`, '-H', `X-API-Secret: ${made.secret}`]
  return curl('--interface', address, ...headers, ...more, url)
}

describe.each(ENGINES)('a2v2 on %s', (engine) => {
  it('Both x-api-key and x-api-secret on every request; one missing: 401 `API key and secret are required`', async () => {
    const { create, contacts } = await open(engine)
    const { key, secret } = await create()
    expect((await ask(contacts, { headers: carrying({ key, secret }) })).status).toBe(200)
    const halves = [{ 'x-api-key': key }, { 'x-api-secret': secret }, {}, { 'x-api-key': key, 'x-api-secret': '' }]
    for (const headers of halves) {
      const { status, body } = await ask(contacts, { headers })
      expect({ status, title: body.title, message: body.message }).toEqual({ status: 401, title: BOTH, message: BOTH })
    }
  })

  it('the halves of two keys are no key', async () => {
    const { create, contacts } = await open(engine)
    const [one, two] = [await create(), await create()]
    const told = await ask(contacts, { headers: carrying({ key: one.key, secret: two.secret }) })
    expect(told).toMatchObject({ status: 401, body: { code: 'invalid_key' } })
  })

  it('Only Owners and Admins may create or change keys; others are refused', async () => {
    const { post, create, patch, remove, signIn, keysOf } = await open(engine)
    expect((await post(FORM, signIn('owner'))).status).toBe(201)
    const { record } = await create()
    const member = signIn('member')
    const refused = [
      await post(FORM, member),
      await patch(record.id, { name: 'x' }, member),
      await remove(record.id, member),
    ]
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403])
    expect((await ask(keysOf(), { json: FORM })).status).toBe(401)
    expect((await ask(keysOf(), { as: member })).body.items).toHaveLength(2)
  })

  it("A key acts on one existing agent; other agents' endpoints with it are rejected", async () => {
    const { post, create, url } = await open(engine)
    for (const agent of ['44', '99', '4%32%2f']) expect((await post(FORM, undefined, agent)).status).toBe(404)
    expect((await post({ ...FORM, resource: 'agent:43' })).status).toBe(400)
    const headers = carrying(await create())
    expect((await ask(`${url}/agents/42/contacts`, { headers })).status).toBe(200)
    for (const agent of ['43', '99', '44', '4', '42%2f..%2f43']) {
      const told = await ask(`${url}/agents/${agent}/contacts`, { headers })
      expect(told).toMatchObject({ status: 403, body: { code: 'resource_mismatch' } })
    }
  })

  it("No access across organizations: another organization's key ids look unknown", async () => {
    const { create, patch, remove, signIn, keysOf, contacts } = await open(engine)
    const made = await create()
    const stranger = signIn('owner', 'org_2')
    const madeUp = await patch('0123456789ab', { name: 'x' }, stranger, '99')
    const theirs = await patch(made.record.id, { name: 'x' }, stranger, '99')
    const { request_id: _, ...body } = madeUp.body
    expect(theirs).toMatchObject({ status: 404, body })
    expect((await patch(made.record.id, { name: 'x' }, stranger)).status).toBe(404)
    expect((await remove(made.record.id, stranger)).status).toBe(404)
    expect((await ask(keysOf('99'), { as: stranger })).body.items).toEqual([])
    expect((await ask(keysOf(), { as: stranger })).status).toBe(404)
    expect((await ask(contacts, { headers: carrying(made) })).status).toBe(200)
  })

  it.each([
    ['contacts:create', 'POST', 'contacts'],
    ['contacts:read', 'GET', 'contacts'],
    ['contacts:update', 'PATCH', 'contacts/1'],
    ['contacts:delete', 'DELETE', 'contacts/1'],
    ['contacts:create', 'POST', 'contacts/1/files'],
    ['contacts:read', 'GET', 'contacts/1/files'],
    ['contacts:read', 'GET', 'contacts/1/files/1'],
    ['contacts:update', 'PATCH', 'contacts/1/files/1'],
    ['contacts:delete', 'DELETE', 'contacts/1/files/1'],
    ['document-extraction:create', 'POST', 'document-extraction'],
    ['document-extraction:read', 'GET', 'document-extraction'],
  ])(
    'Permissions per resource and action: %s for %s %s; missing: 403 `permission denied`',
    async (permission, method, path) => {
      const { create, url } = await open(engine)
      const all = ['create', 'read', 'update', 'delete'].map((action) => `contacts:${action}`)
      const others = [...all, 'document-extraction:create', 'document-extraction:read'].filter(
        (each) => each !== permission,
      )
      const request = (made: Made) => {
        const json = ['POST', 'PATCH'].includes(method) ? { json: { name: 'Ada' } } : {}
        return ask(`${url}/agents/42/${path}`, { method, headers: carrying(made), ...json })
      }
      const refused = await request(await create({ scopes: others }))
      expect(refused).toMatchObject({ status: 403, body: { title: 'permission denied', message: 'permission denied' } })
      expect((await request(await create({ scopes: [permission] }))).body.code).toBeUndefined()
    },
  )

  it('At least one permission required at creation, and none that does not exist', async () => {
    const { post } = await open(engine)
    for (const scopes of [undefined, [], ['contacts:raed'], ['contacts'], 'contacts:read']) {
      expect((await post({ ...FORM, scopes })).status, JSON.stringify(scopes)).toBe(400)
    }
  })

  it('Settings: name (required), description, expiry date', async () => {
    const { post, create } = await open(engine)
    for (const name of [undefined, '', 7]) {
      expect(await post({ ...FORM, name })).toMatchObject({ status: 400, body: { issues: [{ path: 'name' }] } })
    }
    const expiresAt = '2040-01-01T00:00:00.000Z'
    expect((await create({ description: 'nightly', expiresAt })).record).toMatchObject({
      description: 'nightly',
      expiresAt,
    })
    expect((await post({ ...FORM, expiresAt: '2020-01-01T00:00:00Z' })).status).toBe(400)
  })

  it('a key stops at its expiry date', async () => {
    const { create, patch, contacts } = await open(engine)
    const made = await create()
    const status = async () => (await ask(contacts, { headers: carrying(made) })).status
    expect(await status()).toBe(200)
    expect((await patch(made.record.id, { expiresAt: new Date(Date.now() + 800) })).status).toBe(200)
    await expect.poll(status, { timeout: 5000 }).toBe(401)
  })

  it('limits per minute and per hour: defaults 60 and 1,000; up to 1,000 and 10,000; more is refused, later too', async () => {
    const { post, create, patch, service } = await open(engine)
    expect((await create()).record.limits).toEqual({ minute: 60, hour: 1000 })
    const most = { minute: 1000, hour: 10_000 }
    const { record } = await create({ limits: most })
    expect(record.limits).toEqual(most)
    for (const limits of [{ minute: 1001 }, { hour: 10_001 }, { minute: null }, { minute: -1 }]) {
      expect((await post({ ...FORM, limits })).status, JSON.stringify(limits)).toBe(400)
      expect((await patch(record.id, { limits })).status, JSON.stringify(limits)).toBe(400)
    }
    expect(await service.keys.get(record.id)).toMatchObject({ limits: most })
    expect((await patch(record.id, { limits: { minute: 999 } })).body.record.limits).toEqual({ ...most, minute: 999 })
  })

  it('a key over its limit is 429 on every instance', async () => {
    const { create, contacts, other } = await open(engine)
    const headers = carrying(await create({ limits: { minute: 3 } }))
    const there = `${other?.url}/agents/42/contacts`
    for (const url of [contacts, there, contacts]) expect((await ask(url, { headers })).status).toBe(200)
    const told = await ask(there, { headers })
    expect(told.status).toBe(429)
    expect(Number(told.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  })

  it('allowed IPs (IPv4 or CIDR; unset = any), by curl from several addresses', async () => {
    const { create, patch, contacts } = await open(engine)
    const made = await create({ allowedIps: ['127.0.0.2', '127.0.8.0/24'] })
    const status = async (address: string) => (await curlFrom(address, made, contacts)).status
    expect(await status('127.0.0.2')).toBe(200)
    expect(await status('127.0.8.77')).toBe(200)
    expect(await status('127.0.0.3')).toBe(403)
    expect((await patch(made.record.id, { allowedIps: null })).status).toBe(200)
    expect(await status('127.0.0.3')).toBe(200)
  })

  it('an address behind a trusted proxy is the one that the proxy saw; anybody else may not speak for others', async () => {
    const { create, contacts } = await open(engine, ['127.0.9.0/24'])
    const made = await create({ allowedIps: ['203.0.113.7'] })
    const status = async (from: string, forwarded: string) =>
      (await curlFrom(from, made, contacts, '-H', `X-Forwarded-For: ${forwarded}`)).status
    expect(await status('127.0.9.1', '203.0.113.7')).toBe(200)
    expect(await status('127.0.9.1', '198.51.100.1, 203.0.113.7')).toBe(200)
    expect(await status('127.0.9.1', '203.0.113.7, 198.51.100.1')).toBe(403)
    expect(await status('127.0.0.2', '203.0.113.7')).toBe(403)
    expect((await curlFrom('127.0.9.1', made, contacts)).status).toBe(403)
  })

  it('without a proxy, nobody may speak for others', async () => {
    const { create, contacts } = await open(engine)
    const made = await create({ allowedIps: ['127.0.0.2'] })
    const forwarded = ['-H', 'X-Forwarded-For: 127.0.0.2']
    expect((await curlFrom('127.0.0.3', made, contacts, ...forwarded)).status).toBe(403)
    expect((await curlFrom('127.0.0.2', made, contacts)).status).toBe(200)
  })

  it('Editable later: takes effect on the next request, of another process too', async () => {
    const { create, patch, contacts, other } = await open(engine)
    const made = await create()
    const headers = carrying(made)
    const there = `${other?.url}/agents/42/contacts`
    for (const url of [contacts, there]) expect((await ask(url, { headers })).status).toBe(200)
    const patched = await patch(made.record.id, { scopes: ['contacts:create'] })
    expect(patched.body.record.scopes).toEqual(['contacts:create'])
    for (const url of [there, contacts]) expect((await ask(url, { headers })).status).toBe(403)
    await patch(made.record.id, { scopes: ['contacts:read'], limits: { minute: 0 } })
    expect((await ask(there, { headers })).status).toBe(429)
  })

  it('Deletable later: takes effect on the next request, of another process too', async () => {
    const { create, remove, contacts, other } = await open(engine)
    const made = await create()
    const headers = carrying(made)
    const there = `${other?.url}/agents/42/contacts`
    for (const url of [contacts, there]) expect((await ask(url, { headers })).status).toBe(200)
    expect((await remove(made.record.id)).status).toBe(204)
    for (const url of [there, contacts]) expect((await ask(url, { headers })).status).toBe(401)
  })

  it('Usage tracked per key and visible in the dashboard', async () => {
    const { create, contacts, service, signIn, keysOf } = await open(engine)
    const made = await create()
    for (let i = 0; i < 3; i++) await ask(contacts, { headers: carrying(made) })
    await service.keys.flush()
    const { body } = await ask(keysOf(), { as: signIn('member') })
    expect(body.items).toMatchObject([{ id: made.record.id, uses: 3, lastUsedAt: expect.stringMatching(/^20\d\d-/) }])
    expect(JSON.stringify(body)).not.toContain(made.secret)
  })

  it('contacts CRUD and document-extraction work as documented, by curl', async () => {
    const { create, contacts, url } = await open(engine)
    const made = await create({ scopes: ['contacts:*', 'document-extraction:create', 'document-extraction:read'] })
    const send = (method: string, to: string, json?: object) => {
      const body = json === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(json)]
      return curlFrom('127.0.0.1', made, to, '-X', method, ...body)
    }
    const { status, body: ada } = await send('POST', contacts, { name: 'Ada' })
    expect(status).toBe(201)
    expect((await send('PATCH', `${contacts}/${ada.id}`, { phone: '7' })).body).toEqual({ ...ada, phone: '7' })
    expect((await send('GET', contacts)).body).toEqual([{ ...ada, phone: '7' }])
    await send('POST', `${contacts}/${ada.id}/files`, { file: randomBytes(6).toString('hex') })
    const files = `${contacts}/${ada.id}/files`
    const [file] = (await send('GET', files)).body
    expect((await send('PATCH', `${files}/${file.id}`, { name: 'photo' })).body).toEqual({ ...file, name: 'photo' })
    expect((await send('GET', `${files}/${file.id}`)).body).toEqual({ ...file, name: 'photo' })
    await send('DELETE', `${files}/${file.id}`)
    expect([(await send('GET', files)).body, (await send('GET', `${files}/${file.id}`)).status]).toEqual([[], 404])
    await send('DELETE', `${contacts}/${ada.id}`)
    expect((await send('GET', `${contacts}/${ada.id}`)).status).toBe(404)
    await send('POST', `${url}/agents/42/document-extraction`, { url: 'https://example.org/a.pdf' })
    expect((await send('GET', `${url}/agents/42/document-extraction`)).body).toHaveLength(1)
  })

  it('what a member sends can set nothing else of a key', async () => {
    const { post, create, patch } = await open(engine)
    const { record } = await create()
    const more = { owner: 'org_2', resource: 'agent:99', credits: { remaining: 1 }, metadata: { a: 1 } }
    for (const [field, value] of Object.entries(more)) {
      const told = [await post({ ...FORM, [field]: value }), await patch(record.id, { [field]: value })]
      expect(told.map(({ status }) => status)).toEqual([400, 400])
    }
    expect(record).toMatchObject({ owner: 'org_1', resource: 'agent:42' })
  })
})
