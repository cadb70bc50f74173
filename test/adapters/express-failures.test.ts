import { type Created, createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { unknownKeys } from '../support/strangers.ts'

for (const { name, express, source, options, lines } of EVERY_WAY) {
  describe(`Failure budget, ${name}, ${source}`, () => {
    async function served(trustedProxies: readonly string[]) {
      const keys = createApiKeys({
        prefix: 'fb_',
        failures: { limit: 2, window: '10m' },
        limits: { default: { minute: 100 } },
        trustedProxies,
        ...options,
      })
      const created = await keys.create({ owner: 'acct_1' })
      const [stranger] = await unknownKeys('fb_', 1, options.pair === true)
      const site = await serveGuarded(express, keys)
      const ask = (made: Pick<Created, 'key' | 'secret'>, from: string, forwarded?: string) => {
        const more = forwarded === undefined ? [] : [`X-Forwarded-For: ${forwarded}`]
        return raw(site.port, request([...lines(made), ...more]), '127.0.0.1', from)
      }
      return { ...site, created, stranger: stranger as Created, ask }
    }

    it('429 with Retry-After, without limit fields, and byte-identical for every key', async () => {
      const { ask, stranger, created, reached } = await served([])
      for (let i = 0; i < 2; i++) expect((await ask(stranger, '127.0.0.2')).status).toBe(401)
      const [held, alike] = [await ask(stranger, '127.0.0.2'), await ask(created, '127.0.0.2')]
      expect(held.status).toBe(429)
      expect(held.headers['retry-after']).toMatch(/^[1-9]\d{0,2}$/)
      expect(Number(held.headers['retry-after'])).toBeLessThanOrEqual(600)
      expect(held.headers).toMatchObject({ 'cache-control': 'no-store', 'x-should-retry': 'false' })
      const names = Object.keys(held.headers)
      expect(names.filter((field) => /ratelimit|www-authenticate/.test(field))).toEqual([])
      expect(JSON.parse(held.body)).toMatchObject({
        status: 429,
        code: 'too_many_failures',
        error: { type: 'rate_limit_error', code: 'too_many_failures' },
      })
      expect(bytesOf(alike)).toEqual(bytesOf(held))
      expect(reached).toEqual([])
    })

    it('another address is served meanwhile, and the proved key then from everywhere', async () => {
      const { ask, stranger, created, reached } = await served([])
      for (let i = 0; i < 3; i++) await ask(stranger, '127.0.0.2')
      expect((await ask(created, '127.0.0.2')).status).toBe(429)
      expect((await ask(created, '127.0.0.3')).status).toBe(200)
      expect((await ask(created, '127.0.0.2')).status).toBe(200)
      expect(reached).toEqual(['acct_1', 'acct_1'])
    })

    it('behind a trusted proxy it is the client’s network that is held back, not the proxy’s', async () => {
      const { ask, stranger, created } = await served(['127.0.0.0/8'])
      for (let i = 0; i < 2; i++) await ask(stranger, '127.0.0.1', `2001:db8:0:1::${i}`)
      expect((await ask(stranger, '127.0.0.1', '2001:db8:0:1::99')).status).toBe(429)
      expect((await ask(created, '127.0.0.1', '2001:db8:0:2::1')).status).toBe(200)
    })

    it('a header that a client writes makes no new network where there is no proxy', async () => {
      const { ask, stranger } = await served([])
      for (let i = 0; i < 2; i++) await ask(stranger, '127.0.0.2', `203.0.113.${i}`)
      expect((await ask(stranger, '127.0.0.2', '203.0.113.77')).status).toBe(429)
    })
  })
}

/** An answer without what differs from one request to the next. */
function bytesOf({ lines, body }: RawAnswer): readonly string[] {
  const text = [...lines, body].map((line) => line.replace(/req_[0-9a-f]+/g, 'req'))
  return text.map((line) => line.replace(/^Retry-After: \d+$|"retry_after":\d+/, 'Retry-After'))
}
