import express from 'express'
import { type ApiKeys, createApiKeys, header, KeywardError } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock, testKey } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { failure } from '../support/outcome.ts'
import { serve } from '../support/serve.ts'

async function statusOf(keys: ApiKeys, headers: Readonly<Record<string, string>>): Promise<number> {
  const app = express().get('/', guard(keys), (_req, res) => void res.end())
  const { url } = await serve(app)
  return (await fetch(url, { headers })).status
}

describe('testKey()', () => {
  it.each([
    ['a plain instance', createApiKeys({ prefix: 'ap_' })],
    ['a header of its own', createApiKeys({ prefix: 'ap_', sources: [header('X-Agent-Key')] })],
    ['pairs', createApiKeys({ prefix: 'ap_', pair: true })],
    ['environments', createApiKeys({ prefix: { live: 'ap_live_', test: 'ap_test_' } })],
    ['a vocabulary', createApiKeys({ prefix: 'ap_', scopes: { contacts: ['read'] } })],
    ['unique names', createApiKeys({ prefix: 'ap_', names: 'unique' })],
  ] as const)('makes a key whose headers are admitted: %s', async (_name, keys) => {
    for (let i = 0; i < 2; i++) expect(await statusOf(keys, (await testKey(keys)).headers)).toBe(200)
  })

  it.each([undefined, null, {}, 'ap_'])('says that %j is no instance', async (keys) => {
    expect(await failure(() => testKey(keys as never))).toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('createApiKeys'),
    })
  })

  it('may do everything unless the test says otherwise', async () => {
    const keys = createApiKeys({ prefix: 'ap_', scopes: { contacts: ['read', 'update'] } })
    const { key } = await testKey(keys)
    const { key: narrow } = await testKey(keys, { scopes: ['contacts:read'] })
    expect(await keys.verify(key, { scopes: ['contacts:update'] })).toMatchObject({ ok: true })
    expect(await keys.verify(narrow, { scopes: ['contacts:update'] })).toMatchObject({ code: 'insufficient_scope' })
  })

  it('goes with a clock that is set, so that a test of expiry does not wait', async () => {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: 'ap_', clock })
    const { key } = await testKey(keys, { expiresAt: new Date(clock.now() + 60_000) })
    expect(await keys.verify(key)).toMatchObject({ ok: true })
    clock.advance('60s')
    expect(await keys.verify(key)).toMatchObject({ code: 'expired' })
  })

  it('refuses what create refuses', async () => {
    await expect(testKey(createApiKeys({ prefix: 'ap_' }), { owner: '' })).rejects.toThrow(KeywardError)
  })
})
