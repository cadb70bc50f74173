import { createApiKeys, KeywardError } from 'keyward'
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
})
