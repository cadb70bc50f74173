import type { RequestHandler } from 'express'
import { bearer, createApiKeys, header, pair } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

/** As `cors()` and `compression()` write it before a guard. */
const varies =
  (value: string): RequestHandler =>
  (_req, res, next) => {
    res.setHeader('Vary', value)
    next()
  }

for (const { name, express } of EXPRESSES) {
  describe(`Vary and caches, ${name}`, () => {
    /** The fields of an admission and of a refusal behind this middleware. */
    async function fields(
      before: RequestHandler[] = [],
      options: Partial<Parameters<typeof createApiKeys>[0]> = {},
      after: RequestHandler[] = [],
    ) {
      const keys = createApiKeys({ prefix: 'var_', ...options })
      const { key, secret } = await keys.create({ owner: 'acct_1' })
      const app = express()
      app.get('/', ...before, guard(keys), ...after, (_req, res) => void res.end('reached'))
      const { port } = await serve(app)
      const sent =
        secret === undefined ? [`X-API-Key: ${key}`, `X-Own: ${key}`] : [`X-API-Key: ${key}`, `X-API-Secret: ${secret}`]
      const admitted = await raw(port, request(sent))
      const refused = await raw(port, request([]))
      expect([admitted.status, refused.status]).toEqual([200, 401])
      return { admitted: admitted.headers, refused: refused.headers }
    }

    it('names the headers that credentials are read from, on admissions and on refusals', async () => {
      const { admitted, refused } = await fields()
      expect([admitted.vary, refused.vary]).toEqual(['authorization, x-api-key', 'authorization, x-api-key'])
    })

    it.each([
      ['a header of its own', [header('X-Own')], 'x-own'],
      ['a header beside bearer', [header('X-Own'), bearer()], 'x-own, authorization'],
      ['one header twice', [header('X-Own'), header('x-own')], 'x-own'],
    ] as const)('names those of %s', async (_name, sources, expected) => {
      const { admitted, refused } = await fields([], { sources })
      expect([admitted.vary, refused.vary]).toEqual([expected, expected])
    })

    it('names both headers of a pair', async () => {
      const { admitted } = await fields([], { pair: true, sources: [pair('X-API-Key', 'X-API-Secret')] })
      expect(admitted.vary).toBe('x-api-key, x-api-secret')
    })

    it.each([
      ['Origin', 'Origin, authorization, x-api-key'],
      ['Origin, Accept-Encoding', 'Origin, Accept-Encoding, authorization, x-api-key'],
      ['Authorization', 'Authorization, x-api-key'],
      ['X-API-KEY ,  AUTHORIZATION', 'X-API-KEY ,  AUTHORIZATION'],
      ['X-API-Keys', 'X-API-Keys, authorization, x-api-key'],
      ['*', '*'],
    ])('is merged with the Vary that is there: %s', async (present, expected) => {
      const { admitted, refused } = await fields([varies(present)])
      expect([admitted.vary, refused.vary]).toEqual([expected, expected])
    })

    it('is merged with several lines of Vary', async () => {
      const several: RequestHandler = (_req, res, next) => {
        res.setHeader('Vary', ['Origin', 'X-API-Key'])
        next()
      }
      const { admitted } = await fields([several])
      const names = admitted.vary
        ?.toLowerCase()
        .split(/\s*,\s*/)
        .sort()
      expect(names).toEqual(['authorization', 'origin', 'x-api-key'])
    })

    it('is not said twice by two guards', async () => {
      const keys = createApiKeys({ prefix: 'var_' })
      const app = express()
      app.get('/', guard(keys, { optional: true }), guard(keys, { optional: true }), (_req, res) => void res.end())
      const { port } = await serve(app)
      expect((await raw(port, request())).headers.vary).toBe('authorization, x-api-key')
    })

    it('is kept by what comes after the guard', async () => {
      const later: RequestHandler = (_req, res, next) => {
        res.vary('Accept')
        next()
      }
      const { admitted } = await fields([], {}, [later])
      expect(admitted.vary).toBe('authorization, x-api-key, Accept')
    })

    it('C-16 keeps refusals out of every cache, and leaves the caching of admissions to the host', async () => {
      const caching: RequestHandler = (_req, res, next) => {
        res.setHeader('Cache-Control', 'public, max-age=60')
        next()
      }
      const { admitted, refused } = await fields([caching])
      expect([admitted['cache-control'], refused['cache-control']]).toEqual(['public, max-age=60', 'no-store'])
    })

    it('replaces what an earlier middleware said of the body that never comes', async () => {
      const earlier: RequestHandler = (_req, res, next) => {
        res.setHeader('Content-Type', 'text/html')
        res.setHeader('Content-Length', '5')
        next()
      }
      const { refused } = await fields([earlier], {}, [(_req, res) => void res.end('12345')])
      expect(refused['content-type']).toBe('application/problem+json')
      expect(Number(refused['content-length'])).toBeGreaterThan(100)
    })
  })
}
