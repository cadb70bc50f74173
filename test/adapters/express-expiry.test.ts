import express from 'express'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { headerText, SOURCES, type SourceCase } from '../support/presenting.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

/** A handler that lets time pass between the first and the last byte of its answer. */
async function application({ pair }: SourceCase) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'exp_', pair, clock })
  const app = express()
  app.get('/', guard(keys), (_req, res) => {
    res.json({ ok: true })
  })
  app.get('/stream', guard(keys), (req, res) => {
    res.write('begun ')
    clock.advance('1h')
    setImmediate(() => res.end(`ended as ${req.apiKey.status} ${keys.of(req).expiresAt}`))
  })
  const { port } = await serve(app)
  return { keys, clock, send: (lines: readonly string[], target = '/') => raw(port, request(lines, { target })) }
}

describe('E. Expiry on Express', () => {
  it.each(SOURCES)('E-15 what was admitted in time is served to its end ($source)', async (c) => {
    const { keys, clock, send } = await application(c)
    const made = await keys.create({ owner: 'acct_1', expiresAt: new Date(clock.now() + 1000) })
    const { status, body } = await send(headerText(c, made), '/stream')
    expect([status, body]).toEqual([200, `begun ended as active ${made.record.expiresAt}`])
    const after = await send(headerText(c, made), '/stream')
    expect([after.status, JSON.parse(after.body).code]).toEqual([401, 'expired'])
  })

  it.each(SOURCES)('E-17 an overlap ends exactly when Sunset says ($source)', async (c) => {
    const { keys, clock, send } = await application(c)
    const old = await keys.create({ owner: 'acct_1' })
    const since = clock.now()
    const fresh = await keys.rotate(old.record.id, { overlap: '1h' })
    const during = await send(headerText(c, old))
    expect(during.status).toBe(200)
    expect(during.headers.deprecation).toBe(`@${since / 1000}`)
    expect(Date.parse(during.headers.sunset ?? '')).toBe(since + 3_600_000)
    expect(fresh.record.previousSecretUntil).toBe(new Date(during.headers.sunset ?? '').toISOString())

    clock.advance(3_600_000 - 1)
    expect((await send(headerText(c, old))).status).toBe(200)
    clock.advance(1)
    const after = await send(headerText(c, old))
    expect([after.status, JSON.parse(after.body).code]).toEqual([401, 'invalid_key'])
    expect(after.headers).not.toHaveProperty('sunset')
  })

  it.each(SOURCES)('E-17 the new secret is sent neither Deprecation nor Sunset ($source)', async (c) => {
    const { keys, send } = await application(c)
    const { record } = await keys.create({ owner: 'acct_1' })
    const { status, headers } = await send(headerText(c, await keys.rotate(record.id, { overlap: '1h' })))
    expect(status).toBe(200)
    expect(headers).not.toHaveProperty('deprecation')
    expect(headers).not.toHaveProperty('sunset')
  })

  it('E-17 an overlap that is ended early, or moved, is obeyed and told at once', async () => {
    const [c] = SOURCES
    const { keys, clock, send } = await application(c)
    const old = await keys.create({ owner: 'acct_1' })
    await keys.rotate(old.record.id, { overlap: '1h' })
    expect((await send(headerText(c, old))).status).toBe(200)
    const sooner = new Date(clock.now() + 10_000)
    await keys.update(old.record.id, { previousSecretUntil: sooner })
    expect((await send(headerText(c, old))).headers.sunset).toBe(sooner.toUTCString())
    await keys.update(old.record.id, { previousSecretUntil: null })
    expect((await send(headerText(c, old))).status).toBe(401)
  })
})
