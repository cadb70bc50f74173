import { bearer, createApiKeys, header } from 'keyward'
import { describe, expect, it } from 'vitest'
import { judged } from '../support/outcome.ts'
import type { Line } from '../support/places.ts'
import { raw, request } from '../support/raw.ts'
import { openSite } from '../support/site.ts'

const MISSING = '401 missing_credentials'
const INVALID = '401 invalid_key'
const AMBIGUOUS = '400 ambiguous_credentials'
const JWT = 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln'

const inBearer = (text: string): Line => ['Authorization', `Bearer ${text}`]
const inHeader = (text: string): Line => ['X-API-Key', text]
const LEAVING = { sources: [bearer({ foreign: 'ignore' }), header('x-api-key')] }

describe('foreign credentials', () => {
  it.each([false, true])('alone are an invalid key, in either source (optional: %s)', async (optional) => {
    const { send, finds } = await openSite({ demand: { optional } })
    expect(await send([inBearer(JWT)])).toBe(INVALID)
    expect(await send([inHeader('x')])).toBe(INVALID)
    expect(await send([inBearer(JWT), inHeader('x')])).toBe(INVALID)
    expect(finds()).toBe(0)
  })

  it('are refused in the same bytes as malformed, unknown and wrong keys', async () => {
    const { port, issue } = await openSite()
    const { key } = await issue()
    const other = await createApiKeys({ prefix: 'agk_live_' }).create({ owner: 'acct_2' })
    const texts = [JWT, 'agk_live_', key.slice(0, -1), `${key} x`, 'agk_test_x', other.key]
    const answers = await Promise.all(texts.map((text) => raw(port, request([`X-API-Key: ${text}`]))))
    const told = answers.map(({ status, lines, body }) =>
      [status, ...lines, body].join('\n').replaceAll(/req_[0-9a-f]{32}/g, 'req_'),
    )
    expect(new Set(told).size).toBe(1)
    expect(answers[0]?.headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_token"')
  })

  it('are left to whoever shares the header, where the source says so', async () => {
    const { send, issue } = await openSite({ keys: LEAVING })
    const { key } = await issue()
    expect(await send([inBearer(JWT)])).toBe(MISSING)
    expect(await send([inBearer(JWT), inHeader(key)])).toBe('admitted')
    expect(await send([inBearer(JWT), inHeader('x')])).toBe(INVALID)
    expect(await send([inBearer(key)])).toBe('admitted')
  })

  it('are left in a header of their own, where that says so', async () => {
    const { send, issue } = await openSite({ keys: { sources: [header('x-api-key', { foreign: 'ignore' })] } })
    const { key } = await issue()
    expect(await send([inHeader('sk_of_before')])).toBe(MISSING)
    expect(await send([inHeader(key)])).toBe('admitted')
    expect(await send([inHeader(`${key}x`)])).toBe(INVALID)
  })

  it.each([{ foreign: 'refuse' }, { foriegn: 'ignore' }, 'ignore', null])('are %j no option of header()', (options) => {
    expect(() => header('x-api-key', options as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining("is not { foreign?: 'ignore' }") }),
    )
  })

  it('then count as no header, also on optional routes', async () => {
    const { send, issue } = await openSite({ keys: LEAVING, demand: { optional: true } })
    const { key } = await issue()
    expect(await send([inBearer(JWT)])).toBe('anonymous')
    expect(await send([inBearer(JWT), inHeader(key)])).toBe('admitted')
    expect(await send([inBearer(JWT), inHeader('')])).toBe(MISSING)
    expect(await send([inBearer(JWT), inHeader('x')])).toBe(INVALID)
  })

  it.each<[string, (key: string) => string]>([
    ['H-07 behind a tab', (key) => `Bearer\t${key}`],
    ['H-07 behind blanks of both kinds', (key) => `Bearer \t ${key}`],
    ['H-11 in quotes', (key) => `Bearer "${key}"`],
    ['H-11 in single quotes', (key) => `Bearer '${key}'`],
    ['H-11 as a parameter', (key) => `Bearer token="${key}"`],
    ['H-11 as a parameter without quotes', (key) => `Bearer token=${key}`],
    ['H-09 behind a token of somebody else', (key) => `Bearer ${JWT} ${key}`],
  ])('none is a key of ours that is not written as it should be: %s', async (_, value) => {
    for (const optional of [false, true]) {
      const { send, issue } = await openSite({ keys: LEAVING, demand: { optional } })
      const { key } = await issue()
      expect(await send([['Authorization', value(key)]])).toBe(INVALID)
      expect(await send([['Authorization', value(JWT)]])).toBe(optional ? 'anonymous' : MISSING)
    }
  })

  const AWS = 'AWS4-HMAC-SHA256 Credential=AKIA/20261121/eu/s3/aws4_request, SignedHeaders=host, Signature=ab12'
  const DIGEST = 'Digest username="u", realm="r", nonce="n", uri="/"'

  it.each([AWS, DIGEST])('of another scheme may have commas: %s', async (value) => {
    const required = await openSite({ keys: LEAVING })
    const { key } = await required.issue()
    expect(await required.send([['Authorization', value]])).toBe(MISSING)
    expect(await required.send([['Authorization', value], inHeader(key)])).toBe('admitted')
    const optional = await openSite({ keys: LEAVING, demand: { optional: true } })
    expect(await optional.send([['Authorization', value]])).toBe('anonymous')
    expect(
      await optional.send([
        ['Authorization', value],
        ['Authorization', value],
      ]),
    ).toBe(AMBIGUOUS)
  })

  it('with commas stay ambiguous where one of the parts is a bearer, and where the source leaves nothing', async () => {
    const { send, issue } = await openSite({ keys: LEAVING, demand: { optional: true } })
    const { key } = await issue()
    expect(await send([['Authorization', `${AWS}, Bearer ${key}`]])).toBe(AMBIGUOUS)
    expect(await send([['Authorization', `Bearer ${key}, ${AWS}`]])).toBe(AMBIGUOUS)
    expect(await send([inBearer(`${JWT}, ${JWT}`)])).toBe(AMBIGUOUS)
    const strict = await openSite({ demand: { optional: true } })
    expect(await strict.send([['Authorization', AWS]])).toBe(AMBIGUOUS)
  })

  it('leave nothing of ours through: a malformed, unknown or repeated key in that header is refused', async () => {
    const { send, issue } = await openSite({ keys: LEAVING, demand: { optional: true } })
    const { key } = await issue()
    const other = await createApiKeys({ prefix: 'agk_live_' }).create({ owner: 'acct_2' })
    expect(await send([inBearer('agk_live_x')])).toBe(INVALID)
    expect(await send([inBearer(other.key)])).toBe(INVALID)
    expect(await send([inBearer(JWT), inBearer(key)])).toBe(AMBIGUOUS)
    expect(await send([inBearer(`${JWT}, Bearer ${key}`)])).toBe(AMBIGUOUS)
  })

  it.each([{ foreign: 'skip' }, { foregin: 'ignore' }, 'ignore', null])('bearer(%j) is refused', (options) => {
    expect(() => bearer(options as never)).toThrow(expect.objectContaining({ code: 'CONFIG' }))
  })

  it('that a host holds in its hands are an invalid key', async () => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    expect(await judged(keys, JWT)).toBe('invalid_key')
    expect(await judged(keys, { key: JWT })).toBe('invalid_key')
    expect(await judged(keys, { key: JWT }, { optional: true })).toBe('invalid_key')
    expect(await judged(keys, '')).toBe('missing_credentials')
    expect(await judged(keys, { key: '' })).toBe('missing_credentials')
  })
})
