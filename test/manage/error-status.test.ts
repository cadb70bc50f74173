import Fastify from 'fastify'
import { createApiKeys, KeywardError } from 'keyward'
import { guard } from 'keyward/koa'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { serve } from '../support/serve.ts'

describe('errors that a host lets through', () => {
  it.each([
    ['CONFIG', 500],
    ['INPUT', 400],
    ['CONFLICT', 409],
    ['NOT_FOUND', 404],
    ['STATE', 409],
    ['STORE', 503],
  ] as const)('%s has the status %i', (code, status) => {
    expect(new KeywardError(code, 'why').status).toBe(status)
  })

  it('the status is no member that a log or an answer would carry along', () => {
    expect(Object.keys(new KeywardError('INPUT', 'why'))).not.toContain('status')
  })

  it.each(EXPRESSES)('$name answers them so by itself', async ({ express }) => {
    const keys = createApiKeys({ prefix: 'es_' })
    const app = express()
    app.set('env', 'production') // where it answers without a stack
    app.delete('/keys/:id', (req, res, next) => {
      keys.revoke(req.params.id ?? '').then(
        () => res.end(),
        (error) => next(error),
      )
    })
    app.post('/keys', (_req, _res, next) => {
      keys.create({ owner: '' }).catch(next)
    })
    const { url } = await serve(app)
    expect((await fetch(`${url}/keys/nobodysid000`, { method: 'DELETE' })).status).toBe(404)
    expect((await fetch(`${url}/keys`, { method: 'POST' })).status).toBe(400)
  })

  it('Fastify answers them so by itself', async () => {
    const keys = createApiKeys({ prefix: 'es_' })
    const app = Fastify()
    app.delete('/keys/:id', async ({ params }) => keys.revoke((params as { id: string }).id))
    app.post('/keys', async () => keys.create({ owner: '' }))
    expect((await app.inject({ method: 'DELETE', url: '/keys/nobodysid000' })).statusCode).toBe(404)
    expect((await app.inject({ method: 'POST', url: '/keys' })).statusCode).toBe(400)
  })

  it('Koa answers them so by itself, and writes the status on them that it answers with', async () => {
    const keys = createApiKeys({ prefix: 'es_', trustedProxies: [] })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 10 } })
    const app = new Koa()
    app.silent = true
    app.use(async (ctx, next) => {
      if (ctx.path !== '/keys') return next()
      await keys.create({ owner: '' })
    })
    app.use(guard(keys, { cost: () => -1 }))
    const { url } = await serve(app.callback())
    expect((await fetch(`${url}/keys`)).status).toBe(400)
    // What a demand computes from a request must not end the process either.
    expect((await fetch(url, { headers: { 'x-api-key': key } })).status).toBe(500)
  })
})
