import type { Response } from 'express'
import { createApiKeys, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { afterEach, describe, expect, it } from 'vitest'
import { EXPRESSES, type ExpressModule } from '../support/express.ts'
import { startCachingNginx } from '../support/nginx.ts'
import type { PrivateServer } from '../support/private-server.ts'
import { serve } from '../support/serve.ts'
import { wrongSecretFor } from '../support/stores.ts'

/** What an application says of caches: nothing, which leaves it to the cache, or that everyone may keep it. */
const KEPT = 'public, max-age=600'
const SAYINGS: readonly { readonly says: string; readonly say: (res: Response) => void }[] = [
  { says: 'nothing', say: () => {} },
  { says: 'Cache-Control: public', say: (res) => void res.set('Cache-Control', KEPT) },
  { says: 'that its answer varies, too', say: (res) => void res.set('Cache-Control', KEPT).vary('Accept') },
]

describe.each(EXPRESSES)('C-16 behind an nginx that caches, $name', ({ express }) => {
  let nginx: PrivateServer | undefined

  afterEach(() => nginx?.end())

  /** The service, and what somebody who presents these headers is answered through nginx. */
  async function behindNginx(make: ExpressModule, say: (res: Response) => void) {
    const keys = createApiKeys({ prefix: 'ca_', store: memoryStore(), trustedProxies: ['127.0.0.1/32'] })
    const app = make()
    app.get('/', guard(keys), (req, res) => {
      say(res)
      res.send(req.apiKey?.owner)
    })
    const { port } = await serve(app)
    nginx = await startCachingNginx(port)
    const url = `http://127.0.0.1:${nginx.port}/`
    const ask = async (presented: Record<string, string>) => {
      const response = await fetch(url, { headers: presented })
      const text = await response.text()
      const owner = response.status === 200 ? text : undefined
      return { status: response.status, owner, cache: response.headers.get('x-cache') }
    }
    return { keys, ask }
  }

  it.each(SAYINGS)(
    'serves what key A was answered to nobody else, where the application says $says',
    async ({ say }) => {
      const { keys, ask } = await behindNginx(express, say)
      const [a, b] = [await keys.create({ owner: 'a' }), await keys.create({ owner: 'b' })]
      const wrong = await wrongSecretFor(a.record.id, 'ca_')
      const others = [
        { headers: {}, answer: { status: 401 } },
        { headers: { 'x-api-key': wrong.key }, answer: { status: 401 } },
        { headers: { authorization: `Bearer ${wrong.key}` }, answer: { status: 401 } },
        { headers: { 'x-api-key': b.key }, answer: { status: 200, owner: 'b' } },
        { headers: { authorization: `Bearer ${b.key}` }, answer: { status: 200, owner: 'b' } },
      ]
      // It does cache: the same again comes from there.
      expect(await ask({ 'x-api-key': a.key })).toEqual({ status: 200, owner: 'a', cache: 'MISS' })
      expect(await ask({ 'x-api-key': a.key })).toEqual({ status: 200, owner: 'a', cache: 'HIT' })
      for (const { headers: presented, answer } of others) {
        expect(await ask(presented)).toMatchObject({ ...answer, cache: 'MISS' })
        expect(await ask({ 'x-api-key': a.key })).toMatchObject({ status: 200, owner: 'a' })
      }
    },
  )

  it('remembers no refusal: a key that is enabled again is served', async () => {
    const { keys, ask } = await behindNginx(express, () => {})
    const { key, record } = await keys.create({ owner: 'a', limits: { hour: 2 } })
    await keys.disable(record.id)
    expect(await ask({ 'x-api-key': key })).toMatchObject({ status: 401, cache: 'MISS' })
    await keys.enable(record.id)
    expect(await ask({ 'x-api-key': key })).toMatchObject({ status: 200, cache: 'MISS' })
  })
})
