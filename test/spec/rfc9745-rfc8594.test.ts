import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

const START = Date.UTC(2026, 0, 1, 12, 0, 0, 250)

for (const way of EVERY_WAY) {
  describe(`Deprecation (RFC 9745) and Sunset (RFC 8594), ${way.name}, ${way.source}`, () => {
    /** A key that was rotated with this overlap, and what is told of its old and its new secret. */
    async function rotated(overlap: string | number, guards = 1) {
      const clock = fakeClock(START)
      const keys = createApiKeys({ prefix: 'rot_', ...way.options, clock })
      const before = await keys.create({ owner: 'acct_1' })
      clock.advance('10s')
      const after = await keys.rotate(before.record.id, { overlap: overlap as '1h' })
      const app = way.express()
      for (let i = 0; i < guards; i++) app.use(guard(keys))
      app.get('/', (_req, res) => void res.end())
      const { port } = await serve(app)
      const ask = async (texts: typeof before) => {
        const { status, headers } = await raw(port, request(way.lines(texts)))
        return { status, deprecation: headers.deprecation, sunset: headers.sunset }
      }
      return { clock, keys, id: before.record.id, old: () => ask(before), fresh: () => ask(after) }
    }
    const NOTHING = { deprecation: undefined, sunset: undefined }

    it('RFC 9745 section 2.1: the old secret says since when, as a Date of RFC 9651', async () => {
      const { old } = await rotated('1h')
      const { status, deprecation } = await old()
      expect([status, deprecation]).toEqual([200, `@${Math.floor((START + 10_000) / 1000)}`])
      expect(deprecation).toMatch(/^@\d{1,15}$/)
    })

    it('RFC 8594 section 3: the old secret says until when, as an HTTP-date', async () => {
      const { old } = await rotated('1h')
      const { sunset } = await old()
      expect(sunset).toBe('Thu, 01 Jan 2026 13:00:10 GMT')
    })

    it('RFC 9745 section 5: what is sunset is not sunset before it is deprecated', async () => {
      const { old } = await rotated(1)
      const { deprecation, sunset } = await old()
      expect(Date.parse(sunset ?? '')).toBeGreaterThanOrEqual(Number(deprecation?.slice(1)) * 1000)
    })

    it('the new secret says neither', async () => {
      const { fresh } = await rotated('1h')
      expect(await fresh()).toEqual({ status: 200, ...NOTHING })
    })

    it('E-17 the old secret works until the overlap ends, and not at its end', async () => {
      const { clock, old, fresh } = await rotated('1h')
      clock.advance(3_600_000 - 1)
      expect((await old()).status).toBe(200)
      clock.advance(1)
      expect(await old()).toEqual({ status: 401, ...NOTHING })
      expect((await fresh()).status).toBe(200)
    })

    it('an overlap of 0 leaves nothing to deprecate', async () => {
      const { old, fresh } = await rotated(0)
      expect(await old()).toEqual({ status: 401, ...NOTHING })
      expect(await fresh()).toEqual({ status: 200, ...NOTHING })
    })

    it('Sunset follows a change of the end, and both go when it is ended', async () => {
      const { keys, id, old } = await rotated('1h')
      await keys.update(id, { previousSecretUntil: '2026-01-02T00:00:00Z' })
      expect(await old()).toEqual({
        status: 200,
        deprecation: `@${Math.floor((START + 10_000) / 1000)}`,
        sunset: 'Fri, 02 Jan 2026 00:00:00 GMT',
      })
      await keys.update(id, { previousSecretUntil: null })
      expect(await old()).toEqual({ status: 401, ...NOTHING })
    })

    it('a refusal with the old secret says both, but not a 401, which no other secret would help', async () => {
      const { keys, id, old, fresh } = await rotated('1h')
      await keys.update(id, { limits: { minute: 0 } })
      const told = { deprecation: `@${Math.floor((START + 10_000) / 1000)}`, sunset: 'Thu, 01 Jan 2026 13:00:10 GMT' }
      expect([await old(), await fresh()]).toEqual([
        { status: 429, ...told },
        { status: 429, ...NOTHING },
      ])
      await keys.disable(id)
      expect(await old()).toEqual({ status: 401, ...NOTHING })
    })

    it('is told once behind two guards', async () => {
      const { old } = await rotated('1h', 2)
      expect(await old()).toEqual({
        status: 200,
        deprecation: `@${Math.floor((START + 10_000) / 1000)}`,
        sunset: 'Thu, 01 Jan 2026 13:00:10 GMT',
      })
    })
  })
}
