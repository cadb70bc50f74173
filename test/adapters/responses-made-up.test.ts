import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/node'
import { expect, it, vi } from 'vitest'

it('a response that no server made, and has no socket, can be ended, and gives back what was held', async () => {
  const keys = createApiKeys({ prefix: 'mu_' })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  const req = Object.assign(new IncomingMessage(new Socket()), { rawHeaders: ['X-API-Key', key] })
  // As adapters of serverless platforms make them.
  const res = new ServerResponse({ method: 'GET' } as IncomingMessage)
  expect(await guard(keys, { reserve: 40 })(req, res)).toMatchObject({ ok: true })
  expect(await keys.balance({ id: record.id })).toBe(60)
  res.end('unsettled')
  expect(res.writableEnded).toBe(true)
  res.destroy()
  await vi.waitFor(async () => expect(await keys.balance({ id: record.id })).toBe(100))
})
