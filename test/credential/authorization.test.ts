import { describe, expect, it } from 'vitest'
import { PLACES } from '../support/places.ts'
import { raw, request } from '../support/raw.ts'
import { openSite } from '../support/site.ts'

const MISSING = '401 missing_credentials'
const INVALID = '401 invalid_key'
const AMBIGUOUS = '400 ambiguous_credentials'

describe('H. Header parsing: Authorization', () => {
  it.each([
    ['H-02 an empty value', ''],
    ['H-03 the scheme without a token', 'Bearer'],
    ['H-04 the scheme and spaces only', 'Bearer      '],
  ])('%s is no credential, on a guarded and on an optional route', async (_, value) => {
    const { send } = await openSite()
    expect(await send([['Authorization', value]])).toBe(MISSING)
    const optional = await openSite({ demand: { optional: true } })
    expect(await optional.send([['Authorization', value]])).toBe(MISSING)
    expect(await optional.send([])).toBe('anonymous')
  })

  it.each(['Bearer   KEY', 'bearer KEY', 'BEARER KEY', 'bEaReR KEY', '   Bearer KEY   '])(
    'H-06 accepts several spaces after the scheme, and the scheme in any case: "%s"',
    async (pattern) => {
      const { send, issue } = await openSite()
      const { key } = await issue()
      expect(await send([['Authorization', pattern.replace('KEY', key)]])).toBe('admitted')
    },
  )

  it.each(['Bearer\tKEY', 'Bearer \tKEY', 'Bearer\t KEY'])(
    'H-07 refuses a tab between scheme and key: %j',
    async (pattern) => {
      const { send, issue, finds } = await openSite()
      const { key } = await issue()
      expect(await send([['Authorization', pattern.replace('KEY', key)]])).toBe(INVALID)
      expect(finds()).toBe(0)
    },
  )

  it.each(['BearerKEY', 'Bearer:KEY', 'Bearer=KEY', 'Bearer-KEY', 'Bearers KEY', 'Token KEY', 'KEY'])(
    'H-08 takes "%s" for an unknown scheme',
    async (pattern) => {
      const { send, issue, finds } = await openSite()
      const { key } = await issue()
      expect(await send([['Authorization', pattern.replace('KEY', key)]])).toBe(MISSING)
      expect(finds()).toBe(0)
    },
  )

  it.each(PLACES)('H-09 refuses a second word after the key in $name', async ({ pair, lines }) => {
    const { send, issue, finds } = await openSite({ keys: { pair } })
    const issued = await issue()
    expect(await send(lines(issued, (text) => `${text} extra`))).toBe(INVALID)
    expect(await send(lines(issued, (text) => `${text} ${text}`))).toBe(INVALID)
    expect(finds()).toBe(0)
  })

  it.each(PLACES)('H-10 tries no part of a list in $name', async ({ name, pair, lines }) => {
    const { send, issue, finds } = await openSite({ keys: { pair } })
    const issued = await issue()
    const scheme = name === 'Bearer' ? 'Bearer ' : ''
    for (const change of [
      (text: string) => `${text},`,
      (text: string) => `,${text}`,
      (text: string) => `${text},${scheme}${text}`,
      (text: string) => `${text}, ${scheme}${text.replace(/.$/, 'x')}`,
    ]) {
      expect(await send(lines(issued, change))).toBe(AMBIGUOUS)
    }
    expect(finds()).toBe(0)
  })

  it.each(PLACES)('H-11 refuses quotes and parameters in $name', async ({ pair, lines }) => {
    const { send, issue, finds } = await openSite({ keys: { pair } })
    const issued = await issue()
    for (const pattern of ['"KEY"', "'KEY'", 'token="KEY"', 'token=KEY', '<KEY>', 'KEY;', 'KEY; v=1']) {
      expect(await send(lines(issued, (text) => pattern.replace('KEY', text)))).toBe(INVALID)
    }
    expect(finds()).toBe(0)
  })

  it('H-28 answers Basic with a Bearer challenge and does not look inside', async () => {
    const { port, issue, judge, finds } = await openSite({ keys: { realm: 'shop' } })
    const { key } = await issue()
    for (const value of [key, `${key}:`, `:${key}`, `user:${key}`]) {
      const basic = Buffer.from(value).toString('base64')
      const answer = await raw(port, request([`Authorization: Basic ${basic}`]))
      expect(judge(answer)).toBe(MISSING)
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="shop"')
    }
    expect(finds()).toBe(0)
  })

  it('H-28 Basic leaves a key in another header alone, and is no anonymous request on an optional route', async () => {
    const { send, issue } = await openSite({ demand: { optional: true } })
    const { key } = await issue()
    expect(await send([['Authorization', 'Basic dTpw']])).toBe(MISSING)
    expect(
      await send([
        ['Authorization', 'Basic dTpw'],
        ['X-API-Key', key],
      ]),
    ).toBe('admitted')
  })

  it.each(['Proxy-Authorization', 'X-Authorization', 'Authorization2', 'Cookie'])(
    'H-30 does not read %s',
    async (name) => {
      const { send, issue } = await openSite()
      const { key } = await issue()
      expect(await send([[name, `Bearer ${key}`]])).toBe(MISSING)
    },
  )

  it('does not read the request target', async () => {
    const { send, issue } = await openSite()
    const { key } = await issue()
    expect(await send([], { target: `/?api_key=${key}&access_token=${key}&x-api-key=${key}` })).toBe(MISSING)
  })
})
