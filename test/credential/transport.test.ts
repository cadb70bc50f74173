import { createApiKeys, type RequestFacts } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'

type Told = Partial<Record<keyof RequestFacts, unknown>>

/** What becomes of a key when an adapter tells that of a request. */
async function ask({ headers, ...told }: Told, trustedProxies?: readonly string[]): Promise<string> {
  const keys = createApiKeys({ prefix: 'tls_', requireTls: true, ...(trustedProxies && { trustedProxies }) })
  const { key } = await keys.create({ owner: 'acct_1' })
  return judged(keys, { ...told, headers: { 'x-api-key': key, ...Object(headers) } } as RequestFacts)
}

const proto = (value: string, chain?: string) => ({
  headers: { 'x-forwarded-proto': value, ...(chain === undefined ? {} : { 'x-forwarded-for': chain }) },
  peer: '10.0.0.1',
})
const OURS = ['10.0.0.0/8']

describe('I-38 requireTls: what is told of the connection', () => {
  it.each([true, { socket: { encrypted: true } }, { url: 'https://api.example/' }])(
    'takes %o for TLS',
    async (secure) => {
      expect(await ask({ secure })).toBe('admitted')
    },
  )

  it.each([
    undefined,
    false,
    null,
    'true',
    1,
    {},
    { encrypted: true },
    { socket: null },
    { socket: { encrypted: 'yes' } },
    { socket: {}, url: 'https://api.example/' },
    { url: 'http://https:/' },
    { url: '/https:' },
    { url: { href: 'https://api.example/' } },
  ])('does not take %o for TLS', async (secure) => {
    expect(await ask({ secure })).toBe('tls_required')
  })

  it('asks the socket of a request that a framework has, not what the framework believes of proxies', async () => {
    class FrameworkRequest {
      constructor(
        readonly socket: object,
        readonly headers: object,
      ) {}
      get secure(): boolean {
        return true
      }
    }
    const keys = createApiKeys({ prefix: 'tls_', requireTls: true, trustedProxies: [] })
    const { key } = await keys.create({ owner: 'acct_1' })
    const judge = (socket: object) => judged(keys, new FrameworkRequest(socket, { 'x-api-key': key }) as RequestFacts)
    expect([await judge({}), await judge({ encrypted: true })]).toEqual(['tls_required', 'admitted'])
  })

  it('is not moved by what somebody put on Object.prototype', async () => {
    Object.defineProperty(Object.prototype, 'secure', { value: true, configurable: true })
    try {
      expect(await ask({})).toBe('tls_required')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'secure')
    }
  })
})

describe('I-38 requireTls: what a proxy tells', () => {
  it.each(['https', 'HTTPS', ' https\t', 'wss', 'http, https', 'http,http,https'])(
    'believes ours %o',
    async (value) => {
      expect(await ask(proto(value), OURS)).toBe('admitted')
    },
  )

  it.each(['http', '', 'https, http', 'https,', 'httpss', 'https;', '"https"', 'xhttps', 'ws', 'on'])(
    'does not take %o for TLS',
    async (value) => {
      expect(await ask(proto(value), OURS)).toBe('tls_required')
    },
  )

  it.each([
    ['https, https', '203.0.113.7, 10.0.0.2', 'admitted'],
    ['http, https', '203.0.113.7, 10.0.0.2', 'tls_required'],
    ['http, https, https', '203.0.113.7, 10.0.0.2', 'admitted'],
    ['https', '203.0.113.7, 10.0.0.2', 'admitted'],
    ['http, https', '10.0.0.2, 203.0.113.7', 'admitted'],
    ['http, https', 'nonsense', 'admitted'],
    ['http, https', '10.0.0.3, 10.0.0.2', 'tls_required'],
  ])('reads %o over the trusted hops of %o', async (value, chain, expected) => {
    expect(await ask(proto(value, chain), OURS)).toBe(expected)
  })

  it('believes nobody else, wherever the request says to be from', async () => {
    expect(await ask(proto('https', '10.0.0.1'))).toBe('tls_required')
    expect(await ask(proto('https', '10.0.0.1'), ['192.0.2.0/24'])).toBe('tls_required')
    expect(await ask({ ...proto('https'), peer: undefined }, ['0.0.0.0/0'])).toBe('tls_required')
    expect(await ask({ ...proto('https'), address: '10.0.0.1' }, OURS)).toBe('tls_required')
    expect(await ask({ ...proto('http'), peer: '198.51.100.7', secure: true }, OURS)).toBe('admitted')
  })

  it('reads every line of the header, and the mapped address of a proxy', async () => {
    const rawHeaders = ['X-Forwarded-Proto', 'https', 'x-forwarded-proto', 'http']
    expect(await ask({ rawHeaders, peer: '::ffff:10.0.0.1' }, OURS)).toBe('tls_required')
    expect(await ask({ ...proto('https'), peer: '::ffff:10.0.0.1' }, OURS)).toBe('admitted')
  })
})

describe('I-38 requireTls', () => {
  it.each(['yes', 'true', 1, null])('is CONFIG as %o', async (requireTls) => {
    const error = await failure(() => createApiKeys({ prefix: 'tls_', requireTls } as never))
    expect([error.code, error.message]).toEqual(['CONFIG', expect.stringMatching(/requireTls must be true or false/)])
  })

  it('is about requests: a text alone, and a key in your hands, came by no connection', async () => {
    const keys = createApiKeys({ prefix: 'tls_', requireTls: true })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, { key, address: '10.0.0.1' })).toBe('admitted')
  })

  it('is told as an event, with the address, and by explain as its first step', async () => {
    const heard = listener()
    const keys = createApiKeys({ prefix: 'tls_', requireTls: true, onEvent: heard.onEvent })
    const { key } = await keys.create({ owner: 'acct_1' })
    const facts = { headers: { 'x-api-key': key }, peer: '198.51.100.7' }
    expect(await judged(keys, facts)).toBe('tls_required')
    expect(heard.of('denied')).toMatchObject([{ code: 'tls_required', address: '198.51.100.7' }])
    expect(await keys.explain(facts)).toMatchObject({ code: 'tls_required', steps: [{ step: 'tls', ok: false }] })
    expect((await keys.explain({ ...facts, secure: true })).steps[0]).toMatchObject({ step: 'tls', ok: true })
    expect((await keys.explain(key)).steps[0]?.step).toBe('credential')
  })
})
