import { createApiKeys } from 'keyward'
import { guard } from 'keyward/fetch'
import { describe, expect, it } from 'vitest'
import { ask, FRAMEWORKS } from '../support/frameworks.ts'
import { throughTls } from '../support/tls.ts'

const anonymised = (body: string) => body.replaceAll(/req_[0-9a-f]{32}/g, 'req_')
const LOOPBACK = ['127.0.0.0/8']

for (const framework of FRAMEWORKS) {
  describe(`I-38 requireTls on ${framework.name}`, () => {
    it('admits what comes over TLS, and answers every key alike that does not', async () => {
      const keys = createApiKeys({ prefix: 'tls_', requireTls: true, trustedProxies: [] })
      const { key, record } = await keys.create({ owner: 'acct_1' })
      const bound = await framework.open(keys, undefined, (access) => access?.owner)
      const secured = { port: await throughTls(bound.server, framework.http2 ? 'h2' : 'http/1.1'), host: bound.host }
      expect(await ask(framework, secured, [`X-API-Key: ${key}`])).toMatchObject({ status: 200, body: '"acct_1"' })
      expect((await ask(framework, secured, ['X-API-Key: tls_nonsense'])).status).toBe(401)
      const said = 'X-Forwarded-Proto: https'
      const sent = [[`X-API-Key: ${key}`], ['X-API-Key: tls_nonsense'], [], [`X-API-Key: ${key}`, said]]
      const bare = await Promise.all(sent.map((lines) => ask(framework, bound, lines)))
      expect(bare.map(({ status }) => status)).toEqual([403, 403, 403, 403])
      expect(new Set(bare.map(({ body }) => anonymised(body))).size).toBe(1)
      expect(JSON.parse(bare[0]?.body ?? '')).toMatchObject({ code: 'tls_required', title: 'TLS required' })
      const [shown] = bare.map(({ headers }) => Object.keys(headers).join())
      expect(new Set(bare.map(({ headers }) => Object.keys(headers).join()))).toEqual(new Set([shown]))
      await keys.flush()
      expect((await keys.get(record.id))?.uses).toBe(1)
    })

    it('believes a trusted proxy that speaks TLS itself only what it says of its client', async () => {
      const keys = createApiKeys({ prefix: 'tls_', requireTls: true, trustedProxies: LOOPBACK })
      const { key } = await keys.create({ owner: 'acct_1' })
      const bound = await framework.open(keys, undefined, (access) => access?.owner)
      const secured = { port: await throughTls(bound.server, framework.http2 ? 'h2' : 'http/1.1'), host: bound.host }
      const statusOf = async (...lines: string[]) =>
        (await ask(framework, secured, [`X-API-Key: ${key}`, ...lines])).status
      expect(await statusOf('X-Forwarded-Proto: https')).toBe(200)
      expect(await statusOf('X-Forwarded-Proto: http')).toBe(403)
      expect(await statusOf()).toBe(403)
    })
  })
}

describe('I-38 requireTls on fetch, where there is no socket', () => {
  it.each([
    ['https://api.example/v1', 200],
    ['HTTPS://api.example/v1', 200],
    ['http://api.example/v1', 403],
    ['http://https:443/v1', 403],
  ])('goes by the URL: %s is answered with %s', async (url, status) => {
    const keys = createApiKeys({ prefix: 'tls_', requireTls: true })
    const { key } = await keys.create({ owner: 'acct_1' })
    const handler = guard(keys, {}, () => new Response('ok'))
    expect((await handler(new Request(url, { headers: { 'X-API-Key': key } }))).status).toBe(status)
  })
})
