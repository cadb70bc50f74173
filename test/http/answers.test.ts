import type { DenialCode } from 'keyward'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { CODES, REFUSALS } from '../support/refusals.ts'

/** API.md section 5, line by line: status, challenge, wait, and whether a client may try again at all. */
interface Told {
  readonly status: number
  readonly challenge?: string
  readonly wait?: string
  readonly retry?: 'false'
  /** The class that the SDKs of OpenAI and Anthropic raise. */
  readonly type: string
  readonly title?: string
}

const BEARER = 'Bearer realm="api"'
const INVALID = `${BEARER}, error="invalid_token"`
const UNAUTHENTICATED = { status: 401, retry: 'false', type: 'authentication_error' } as const
const FORBIDDEN = { status: 403, retry: 'false', type: 'permission_error' } as const

const TABLE: Readonly<Record<DenialCode, Told>> = {
  tls_required: FORBIDDEN,
  missing_credentials: { ...UNAUTHENTICATED, challenge: BEARER },
  incomplete_credentials: { ...UNAUTHENTICATED, challenge: BEARER, title: 'API key and secret are required' },
  ambiguous_credentials: {
    status: 400,
    challenge: `${BEARER}, error="invalid_request"`,
    retry: 'false',
    type: 'invalid_request_error',
  },
  invalid_key: { ...UNAUTHENTICATED, challenge: INVALID },
  revoked: { ...UNAUTHENTICATED, challenge: INVALID },
  disabled: { ...UNAUTHENTICATED, challenge: INVALID },
  expired: { ...UNAUTHENTICATED, challenge: INVALID },
  environment_mismatch: FORBIDDEN,
  ip_not_allowed: FORBIDDEN,
  owner_mismatch: FORBIDDEN,
  resource_mismatch: FORBIDDEN,
  insufficient_scope: {
    ...FORBIDDEN,
    challenge: `${BEARER}, error="insufficient_scope", scope="contacts:read contacts:update"`,
    title: 'Permission denied',
  },
  account_suspended: FORBIDDEN,
  insufficient_balance: { status: 402, retry: 'false', type: 'billing_error' },
  rate_limited: { status: 429, wait: '60', type: 'rate_limit_error' },
  too_many_failures: { status: 429, wait: '30', type: 'rate_limit_error' },
  unavailable: { status: 503, wait: '1', type: 'api_error' },
}

/** Header fields that every answer has, those that Express and Node add, and those that depend on the code. */
const ALWAYS = [
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'request-id',
  'vary',
  'x-powered-by',
  'x-request-id',
]

function expectedHeaders(code: DenialCode): string[] {
  const { challenge, wait, retry } = TABLE[code]
  const more = [
    ...(challenge === undefined ? [] : ['www-authenticate']),
    ...(wait === undefined ? [] : ['retry-after']),
    ...(retry === undefined ? [] : ['x-should-retry']),
    ...(code === 'rate_limited' ? ['ratelimit', 'ratelimit-policy'] : []),
  ]
  return [...ALWAYS, ...more].sort()
}

for (const { name, express } of EXPRESSES) {
  describe(`Answers, ${name}`, () => {
    describe.each(CODES)('%s', (code) => {
      async function refused(): Promise<RawAnswer & { reached: number; key: string }> {
        const { keys, demand, lines, created } = await REFUSALS[code]()
        const { port, reached } = await serveGuarded(express, keys, demand)
        return { ...(await raw(port, request(lines))), reached: reached.length, key: created.key }
      }

      it('has its status, and the handler is not reached', async () => {
        const { status, reached } = await refused()
        expect([status, reached]).toEqual([TABLE[code].status, 0])
      })

      it('has exactly the header fields that the contract names', async () => {
        const { headers } = await refused()
        expect(Object.keys(headers).sort()).toEqual(expectedHeaders(code))
        expect(headers).toMatchObject({
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
        })
        expect(headers['www-authenticate']).toBe(TABLE[code].challenge)
        expect(headers['retry-after']).toBe(TABLE[code].wait)
        expect(headers['x-should-retry']).toBe(TABLE[code].retry)
        expect(headers.vary).toBe(
          code === 'incomplete_credentials' ? 'x-api-key, x-api-secret' : 'authorization, x-api-key',
        )
      })

      it('has a body that says the same to people, to programs and to the SDKs', async () => {
        const { headers, body } = await refused()
        const { status, type, title } = TABLE[code]
        const told = JSON.parse(body) as Record<string, unknown>
        expect(told).toMatchObject({ status, code, request_id: headers['x-request-id'] })
        expect(told.title).toEqual(title ?? expect.stringMatching(/^[A-Z]/))
        expect(told.detail).toEqual(expect.stringMatching(/^[A-Z].*\.$/))
        expect(told.error).toEqual({ type, message: told.detail, code, param: null, details: { error_code: code } })
        expect(Buffer.byteLength(body)).toBe(Number(headers['content-length']))
      })

      it('has one request id in both headers and the body, a new one each time, made by nobody else', async () => {
        const { keys, demand, lines } = await REFUSALS[code]()
        const { port } = await serveGuarded(express, keys, demand)
        const ids: unknown[] = []
        for (let i = 0; i < 2; i++) {
          const { headers } = await raw(port, request([...lines, 'X-Request-Id: injected', 'Request-Id: injected']))
          expect(headers['request-id']).toBe(headers['x-request-id'])
          expect(headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
          ids.push(headers['x-request-id'])
        }
        expect(new Set([...ids, 'injected']).size).toBe(3)
      })

      it('shows nothing of the key', async () => {
        const { lines, body, key } = await refused()
        const told = JSON.stringify([lines, body])
        for (const part of [key, key.slice(-38), key.slice(-10)]) expect(told).not.toContain(part)
      })

      it('is the same on HEAD, without the body', async () => {
        const { keys, demand, lines } = await REFUSALS[code]()
        const { port } = await serveGuarded(express, keys, demand)
        const shown = (answer: RawAnswer) => [
          answer.status,
          answer.lines.map((line) => line.replace(/req_\w+/, 'req_')),
        ]
        const get = await raw(port, request(lines))
        const head = await raw(port, request(lines, { method: 'HEAD' }))
        expect(head.body).toBe('')
        expect(shown(head)).toEqual(shown(get))
      })

      it('is given to a preflight and to any method alike', async () => {
        const { keys, demand, lines } = await REFUSALS[code]()
        const { port, reached } = await serveGuarded(express, keys, demand)
        for (const method of ['OPTIONS', 'POST', 'DELETE']) {
          expect((await raw(port, request(lines, { method }))).status).toBe(TABLE[code].status)
        }
        expect(reached).toEqual([])
      })
    })
  })
}
