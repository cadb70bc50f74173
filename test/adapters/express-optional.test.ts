import { bearer, createApiKeys, header } from 'keyward'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY, EXPRESSES } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { raw, request } from '../support/raw.ts'
import { wrongSecretFor } from '../support/stores.ts'

/** A well-formed JWT, as it may share the Authorization header. */
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

for (const way of EVERY_WAY) {
  describe(`N. Optional routes, ${way.name}, ${way.source}`, () => {
    async function optional() {
      const keys = createApiKeys({ prefix: 'opt_', ...way.options })
      const served = await serveGuarded(way.express, keys, { optional: true, owner: 'acct_1' })
      const ask = (lines: readonly string[]) => raw(served.port, request(lines))
      return { keys, ask, ...served }
    }

    it('lets a request without any source header go on with req.apiKey undefined', async () => {
      const { ask, reached } = await optional()
      const { status, headers, body } = await ask([])
      expect([status, body]).toEqual([200, '{"owner":null}'])
      expect(headers.vary?.toLowerCase()).toContain('x-api-key')
      expect(reached).toEqual([undefined])
    })

    it('gives the identity of a key that was sent, by the same rules as elsewhere', async () => {
      const { keys, ask, reached } = await optional()
      const mine = await keys.create({ owner: 'acct_1' })
      const other = await keys.create({ owner: 'acct_2' })
      expect((await ask(way.lines(mine))).body).toBe('{"owner":"acct_1"}')
      expect((await ask(way.lines(other))).status).toBe(403)
      expect(reached).toEqual(['acct_1'])
    })

    it('refuses a source header that is empty', async () => {
      const { ask, reached } = await optional()
      for (const value of ['', ' ', '\t']) {
        const answer = await ask(way.lines({ key: '', secret: '' }).map((line) => `${line.split(':')[0]}:${value}`))
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([401, 'missing_credentials'])
      }
      expect(reached).toEqual([])
    })

    it('refuses a key that is malformed, foreign, unknown, revoked or has a wrong secret', async () => {
      const { keys, ask, reached } = await optional()
      const { record, ...revoked } = await keys.create({ owner: 'acct_1' })
      await keys.revoke(record.id)
      const live = await keys.create({ owner: 'acct_1' })
      const bad = [
        { key: 'opt_malformed', secret: 'opt_sec_malformed' },
        { key: 'sk-foreign', secret: 'sk-foreign' },
        await wrongSecretFor('0'.repeat(12), 'opt_', way.options.pair),
        await wrongSecretFor(live.record.id, 'opt_', way.options.pair),
        revoked,
      ]
      const codes: unknown[] = []
      for (const each of bad) {
        const answer = await ask(way.lines(each))
        codes.push([answer.status, JSON.parse(answer.body).code])
      }
      expect(codes).toEqual([...Array.from({ length: 4 }, () => [401, 'invalid_key']), [401, 'revoked']])
      expect(reached).toEqual([])
    })

    it("takes headers that are nobody's source for no header", async () => {
      const { ask, reached } = await optional()
      const others = ['X_API_Key: x', 'XAPIKEY: x', 'Proxy-Authorization: Bearer x', 'Cookie: key=x', 'X-Api-Keys: x']
      expect((await ask(others)).status).toBe(200)
      expect(reached).toEqual([undefined])
    })

    it('refuses a request of which headers may have been lost', async () => {
      const { ask, reached } = await optional()
      const filler = Array.from({ length: 1000 }, (_, i) => `F${i}: x`)
      const answer = await ask([...filler, ...way.lines({ key: 'opt_x', secret: 'opt_x' })])
      // Later versions of Node refuse it themselves.
      const told = answer.status === 431 ? '431' : `${answer.status} ${JSON.parse(answer.body).code}`
      expect(['400 ambiguous_credentials', '431']).toContain(told)
      expect(reached).toEqual([])
    })
  })
}

for (const { name, express } of EXPRESSES) {
  describe(`N. Optional routes and the header that others share, ${name}`, () => {
    it('refuses another scheme, which counts as no header elsewhere but not here', async () => {
      const { port, reached } = await serveGuarded(express, createApiKeys({ prefix: 'opt_' }), { optional: true })
      for (const line of [
        'Authorization: Basic YTpi',
        'Authorization: Digest x',
        'Authorization: opt_x',
        'Authorization: Bearer',
        'Authorization:',
      ]) {
        const answer = await raw(port, request([line]))
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([401, 'missing_credentials'])
      }
      expect(reached).toEqual([])
    })

    it('refuses a bearer token that is foreign, unless bearer() ignores those', async () => {
      const strict = await serveGuarded(express, createApiKeys({ prefix: 'opt_' }), { optional: true })
      expect((await raw(strict.port, request([`Authorization: Bearer ${JWT}`]))).status).toBe(401)

      const keys = createApiKeys({ prefix: 'opt_', sources: [bearer({ foreign: 'ignore' }), header('x-api-key')] })
      const shared = await serveGuarded(express, keys, { optional: true })
      const { key } = await keys.create({ owner: 'acct_1' })
      const ask = async (...lines: string[]) => (await raw(shared.port, request(lines))).body
      expect(await ask(`Authorization: Bearer ${JWT}`)).toBe('{"owner":null}')
      expect(await ask('Authorization: Basic YTpi')).toBe('{"owner":null}')
      expect(await ask(`Authorization: Bearer ${JWT}`, `X-API-Key: ${key}`)).toBe('{"owner":"acct_1"}')
      expect(await ask('Authorization: Bearer opt_malformed')).toContain('invalid_key')
      expect(await ask(`Authorization: Bearer ${JWT}`, 'X-API-Key: sk-foreign')).toContain('invalid_key')
    })

    it('refuses an empty header even where foreign tokens are ignored: an unset variable is not "nobody"', async () => {
      const keys = createApiKeys({ prefix: 'opt_', sources: [bearer({ foreign: 'ignore' }), header('x-api-key')] })
      const { port, reached } = await serveGuarded(express, keys, { optional: true })
      for (const line of ['Authorization:', 'Authorization: Bearer', 'Authorization: Bearer  ', 'X-API-Key:']) {
        const answer = await raw(port, request([line]))
        expect([line, answer.status]).toEqual([line, 401])
      }
      expect(reached).toEqual([])
    })

    it('tells the holder of nothing but a JWT that credentials are missing where they are required', async () => {
      const keys = createApiKeys({ prefix: 'opt_', sources: [bearer({ foreign: 'ignore' })] })
      const { port } = await serveGuarded(express, keys)
      expect((await raw(port, request([`Authorization: Bearer ${JWT}`]))).body).toContain('missing_credentials')
    })
  })
}
