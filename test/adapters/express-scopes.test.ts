import express from 'express'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { headerText, SOURCES, type SourceCase } from '../support/presenting.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

/** Reading is one scope, deleting another; what reached a handler is noted. */
async function application({ pair }: SourceCase) {
  const keys = createApiKeys({ prefix: 'sc_', pair })
  const reached: string[] = []
  const app = express()
  const note =
    (name: string): express.RequestHandler =>
    (_req, res) => {
      reached.push(name)
      res.json({ name })
    }
  app.get('/contacts', guard(keys, { scopes: ['contacts:read'] }), note('read'))
  app.delete('/contacts', guard(keys, { scopes: ['contacts:delete'] }), note('delete'))
  app.all('/all', guard(keys, { scopes: ['contacts:read'] }), note('all'))
  app.use('/below', guard(keys, { scopes: ['contacts:read'] }))
  app.use('/below', note('below'))
  const { port } = await serve(app)
  return { keys, reached, port }
}

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']
const OVERRIDES = ['X-HTTP-Method-Override: GET', 'X-HTTP-Method: GET', 'X-Method-Override: GET']

describe('S. Scopes on Express', () => {
  it.each(SOURCES)(
    'S-20 the handler decides which scope is needed, not a header that names a method ($source)',
    async (c) => {
      const { keys, reached, port } = await application(c)
      const made = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
      for (const override of OVERRIDES) {
        const lines = [...headerText(c, made), override]
        const answer = await raw(port, request(lines, { method: 'DELETE', target: '/contacts?_method=GET' }))
        expect(answer.status).toBe(403)
        expect(answer.headers['www-authenticate']).toContain('scope="contacts:delete"')
      }
      expect(reached).toEqual([])
      const read = await raw(port, request(headerText(c, made), { target: '/contacts?_method=DELETE' }))
      expect([read.status, reached]).toEqual([200, ['read']])
    },
  )

  it.each(SOURCES)('S-21 HEAD on a route of GET needs its scope ($source)', async (c) => {
    const { keys, reached, port } = await application(c)
    const wrong = await keys.create({ owner: 'acct_1', scopes: ['contacts:delete'] })
    const right = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    const head = (lines: readonly string[]) => raw(port, request(lines, { method: 'HEAD', target: '/contacts' }))
    expect((await head(headerText(c, wrong))).status).toBe(403)
    expect((await head([])).status).toBe(401)
    expect(reached).toEqual([])
    expect((await head(headerText(c, right))).status).toBe(200)
    expect(reached).toEqual(['read'])
  })

  it.each(METHODS)('S-21 %s needs the same scope as any other method, on all() and below use()', async (method) => {
    const [c] = SOURCES
    const { keys, reached, port } = await application(c)
    const wrong = await keys.create({ owner: 'acct_1', scopes: ['contacts:delete'] })
    const right = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    for (const target of ['/all', '/below', '/below/deeper']) {
      const send = (lines: readonly string[]) => raw(port, request(lines, { method, target }))
      expect((await send(headerText(c, wrong))).status).toBe(403)
      expect((await send([])).status).toBe(401)
    }
    expect(reached).toEqual([])
    expect((await raw(port, request(headerText(c, right), { method, target: '/all' }))).status).toBe(200)
    expect(reached).toEqual(['all'])
  })

  it('S-21 OPTIONS on a route of GET reaches no handler, with a key or without', async () => {
    const [c] = SOURCES
    const { keys, reached, port } = await application(c)
    const right = await keys.create({ owner: 'acct_1', scopes: ['*'] })
    for (const lines of [[], headerText(c, right)]) {
      const { body } = await raw(port, request(lines, { method: 'OPTIONS', target: '/contacts' }))
      expect(body).not.toContain('read')
    }
    expect(reached).toEqual([])
  })

  it('S-01 the answer names the scopes that are needed, and not those that the key has', async () => {
    const [c] = SOURCES
    const { keys, port } = await application(c)
    const made = await keys.create({ owner: 'acct_1', scopes: ['secret-beta:use'] })
    const { status, headers, body } = await raw(port, request(headerText(c, made), { target: '/contacts' }))
    expect(status).toBe(403)
    expect(headers['www-authenticate']).toBe('Bearer realm="api", error="insufficient_scope", scope="contacts:read"')
    expect(JSON.parse(body)).toMatchObject({ title: 'Permission denied', code: 'insufficient_scope' })
    expect(body).not.toContain('secret-beta')
  })
})
