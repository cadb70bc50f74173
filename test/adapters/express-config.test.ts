import { createApiKeys, type Demand } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

describe('N. A guard that is made wrong is CONFIG', () => {
  const keys = createApiKeys({ prefix: 'mnt_', scopes: { contacts: ['read'] } })
  const made = (demand: unknown) => failure(() => guard(keys, demand as Demand<'contacts:read'>))

  it.each(['scopes', 'resource', 'owner', 'environment', 'cost', 'limits', 'optional', 'answers'])(
    'N-12 refuses a demand whose %s is undefined, which would demand nothing',
    async (field) => {
      expect(await made({ [field]: undefined })).toMatchObject({ code: 'CONFIG', issues: [{ path: field }] })
    },
  )

  it.each([
    { scopes: [] },
    { scopes: { any: [] } },
    { scopes: '' },
    { scopes: 'contacts:read' },
    { scopes: null },
    { scopes: false },
    { scopes: [''] },
    { scopes: ['contacts:raed'] },
    { scopes: { any: ['contacts:read'], all: [] } },
    { scope: ['contacts:read'] },
    { resource: '' },
    { resource: 42 },
    { owner: null },
    { environment: 'live' },
    { cost: -1 },
    { cost: 1.5 },
    { cost: '1' },
    { cost: Number.NaN },
    { limits: { fortnight: 1 } },
    { optional: 'yes' },
    { answers: 7 },
  ])('N-12 S-11 refuses the demand %j', async (demand) => {
    expect(await made(demand)).toMatchObject({ code: 'CONFIG' })
  })

  it.each([null, [], 'contacts:read', 7, false])('refuses %j for a demand', async (demand) => {
    expect(await made(demand)).toMatchObject({ code: 'CONFIG' })
  })

  it.each([undefined, null, [], {}, 'keys', [undefined], [keys, {}], createApiKeys])(
    'refuses %j where instances should be',
    async (given) => {
      expect(await failure(() => guard(given as typeof keys))).toMatchObject({ code: 'CONFIG' })
    },
  )
})

for (const { name, express } of EXPRESSES) {
  describe(`N. A demand is read once, ${name}`, () => {
    it('P-02 demands what it did when the guard was made, whatever becomes of the object', async () => {
      const free = createApiKeys({ prefix: 'mnt_' })
      const demand = { scopes: ['contacts:delete'], optional: false, owner: 'acct_1' as string }
      const app = express()
      app.get('/', guard(free, demand), (_req, res) => void res.send('reached'))
      demand.scopes.length = 0
      demand.optional = true
      demand.owner = 'acct_2'
      const { port } = await serve(app)
      const { key } = await free.create({ owner: 'acct_2', scopes: ['*'] })
      const scopeless = await free.create({ owner: 'acct_1' })
      const ask = async (...lines: string[]) => (await raw(port, request(lines))).status
      expect(await ask()).toBe(401)
      expect(await ask(`X-API-Key: ${key}`)).toBe(403)
      expect(await ask(`X-API-Key: ${scopeless.key}`)).toBe(403)
    })

    it('P-02 reads a getter of a demand once', async () => {
      const free = createApiKeys({ prefix: 'mnt_' })
      let reads = 0
      const demand = {
        get scopes() {
          reads++
          return reads === 1 ? ['contacts:delete'] : ['contacts:read']
        },
      }
      const app = express()
      app.get('/', guard(free, demand), (_req, res) => void res.send('reached'))
      const { port } = await serve(app)
      const { key } = await free.create({ owner: 'acct_1', scopes: ['contacts:read'] })
      expect((await raw(port, request([`X-API-Key: ${key}`]))).status).toBe(403)
      expect(reads).toBe(1)
    })

    it('P-01 takes nothing from Object.prototype for a field of a demand', async () => {
      const free = createApiKeys({ prefix: 'mnt_' })
      const { key } = await free.create({ owner: 'acct_1' })
      const polluted = Object.prototype as { optional?: unknown; scopes?: unknown; skip?: unknown }
      const app = express()
      try {
        polluted.optional = true
        polluted.scopes = ['contacts:delete']
        polluted.skip = true
        app.get('/', guard(free), (_req, res) => void res.send('reached'))
        app.get('/empty', guard(free, {}), (_req, res) => void res.send('reached'))
      } finally {
        delete polluted.optional
        delete polluted.scopes
        delete polluted.skip
      }
      const { port } = await serve(app)
      for (const target of ['/', '/empty']) {
        expect((await raw(port, request([], { target }))).status).toBe(401)
        expect((await raw(port, request([`X-API-Key: ${key}`], { target }))).status).toBe(200)
      }
    })
  })
}
