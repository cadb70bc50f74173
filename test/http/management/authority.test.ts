import { createApiKeys } from 'keyward'
import { type Authority, type ManagementOptions, type ManagementVerb, management } from 'keyward/management'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { failure } from '../../support/outcome.ts'
import { never, spiedStore } from '../../support/stores.ts'
import { asking, clientOf } from './client.ts'

const ID = '0'.repeat(12)
const CALLS: readonly (readonly [ManagementVerb, string, string, object | undefined])[] = [
  ['create', 'POST', '/', {}],
  ['list', 'GET', '/', undefined],
  ['read', 'GET', `/${ID}`, undefined],
  ['update', 'PATCH', `/${ID}`, {}],
  ['rotate', 'POST', `/${ID}/rotate`, { overlap: 0 }],
  ['disable', 'POST', `/${ID}/disable`, undefined],
  ['enable', 'POST', `/${ID}/enable`, undefined],
  ['revoke', 'POST', `/${ID}/revoke`, undefined],
  ['remove', 'DELETE', `/${ID}`, undefined],
]

function start(options: Partial<ManagementOptions> = {}) {
  const { store, calls } = spiedStore()
  const keys = createApiKeys({ prefix: 'ma_', store })
  return { keys, calls, ask: clientOf(keys, options) }
}

const nonsense = (answer: unknown) => (() => answer) as unknown as ManagementOptions['authorize']

class Session {
  owner = 'acct_1'
  role = 'viewer'
  may(verb: ManagementVerb): boolean {
    return this.role === 'admin' || verb === 'list'
  }
}

class Tenant {
  owner = 'acct_1'
  get resource(): string {
    return 'agent:1'
  }
}

class Keeper {
  owner = 'acct_1'
  get grants(): readonly string[] {
    return ['a:read']
  }
}

