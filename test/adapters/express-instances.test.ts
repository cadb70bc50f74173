import { type ApiKeysOptions, createApiKeys, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { sealed } from '../support/forge.ts'
import { serveGuarded } from '../support/guarded.ts'
import { failure } from '../support/outcome.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

const codeIn = ({ status, body }: RawAnswer) => (status === 200 ? 'admitted' : String(JSON.parse(body).code))

/** Two kinds of keys, on one store where `shared`. */
function kinds(shared = false, more: Partial<ApiKeysOptions> = {}) {
  const store = memoryStore()
  const users = createApiKeys({ prefix: 'usr_', store, realm: 'users', ...more })
  const agents = createApiKeys({ prefix: 'agt_', store: shared ? store : memoryStore(), realm: 'agents', ...more })
  return { users, agents }
}

/** The same id and secret under another prefix, with the checksum that fits. */
const renamed = (key: string, from: string, to: string) => sealed(to + key.slice(from.length, -6))

describe('N. Lists of instances', () => {
  it.each([
    ['one prefix twice', 'usr_', 'usr_'],
    ['a prefix that begins another', 'usr_', 'usr_live_'],
    ['one that is begun by another', 'usr_live_', 'usr_'],
    ['one of a list', ['new_', 'old_'], 'old_x_'],
    ['one of an environment', { live: 'a_live_', test: 'a_test_' }, ['b_', 'a_']],
  ] as const)('F-10 are CONFIG with %s', async (_name, one, other) => {
    const instances = [createApiKeys({ prefix: one }), createApiKeys({ prefix: other })]
    expect(await failure(() => guard(instances))).toMatchObject({ code: 'CONFIG' })
    expect(() => instances.map((each) => guard(each))).not.toThrow()
  })

  it('are CONFIG with one instance twice', async () => {
    const { users } = kinds()
    expect(await failure(() => guard([users, users]))).toMatchObject({ code: 'CONFIG' })
  })

  it('take what one of them knows for a demand of all, and nothing else', async () => {
    const users = createApiKeys({ prefix: 'usr_', scopes: { contacts: ['read'] } })
    const agents = createApiKeys({ prefix: { live: 'agt_live_', test: 'agt_test_' }, scopes: { runs: ['start'] } })
    expect(() => guard([users, agents], { scopes: { any: ['contacts:read', 'runs:start'] } })).not.toThrow()
    expect(() => guard([users, agents], { environment: 'live' })).not.toThrow()
    const unknown = { scopes: ['runs:stop' as 'runs:start'] }
    expect(await failure(() => guard([users, agents], unknown))).toMatchObject({ code: 'CONFIG' })
    expect(await failure(() => guard([users, agents], { environment: 'staging' }))).toMatchObject({ code: 'CONFIG' })
  })
})

for (const { name, express } of EXPRESSES) {
  for (const shared of [false, true]) {
    describe(`N. Instances on ${shared ? 'one store' : 'stores of their own'}, ${name}`, () => {
      it('admit each a key of its own, and access.prefix tells which it was', async () => {
        const { users, agents } = kinds(shared)
        const seen: unknown[] = []
        const app = express()
        app.get('/', guard([users, agents]), (req, res) => {
          seen.push([req.apiKey.prefix, req.apiKey.owner])
          res.json({})
        })
        const { port } = await serve(app)
        for (const [keys, owner] of [
          [users, 'acct_1'],
          [agents, 'agent_1'],
          [users, 'acct_2'],
        ] as const) {
          const { key } = await keys.create({ owner })
          expect((await raw(port, request([`Authorization: Bearer ${key}`]))).status).toBe(200)
        }
        expect(seen).toEqual([
          ['usr_', 'acct_1'],
          ['agt_', 'agent_1'],
          ['usr_', 'acct_2'],
        ])
      })

      it("refuse another's key as an invalid one", async () => {
        const { users, agents } = kinds(shared)
        const { port, reached } = await serveGuarded(express, users)
        const { key } = await agents.create({ owner: 'agent_1' })
        const nobody = await raw(port, request(['X-API-Key: sk_foreign']))
        const foreign = await raw(port, request([`X-API-Key: ${key}`]))
        expect(codeIn(foreign)).toBe('invalid_key')
        const bytes = ({ lines, body }: RawAnswer) => JSON.stringify([lines, body]).replaceAll(/req_[0-9a-f]+/g, '')
        expect(bytes(foreign)).toBe(bytes(nobody))
        expect(reached).toEqual([])
      })

      it('F-10 refuse a key of one kind that was dressed up as the other, with a fresh checksum', async () => {
        const { users, agents } = kinds(shared)
        const user = await users.create({ owner: 'acct_1' })
        const agent = await agents.create({ owner: 'agent_1' })
        const dressed = [renamed(user.key, 'usr_', 'agt_'), renamed(agent.key, 'agt_', 'usr_')]
        for (const keys of [users, agents, [users, agents], [agents, users]]) {
          const { port, reached } = await serveGuarded(express, keys)
          for (const key of dressed) expect(codeIn(await raw(port, request([`X-API-Key: ${key}`])))).toBe('invalid_key')
          expect(reached).toEqual([])
        }
        // The forging itself is right: under its own prefix it gives the key again.
        expect(renamed(renamed(user.key, 'usr_', 'agt_'), 'agt_', 'usr_')).toBe(user.key)
      })

      it('take two kinds of keys on one request for ambiguous together, and for one key and a foreign one apart', async () => {
        const { users, agents } = kinds(shared)
        const user = await users.create({ owner: 'acct_1' })
        const agent = await agents.create({ owner: 'agent_1' })
        const lines = [`Authorization: Bearer ${user.key}`, `X-API-Key: ${agent.key}`]
        const both = await serveGuarded(express, [users, agents])
        expect(codeIn(await raw(both.port, request(lines)))).toBe('ambiguous_credentials')
        const one = await serveGuarded(express, users)
        const other = await serveGuarded(express, agents)
        await raw(one.port, request(lines))
        await raw(other.port, request(lines))
        expect([both.reached, one.reached, other.reached]).toEqual([[], ['acct_1'], ['agent_1']])
      })

      it('give each its own identity when their guards stand in a row', async () => {
        const { users, agents } = kinds(shared)
        const user = await users.create({ owner: 'acct_1' })
        const agent = await agents.create({ owner: 'agent_1' })
        const app = express()
        app.get('/', guard(users), guard(agents), (req, res) =>
          res.json([users.of(req).owner, agents.of(req).owner, req.apiKey.owner]),
        )
        const { port } = await serve(app)
        const { body } = await raw(port, request([`Authorization: Bearer ${user.key}`, `X-API-Key: ${agent.key}`]))
        expect(JSON.parse(body)).toEqual(['acct_1', 'agent_1', 'agent_1'])
        expect(codeIn(await raw(port, request([`Authorization: Bearer ${user.key}`])))).toBe('invalid_key')
      })
    })
  }

  describe(`N. What belongs to one of several instances, ${name}`, () => {
    it('answers in the words and the realm of the kind that the key is of, and of the first for nobody', async () => {
      const users = createApiKeys({ prefix: 'usr_', realm: 'users', answers: { disabled: { title: 'user off' } } })
      const agents = createApiKeys({
        prefix: 'agt_',
        realm: 'agents',
        reveal: 'nobody',
        answers: { invalid_key: { status: 403 } },
      })
      const { port } = await serveGuarded(express, [users, agents])
      const ask = async (line: string) => {
        const { status, headers, body } = await raw(port, request([line]))
        return [status, headers['www-authenticate']?.split(',')[0], JSON.parse(body).title]
      }
      const user = await users.create({ owner: 'acct_1' })
      const agent = await agents.create({ owner: 'agent_1' })
      await users.disable(user.record.id)
      await agents.disable(agent.record.id)
      expect(await ask(`X-API-Key: ${user.key}`)).toEqual([401, 'Bearer realm="users"', 'user off'])
      expect(await ask(`X-API-Key: ${agent.key}`)).toEqual([403, 'Bearer realm="agents"', 'Invalid API key'])
      expect(await ask('X-API-Key: sk_foreign')).toEqual([401, 'Bearer realm="users"', 'Invalid API key'])
      expect(await ask('Accept: */*')).toEqual([401, 'Bearer realm="users"', 'API key required'])
    })

    it('reads pairs of one beside whole keys of another', async () => {
      const pairs = createApiKeys({ prefix: 'par_', pair: true })
      const whole = createApiKeys({ prefix: 'who_' })
      const { port, reached } = await serveGuarded(express, [pairs, whole])
      const ask = async (...lines: string[]) => codeIn(await raw(port, request(lines)))
      const one = await pairs.create({ owner: 'acct_1' })
      const two = await whole.create({ owner: 'acct_2' })
      expect(await ask(`X-API-Key: ${one.key}`, `X-API-Secret: ${one.secret}`)).toBe('admitted')
      expect(await ask(`X-API-Key: ${two.key}`)).toBe('admitted')
      expect(await ask(`Authorization: Bearer ${two.key}`)).toBe('admitted')
      expect(await ask(`X-API-Key: ${one.key}`)).toBe('incomplete_credentials')
      expect(await ask(`Authorization: Bearer ${two.key}`, `X-API-Secret: ${one.secret}`)).toBe('ambiguous_credentials')
      expect(await ask(`Authorization: Bearer ${one.key}`)).not.toBe('admitted')
      expect(reached).toEqual(['acct_1', 'acct_2', 'acct_2'])
    })

    it('names the sources of all in Vary', async () => {
      const { users, agents } = kinds()
      const pairs = createApiKeys({ prefix: 'par_', pair: true })
      const { port } = await serveGuarded(express, [users, agents, pairs], { optional: true })
      const { headers } = await raw(port, request())
      expect(headers.vary?.split(', ').sort()).toEqual(['authorization', 'x-api-key', 'x-api-secret'])
    })

    it('keeps the identity of a guard for a list in front of a guard for one', async () => {
      const { users, agents } = kinds()
      const { key } = await users.create({ owner: 'acct_1', limits: { minute: 5 } })
      const app = express()
      app.use(guard([agents, users]))
      app.get('/', guard(users, { optional: true }), guard([users, agents]), (req, res) =>
        res.json([req.apiKey.owner, users.of(req).readings[0]?.remaining]),
      )
      const { port } = await serve(app)
      expect(JSON.parse((await raw(port, request([`X-API-Key: ${key}`]))).body)).toEqual(['acct_1', 4])
    })
  })
}
