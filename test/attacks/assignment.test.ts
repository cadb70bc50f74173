import express, { type Request, type Response } from 'express'
import { type By, createApiKeys, KeywardError } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { CARRIERS, type Carrier } from '../support/express.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { spiedStore } from '../support/stores.ts'

const STATUS: Readonly<Record<string, number>> = { INPUT: 400, NOT_FOUND: 404, CONFLICT: 409, STATE: 409 }

/** Routes as a careless host writes them: the body goes in as it comes, who asks is taken from the key alone. */
async function office({ options, lines }: Carrier) {
  const spied = spiedStore()
  const keys = createApiKeys({ prefix: 'asg_', store: spied.store, ...options })
  const app = express()
  app.use(express.json(), guard(keys))
  const answering =
    (act: (body: never, by: By, id: string) => Promise<unknown>) => async (req: Request, res: Response) => {
      try {
        const by = { owner: req.apiKey.owner, actor: req.apiKey.id }
        res.json((await act(req.body as never, by, String(req.params.id))) ?? {})
      } catch (error) {
        if (!(error instanceof KeywardError)) throw error
        res.status(STATUS[error.code] ?? 500).json({ code: error.code })
      }
    }
  app.post(
    '/keys',
    answering((body, by) => keys.create(body, by)),
  )
  app.patch(
    '/keys/:id',
    answering((body, by, id) => keys.update(id, body, by)),
  )
  app.delete(
    '/keys/:id',
    answering((_body, by, id) => keys.remove(id, by)),
  )
  app.post(
    '/remove',
    answering((body: { tokenID: string }, by) => keys.remove(body.tokenID, by)),
  )
  app.post(
    '/revoke',
    answering((body: object, by) => keys.revokeAll({ ...body, ...by })),
  )
  const { port } = await serve(app)
  const [mine, theirs] = [await keys.create({ owner: 'acct_1' }), await keys.create({ owner: 'acct_2' })]
  const send = async (method: string, target: string, body: unknown, credentials = lines(mine)) => {
    const text = Buffer.from(JSON.stringify(body))
    const more = ['Content-Type: application/json', `Content-Length: ${text.length}`]
    const { status } = await raw(port, Buffer.concat([request([...credentials, ...more], { method, target }), text]))
    return status
  }
  const records = async () =>
    JSON.stringify((await keys.list()).items.map(({ lastUsedAt: _, uses: __, ...rest }) => rest))
  return { keys, mine, theirs, send, records, spied }
}

/** By what a body may try to say who asks, or what a key is. */
const CLAIMS: readonly object[] = [
  { userId: 'acct_2' },
  { ownerId: 'acct_2' },
  { tenantId: 'acct_2' },
  { userID: 'acct_2', tokenID: 'x' },
  { owner: 'acct_2' },
  { owner: ['acct_1', 'acct_2'] },
  { owner: { $ne: null } },
  { id: '0'.repeat(12) },
  { hash: 'sha256$00' },
  { status: 'active', revokedAt: null },
  { isAdmin: true },
  { actor: 'root' },
  JSON.parse('{"__proto__":{"owner":"acct_2"}}') as object,
  { constructor: { prototype: { owner: 'acct_2' } } },
]

describe.each(CARRIERS)('R. Who asks is who the key says ($source)', (carrier) => {
  it('R-05 R-06 whatever a body claims: a claim is refused, and nothing is made or changed', async () => {
    const { mine, theirs, send, records } = await office(carrier)
    const before = await records()
    for (const claim of CLAIMS) {
      expect(await send('POST', '/keys', { owner: 'acct_1', ...claim })).toBe(400)
      expect(await send('PATCH', `/keys/${mine.record.id}`, claim)).toBe(400)
      expect(await send('PATCH', `/keys/${theirs.record.id}`, { name: 'stolen', ...claim })).toBeGreaterThanOrEqual(400)
    }
    expect(await records()).toBe(before)
    expect(({} as { owner?: unknown }).owner).toBeUndefined()
  })

  it('R-05 a key of another account is not removed by its id and their name', async () => {
    const { theirs, mine, send, records } = await office(carrier)
    const before = await records()
    const id = theirs.record.id
    expect(await send('POST', '/remove', { tokenID: id, userID: 'acct_2', owner: 'acct_2' })).toBe(404)
    expect(await send('DELETE', `/keys/${id}`, { owner: 'acct_2' })).toBe(404)
    expect(await send('PATCH', `/keys/${id}`, { name: 'stolen' })).toBe(404)
    expect(await send('POST', '/remove', { tokenID: { $ne: null } })).toBe(404)
    expect(await records()).toBe(before)
    expect(await send('POST', '/remove', { tokenID: mine.record.id })).toBe(200)
  })

  it('R-05 a bulk revocation is of the own account, whatever the body asks for', async () => {
    const { keys, theirs, send } = await office(carrier)
    const { record } = await keys.create({ owner: 'acct_1', resource: 'agent:1' })
    expect(await send('POST', '/revoke', { owner: 'acct_2', resource: 'agent:1' })).toBe(200)
    expect((await keys.get(record.id))?.status).toBe('revoked')
    expect((await keys.get(theirs.record.id))?.status).toBe('active')
    expect(await send('POST', '/revoke', { id: theirs.record.id })).toBe(400)
    expect((await keys.get(theirs.record.id))?.status).toBe('active')
  })

  it('R-06 without a credential nothing is reached: 401, and the store is not asked', async () => {
    const { theirs, send, records, spied } = await office(carrier)
    const before = await records()
    spied.forget()
    for (const claim of CLAIMS) {
      expect(await send('POST', '/keys', { owner: 'acct_1', ...claim }, [])).toBe(401)
      expect(
        await send('DELETE', `/keys/${theirs.record.id}`, claim, ['X-User-Id: acct_2', 'Cookie: userId=acct_2']),
      ).toBe(401)
    }
    expect(spied.calls).toEqual([])
    expect(await records()).toBe(before)
  })
})