describe('authorize', () => {
  it.each([Session, Tenant, Keeper])(
    'M-14: lets nobody in whose limits are of a class, and may not be left out: %o',
    async (type) => {
      const { ask } = start({ authorize: () => new type() })
      for (const [, method, path, body] of CALLS)
        expect((await ask(method, path, body && { json: body })).status).toBe(401)
    },
  )

  it('lets `may` look at what stands beside it', async () => {
    const authority = {
      owner: 'acct_1',
      role: 'viewer',
      may(this: { readonly role?: string }, verb: ManagementVerb) {
        return this.role === 'viewer' && verb === 'list'
      },
    }
    const { ask } = start({ authorize: () => authority })
    expect((await ask('GET', '/')).status).toBe(200)
    expect((await ask('POST', '/', { json: {} })).status).toBe(403)
  })

  it.each([
    ['no options', undefined],
    ['no authorize', {}],
    ['an authorize that is none', { authorize: true }],
    ['an authorize that is undefined', { authorize: undefined }],
  ])('M-14, W-09: is required: management() with %s throws', async (_, options) => {
    const { keys } = start()
    const error = await failure(() => management(keys, options as never))
    expect(error.code).toBe('CONFIG')
    expect(error.message).toContain('authorize must be a function')
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['0', 0],
    ["''", ''],
    ['true', true],
    ['text', 'acct_1'],
    ['{}', {}],
    ['a list', ['acct_1']],
    ['an empty owner', { owner: '' }],
    ['an owner that is a number', { owner: 1 }],
    ['an owner with a line break', { owner: 'a\nb' }],
    ['a long owner', { owner: 'a'.repeat(257) }],
    ['an owner that is inherited', Object.create({ owner: 'acct_1' })],
    ['a resource that is null', { owner: 'acct_1', resource: null }],
    ['an empty resource', { owner: 'acct_1', resource: '' }],
    ['an actor that is an object', { owner: 'acct_1', actor: {} }],
    ['a may that is no function', { owner: 'acct_1', may: true }],
    ['grants that are text', { owner: 'acct_1', grants: '*' }],
    ['grants of a role that nobody knows', { owner: 'acct_1', grants: undefined }],
    ['grants that are no scopes', { owner: 'acct_1', grants: ['contacts:read', null] }],
  ])('M-15: lets nobody in with %s', async (_, answer) => {
    const { calls, keys } = start()
    for (const authorize of [nonsense(answer), nonsense(Promise.resolve(answer))]) {
      const ask = asking(management(keys, { authorize }))
      for (const [, method, path, json] of [...CALLS, ['read', 'GET', '/openapi.json', undefined] as const]) {
        const told = await ask(method, path, json && { json })
        expect([told.status, told.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="api"'])
      }
    }
    expect(calls).toEqual([])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no session store at redis://u:pw@host')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no session store at redis://u:pw@host'))],
    ['never settles', never],
  ])('M-15: lets nobody in when it %s, and tells the host', async (_, authorize) => {
    const onError = vi.fn()
    const { ask, calls } = start({ authorize, timeout: 20, onError })
    for (const [, method, path, json] of CALLS) {
      const told = await ask(method, path, json && { json })
      expect(told.status).toBe(500)
      expect(told.text).not.toMatch(/redis|session|authorize/)
    }
    expect(onError).toHaveBeenCalledTimes(CALLS.length)
    expect(calls).toEqual([])
  })

  it('warns of a fault where nobody hears of it, without the password in it', async () => {
    const warnings: Error[] = []
    const hear = (warning: Error) => warnings.push(warning)
    process.on('warning', hear)
    onTestFinished(() => void process.off('warning', hear))
    const { ask } = start({ authorize: () => Promise.reject(new Error('redis://u:pw@host is down')) })
    await ask('GET', '/')
    await vi.waitFor(() =>
      expect(warnings.map(({ message }) => message)).toEqual([
        'A management route failed: Error: redis://[redacted]@host is down',
      ]),
    )
  })

  it('leaves a fault to the framework where onError throws it on', async () => {
    const { keys } = start()
    const authorize = () => Promise.reject(new Error('down'))
    const handler = management(keys, {
      authorize,
      onError: (error) => {
        throw error
      },
    })
    await expect(handler(new Request('http://service.test/'))).rejects.toThrow('down')
  })

  it('M-16: is asked for every request, and obeyed at once', async () => {
    let signedIn = true
    const authorize = vi.fn(() => (signedIn ? { owner: 'acct_1' } : undefined))
    const { ask } = start({ authorize })
    expect((await ask('GET', '/')).status).toBe(200)
    signedIn = false
    expect((await ask('GET', '/')).status).toBe(401)
    expect(authorize).toHaveBeenCalledTimes(2)
  })

  it('is asked before anything is read of the body', async () => {
    const { ask } = start({ authorize: () => undefined })
    const body = vi.fn()
    const raw = new ReadableStream({ pull: body }, { highWaterMark: 0 })
    await ask('POST', '/', { raw, headers: { 'content-type': 'application/json' } })
    expect(body).not.toHaveBeenCalled()
  })

  it('P-01: is not helped by what stands on Object.prototype', async () => {
    const { ask } = start({ authorize: nonsense({}) })
    Object.assign(Object.prototype, { owner: 'acct_1' })
    onTestFinished(() => void Reflect.deleteProperty(Object.prototype, 'owner'))
    expect((await ask('GET', '/')).status).toBe(401)
  })
})

describe('may', () => {
  const deciding = (may: unknown): Partial<ManagementOptions> => ({
    authorize: () => ({ owner: 'acct_1', may: may as Authority['may'] }),
  })

  it.each(CALLS)('is asked for %s, and a no is 403 before anything is done', async (verb, method, path, json) => {
    const asked: ManagementVerb[] = []
    const { ask, calls } = start(
      deciding((what: ManagementVerb) => {
        asked.push(what)
        return what !== verb
      }),
    )
    const told = await ask(method, path, json && { json })
    expect([told.status, told.body.code, asked]).toEqual([403, 'forbidden', [verb]])
    expect(calls).toEqual([])
  })

  it.each(CALLS)('lets one who may only %s do that', async (verb, method, path, json) => {
    const { ask } = start(deciding((what: ManagementVerb) => what === verb))
    expect((await ask(method, path, json && { json })).status).not.toBe(403)
    const others = CALLS.filter(([other]) => other !== verb)
    for (const [, method, path, json] of others) expect((await ask(method, path, json && { json })).status).toBe(403)
  })

  it.each([
    ['1', 1],
    ["'yes'", 'yes'],
    ['undefined', undefined],
    ['an object', {}],
    ['a promise of no', Promise.resolve(false)],
  ])('means no with %s', async (_, word) => {
    const { ask } = start(deciding(() => word))
    expect((await ask('GET', '/')).status).toBe(403)
  })

  it('may take its time, and means no when it fails', async () => {
    expect((await start(deciding(async () => true)).ask('GET', '/')).status).toBe(200)
    const onError = vi.fn()
    for (const may of [() => Promise.reject(new Error('x')), never]) {
      const { ask, calls } = start({ ...deciding(may), onError, timeout: 20 })
      expect((await ask('GET', '/')).status).toBe(500)
      expect(calls).toEqual([])
    }
    expect(onError).toHaveBeenCalledTimes(2)
  })
})

describe('a page of another site', () => {
  const CHANGES = CALLS.filter(([, method]) => method !== 'GET')

  it.each([
    ['sec-fetch-site: cross-site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }],
    ['sec-fetch-site: same-site', { 'sec-fetch-site': 'same-site', origin: 'https://other.service.test' }],
    ['an origin alone', { origin: 'https://evil.test' }],
    ['a null origin', { origin: 'null' }],
    ['an origin on another port', { origin: 'http://service.test:8080' }],
    ['a sandboxed page that claims nothing', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
  ])('W-03: changes nothing (%s)', async (_, headers) => {
    const authorize = vi.fn(() => ({ owner: 'acct_1' }))
    const { ask, calls } = start({ authorize })
    for (const [, method, path, json] of CHANGES) {
      const told = await ask(method, path, { headers, ...(json && { json }) })
      expect([told.status, told.body.code]).toEqual([403, 'cross_site_request'])
    }
    expect(authorize).not.toHaveBeenCalled()
    expect(calls).toEqual([])
  })

  it.each([
    ['its own page', { 'sec-fetch-site': 'same-origin', origin: 'http://service.test' }],
    ['its own page in an older browser', { origin: 'http://service.test' }],
    ['its own page behind a proxy that speaks TLS', { origin: 'https://service.test' }],
    ['a program', {}],
    ['an origin that the host allows', { 'sec-fetch-site': 'cross-site', origin: 'https://app.test' }],
  ])('W-03: is not %s', async (_, headers) => {
    const { ask } = start({ origins: ['https://app.test'] })
    expect((await ask('POST', '/', { headers, json: {} })).status).toBe(201)
  })
})

describe('the options of management()', () => {
  it.each([
    ['authorise', () => undefined],
    ['path', 'keys'],
    ['path', '/keys/'],
    ['path', '/a\r\nb'],
    ['origins', 'https://app.test'],
    ['origins', ['app.test']],
    ['origins', ['*']],
    ['timeout', 0],
    ['timeout', '2 s'],
    ['onError', 'log'],
    ['self', 'no'],
    ['audit', true],
    ['address', '10.0.0.1'],
    ['document', 1],
  ])('refuse %s: %s, by name', async (name, value) => {
    const { keys } = start()
    const error = await failure(() => management(keys, { authorize: () => undefined, [name]: value } as never))
    expect([error.code, error.issues?.map(({ path }) => path)]).toEqual(['CONFIG', [name]])
  })

  it('refuse what is no instance, and a list of them', async () => {
    const { keys } = start()
    for (const wrong of [undefined, {}, [keys]]) {
      expect((await failure(() => management(wrong as never, { authorize: () => undefined }))).code).toBe('CONFIG')
    }
  })
})
