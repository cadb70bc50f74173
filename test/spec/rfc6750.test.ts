import { createApiKeys, type DenialCode } from 'keyward'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { CODES, REFUSALS } from '../support/refusals.ts'

/** RFC 6750 section 3.1: which error goes with which status. */
const STATUS: Readonly<Record<string, number>> = { invalid_request: 400, invalid_token: 401, insufficient_scope: 403 }

/** Section 3: `Bearer` and auth-params, each quoted, each once (RFC 9110 section 11.6.1). */
function parseChallenge(field: string): Record<string, string> {
  const scheme = /^Bearer /.exec(field)?.[0] ?? ''
  const params: Record<string, string> = {}
  let rest = field.slice(scheme.length)
  while (rest !== '') {
    const [whole, name, value] = /^([a-z]+)="([^"\\]*)"(?:, (?=[a-z])|$)/.exec(rest) ?? []
    if (whole === undefined || name === undefined || value === undefined) throw new Error(`no auth-param at ${rest}`)
    if (name in params) throw new Error(`${name} is there twice`)
    params[name] = value
    rest = rest.slice(whole.length)
  }
  if (scheme === '') throw new Error(`no Bearer challenge: ${field}`)
  return params
}

for (const { name, express } of EXPRESSES) {
  describe(`RFC 6750, ${name}`, () => {
    async function refused(code: DenialCode, options: Parameters<(typeof REFUSALS)[DenialCode]>[0] = {}) {
      const { keys, demand, lines } = await REFUSALS[code](options)
      const { port } = await serveGuarded(express, keys, demand)
      const { status, headers } = await raw(port, request(lines))
      const field = headers['www-authenticate']
      return { status, challenge: field === undefined ? undefined : parseChallenge(field) }
    }

    it.each(CODES)('section 3: a 401 has a challenge with the realm, and %s follows it', async (code) => {
      const { status, challenge } = await refused(code, { realm: 'the agents of acct 1' })
      if (status === 401) expect(challenge).toBeDefined()
      if (challenge !== undefined) expect(challenge.realm).toBe('the agents of acct 1')
    })

    it.each(CODES)('section 3.1: the error of %s fits its status', async (code) => {
      const { status, challenge } = await refused(code)
      if (challenge?.error !== undefined) expect(status).toBe(STATUS[challenge.error])
      expect([undefined, ...Object.keys(STATUS)]).toContain(challenge?.error)
    })

    it('section 3.1: says no error where nothing was sent', async () => {
      expect((await refused('missing_credentials')).challenge).toEqual({ realm: 'api' })
    })

    it.each(['Basic YTpi', 'Bearer', 'Bearer  ', '', 'Digest a="b"'])(
      'section 3.1: says no error where %j was sent, which is no bearer token',
      async (value) => {
        const { port } = await serveGuarded(express, createApiKeys({ prefix: 'rfc_' }))
        const { status, headers } = await raw(port, request([`Authorization: ${value}`]))
        expect([status, parseChallenge(headers['www-authenticate'] ?? '')]).toEqual([401, { realm: 'api' }])
      },
    )

    it('section 3.1: one that repeats the token is an invalid request, with 400', async () => {
      const { status, challenge } = await refused('ambiguous_credentials')
      expect([status, challenge]).toEqual([400, { realm: 'api', error: 'invalid_request' }])
    })

    it.each(['invalid_key', 'revoked', 'disabled', 'expired'] as const)(
      'section 3.1: %s is an invalid token',
      async (code) => {
        expect(await refused(code)).toEqual({ status: 401, challenge: { realm: 'api', error: 'invalid_token' } })
      },
    )

    it('section 3: names the scopes that the request needs, not those that the key has', async () => {
      const scope = 'contacts:read contacts:update'
      expect(await refused('insufficient_scope')).toEqual({
        status: 403,
        challenge: { realm: 'api', error: 'insufficient_scope', scope },
      })
    })

    it('section 3: names each scope of which one would do', async () => {
      const keys = createApiKeys({ prefix: 'rfc_' })
      const { key } = await keys.create({ owner: 'acct_1', scopes: ['other:read'] })
      const { port } = await serveGuarded(express, keys, { scopes: { any: ['a:read', 'b.c-d_e:*', '*'] } })
      const { headers } = await raw(port, request([`Authorization: Bearer ${key}`]))
      const { scope = '' } = parseChallenge(headers['www-authenticate'] ?? '')
      expect(scope).toBe('a:read b.c-d_e:* *')
      expect(scope).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/)
    })

    it.each(['bearer', 'BEARER', 'bEaReR'])(
      'section 2.1: takes the scheme in any case: %s (RFC 9110 section 11.1)',
      async (scheme) => {
        const keys = createApiKeys({ prefix: 'rfc_' })
        const { key } = await keys.create({ owner: 'acct_1' })
        const { port } = await serveGuarded(express, keys)
        expect((await raw(port, request([`Authorization: ${scheme} ${key}`]))).status).toBe(200)
      },
    )

    it('section 2.2 and 2.3: takes a token from no body and from no URL', async () => {
      const keys = createApiKeys({ prefix: 'rfc_' })
      const { key } = await keys.create({ owner: 'acct_1' })
      const { port, reached } = await serveGuarded(express, keys)
      const body = `access_token=${key}`
      const form = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`]
      const inBody = Buffer.concat([request(form, { method: 'POST' }), Buffer.from(body)])
      const inUrl = request([], { target: `/?${body}` })
      expect([(await raw(port, inBody)).status, (await raw(port, inUrl)).status, reached]).toEqual([401, 401, []])
    })
  })
}

describe('RFC 6750, what is issued and configured', () => {
  it.each(['a_', 'agk_live_', 'x-y-', 'a0_b-c_'])('section 2.1: a key of %s is a b64token', async (prefix) => {
    const { key } = await createApiKeys({ prefix }).create({ owner: 'acct_1' })
    expect(key).toMatch(/^[A-Za-z0-9\-._~+/]+=*$/)
  })

  it.each(['api', 'a b', "it's (mine)", '~!#$%&*'])('takes the realm %j', (realm) => {
    expect(() => createApiKeys({ prefix: 'rfc_', realm })).not.toThrow()
  })

  it.each(['', 'a"b', 'a\\b', 'a\r\nSet-Cookie: x', 'ä', 'a\u0000', 'a'.repeat(65), 7, null])(
    'refuses the realm %j',
    async (realm) => {
      const error = await failure(() => createApiKeys({ prefix: 'rfc_', realm: realm as string }))
      expect(error).toMatchObject({ code: 'CONFIG', issues: [{ path: 'realm' }] })
    },
  )
})
