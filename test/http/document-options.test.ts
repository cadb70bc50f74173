import { createApiKeys } from 'keyward'
import { management, managementDocument } from 'keyward/management'
import { describe, expect, it } from 'vitest'
import { failure } from '../support/outcome.ts'

const keys = createApiKeys({ prefix: 'do_', trustedProxies: [] })
const authorize = () => ({ owner: 'acct_1' })

describe('what the host says of its document', () => {
  it.each<[unknown, string, string]>([
    [{ titel: 'Acme' }, 'document.titel', 'is not an option (title, version, securitySchemes, security)'],
    [{ title: 5 }, 'document.title', 'must be text, not 5'],
    [{ version: 2 }, 'document.version', 'must be text, not 2'],
    [{ title: null }, 'document.title', 'must be text, not null'],
    [{ security: { session: [] } }, 'document.security', 'must be a list of requirements'],
    [{ security: ['session'] }, 'document.security', 'must be a list of requirements'],
    [{ security: [{ session: 'read' }] }, 'document.security', 'must be a list of requirements'],
    [{ securitySchemes: 'session' }, 'document.securitySchemes', 'must be an object'],
    [{ securitySchemes: [{ type: 'http' }] }, 'document.securitySchemes', 'must be an object'],
    [[], 'document', 'must be an object, not []'],
    [null, 'document', 'must be an object, not null'],
    ['Acme', 'document', 'must be an object, not "Acme"'],
  ])('%j is CONFIG that names it', async (document, path, message) => {
    const given = document as never
    for (const act of [
      () => management(keys, { authorize, document: given }),
      () => managementDocument({ document: given }),
    ]) {
      const error = await failure(act)
      expect(error).toMatchObject({ code: 'CONFIG', issues: [{ path, message: expect.stringContaining(message) }] })
      expect(error.message).toContain(path)
    }
  })

  it('names everything that is wrong, beside the other options', async () => {
    const document = { titel: 'Acme', version: 2 } as never
    const error = await failure(() => management(keys, { authorize, document, self: 'no' as never }))
    expect(error.issues?.map(({ path }) => path).sort()).toEqual(['document.titel', 'document.version', 'self'])
  })

  it('may leave any of it undefined, and require nothing or no scopes', () => {
    const document = { title: undefined, security: [{}, { session: [] }, { oauth: ['keys'] }] } as never
    expect(managementDocument({ document })).toMatchObject({ info: { title: 'API keys' } })
    expect(() => management(keys, { authorize, document })).not.toThrow()
  })
})
