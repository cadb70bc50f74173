import { createApiKeys, header, pair } from 'keyward'
import { type ConsoleOptions, consolePage } from 'keyward/console'
import { describe, expect, it } from 'vitest'
import { connectionInfo, SNIPPETS, snippetsFor } from '../../src/console/page/snippets.ts'
import type { ConsoleSettings } from '../../src/console/settings.ts'

const authorize = () => ({ owner: 'acct_1' })
const baseUrl = 'https://api.example.com/v1'
const keys = createApiKeys({ prefix: 'ap_' })

type Given = Partial<ConsoleOptions> & Readonly<Record<string, unknown>>
const make = (options: Given) => consolePage(keys, options as unknown as ConsoleOptions)

describe('consolePage() refuses', () => {
  it.each([
    ['authorize', { baseUrl }],
    ['authorize', { baseUrl, authorize: true }],
    ['baseUrl', { authorize }],
    ['baseUrl', { authorize, baseUrl: '/v1' }],
    ['baseUrl', { authorize, baseUrl: 'ftp://api.example.com' }],
    ['baseUrl', { authorize, baseUrl: 'https://user@api.example.com' }],
    ['baseUrl', { authorize, baseUrl: `https://api.example.com/'; rm -rf /` }],
    ['baseUrl', { authorize, baseUrl: 'https://api.example.com/$(id)' }],
    ['baseUrl', { authorize, baseUrl: {} }],
    ['baseUrl', { authorize, baseUrl: { openai: '/v1' } }],
    ['baseUrl', { authorize, baseUrl: { openai: undefined } }],
    ['baseUrl', { authorize, baseUrl: { openai: baseUrl, anthropic: baseUrl, other: baseUrl } }],
    ['model', { authorize, baseUrl, model: `x'y` }],
    ['title', { authorize, baseUrl, title: '' }],
    ['title', { authorize, baseUrl, title: 'a\u0000b' }],
    ['browserKey', { authorize, baseUrl, browserKey: 'yes' }],
    ['stylesheet', { authorize, baseUrl, stylesheet: '//evil.example/x.css' }],
    ['stylesheet', { authorize, baseUrl, stylesheet: 'https://evil.example/x.css' }],
    ['tittle', { authorize, baseUrl, tittle: 'Keys' }],
    ['origins', { authorize, baseUrl, origins: ['evil'] }],
    ['fields', { authorize, baseUrl, fields: ['owner'] }],
    ['rememberKeys', { authorize, baseUrl, rememberKeys: 'yes' }],
    ['windows', { authorize, baseUrl, windows: ['fortnight'] }],
    ['windows', { authorize, baseUrl, windows: 'hour' }],
    ['snippets', { authorize, baseUrl, snippets: [{ label: 'curl' }] }],
    ['snippets', { authorize, baseUrl, snippets: [{ label: 'a\nb', text: 'x' }] }],
    ['snippets', { authorize, baseUrl, snippets: [{ label: 'curl', text: 'a\u0000b' }] }],
    ['snippets', { authorize, baseUrl, snippets: [{ label: 'curl', text: 'x'.repeat(4001) }] }],
    ['snippets', { authorize, baseUrl, snippets: Array(11).fill({ label: 'curl', text: 'x' }) }],
    ['texts', { authorize, baseUrl, texts: 'Keys' }],
    ['texts.de', { authorize, baseUrl, texts: { de: {} } }],
    ['texts.en', { authorize, baseUrl, texts: { en: 'Keys' } }],
    ['texts.en.tittle', { authorize, baseUrl, texts: { en: { tittle: 'Keys' } } }],
    ['texts.en.title', { authorize, baseUrl, texts: { en: { title: '' } } }],
    ['texts.en.title', { authorize, baseUrl, texts: { en: { title: 'Keys of {name}' } } }],
    ['texts.en.toString', { authorize, baseUrl, texts: { en: { toString: 'x' } } }],
  ] as readonly (readonly [string, Given])[])('W-09 a wrong or missing %s: %j', (name, options) => {
    expect(() => make(options)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(name) }),
    )
  })

  it('an option that there is not is told with those of the page', () => {
    expect(() => make({ authorize, baseUrl, browserkey: false })).toThrow(
      /^consolePage: browserkey is not an option \(baseUrl, title, browserKey, .*authorize/,
    )
  })

  it('what createApiKeys() has not made', () => {
    expect(() => consolePage({} as never, { authorize, baseUrl })).toThrow(/keys must be what createApiKeys\(\) made/)
  })
})

/** What the page is told of an instance. */
async function told(options: Given, instance = keys): Promise<ConsoleSettings> {
  const handler = consolePage(instance, { authorize, baseUrl, ...options })
  return (await handler(new Request('http://service.test/keyward-console.json'))).json() as Promise<ConsoleSettings>
}

describe('one base URL gives both', () => {
  it.each([
    'https://api.example.com',
    'https://api.example.com/',
    'https://api.example.com/v1',
    'https://api.example.com/v1/',
  ])('%s', async (url) => {
    const both = { openai: 'https://api.example.com/v1', anthropic: 'https://api.example.com' }
    expect((await told({ baseUrl: url })).baseUrls).toEqual(both)
  })

  it('and two are taken as they are', async () => {
    const both = { openai: 'https://a.example/openai', anthropic: 'https://b.example/anthropic' }
    expect((await told({ baseUrl: both })).baseUrls).toEqual(both)
  })
})

describe('where clients connect to', () => {
  const block = async (given: Given) =>
    connectionInfo(await told(given), { name: 'Sync', display: 'ap_1…' }, { key: 'ap_key' })
  const tabs = async (given: Given) => snippetsFor(await told(given)).map(({ label }) => label)
  const [openai, anthropic, api] = ['https://a.example/v1', 'https://b.example', 'https://c.example']

  it('is told for each kind of client that there is, and of one address alone no more has to be said', async () => {
    expect(await block({ baseUrl: { openai, anthropic } })).toBe(
      `Name: Sync\nAPI key: ap_key\nOpenAI base URL: ${openai}\nAnthropic base URL: ${anthropic}\n`,
    )
    expect(await block({ baseUrl: { openai } })).toBe(`Name: Sync\nAPI key: ap_key\nBase URL: ${openai}\n`)
    expect(await block({ baseUrl: { api: `${api}/` } })).toBe(`Name: Sync\nAPI key: ap_key\nBase URL: ${api}\n`)
    expect(await block({ baseUrl: { openai, api } })).toContain(`Base URL: ${api}\nOpenAI base URL: ${openai}\n`)
  })

  it('the snippets are those of the interfaces that there are', async () => {
    expect(await tabs({ baseUrl: { openai } })).toEqual(['curl', 'Python', 'TypeScript'])
    expect(await tabs({ baseUrl: { anthropic } })).toEqual(['Anthropic', 'Claude Code'])
    expect(await tabs({ baseUrl: { api } })).toEqual([])
    expect(await tabs({ snippets: [] })).toEqual([])
  })

  it("the host's own stand in their place, with the key, the address and the resource in them", async () => {
    const text = 'curl {baseUrl}/agents/{resource}/contacts -H "X: {key}" -H "Y: {secret}" # {other} {key}'
    const write = async (resource: string) => {
      const settings = await told({
        baseUrl: { api },
        snippets: [{ label: 'curl', text }],
        authorize: () => ({ owner: 'acct_1', resource }),
      })
      const [snippet, ...others] = snippetsFor(settings)
      expect([snippet?.label, others]).toEqual(['curl', []])
      return snippet?.write(settings, { key: '$&', secret: 'shh' })
    }
    expect(await write('agent:42')).toBe(`curl ${api}/agents/42/contacts -H "X: $&" -H "Y: shh" # {other} $&`)
    // What a shell could take for more than a name is not filled in.
    expect(await write('agent:$(id)')).toContain('/agents/YOUR_RESOURCE/contacts')
  })
})

it("the host's texts stand in place of the page's own, in their language", async () => {
  const handler = consolePage(keys, { authorize, baseUrl, texts: { en: { columnScopes: 'Permissions' } } })
  const read = async (language: string) =>
    (await (await handler(new Request(`http://service.test/keyward-console-${language}.json`))).json()) as object
  expect(await read('en')).toMatchObject({ columnScopes: 'Permissions', columnName: 'Name' })
  expect(await read('zh')).toMatchObject({ columnScopes: '权限' })
})

describe('snippets send a key as the instance reads it', () => {
  const written = (settings: ConsoleSettings, label: string) =>
    SNIPPETS.find((each) => each.label === label)?.write(settings, { key: 'ap_key', secret: 'ap_sec_secret' }) ?? ''

  it('in a header of its own, which the SDKs are told of', async () => {
    const settings = await told({}, createApiKeys({ prefix: 'ap_', sources: [header('x-acme-key')] }))
    expect(written(settings, 'curl')).toContain('  -H "X-Acme-Key: ap_key" \\\n')
    expect(written(settings, 'curl')).not.toContain('Bearer')
    expect(written(settings, 'Python')).toContain('    default_headers={"X-Acme-Key": "ap_key"},\n')
    expect(written(settings, 'TypeScript')).toContain(`  defaultHeaders: { 'X-Acme-Key': 'ap_key' },\n`)
    expect(written(settings, 'Anthropic')).toContain(`  defaultHeaders: { 'X-Acme-Key': 'ap_key' },\n`)
    expect(JSON.parse(written(settings, 'Claude Code')).env.ANTHROPIC_CUSTOM_HEADERS).toBe('X-Acme-Key: ap_key')
  })

  it('as a pair', async () => {
    const sources = [pair('x-api-key', 'x-api-secret')]
    const settings = await told({}, createApiKeys({ prefix: 'ap_', pair: true, sources }))
    expect(settings.pair).toBe(true)
    expect(written(settings, 'curl')).toContain('  -H "X-API-Key: ap_key" \\\n  -H "X-API-Secret: ap_sec_secret" \\\n')
    expect(written(settings, 'TypeScript')).toContain(`{ 'X-API-Key': 'ap_key', 'X-API-Secret': 'ap_sec_secret' }`)
    expect(connectionInfo(settings, { display: 'ap_…' }, { key: 'ap_key', secret: 'ap_sec_secret' })).toBe(
      'API key: ap_key\nAPI secret: ap_sec_secret\nOpenAI base URL: https://api.example.com/v1\nAnthropic base URL: https://api.example.com\n',
    )
  })

  it('and as a bearer token for older SDKs too, where that alone is read', async () => {
    const { bearer } = await import('keyward')
    const settings = await told({}, createApiKeys({ prefix: 'ap_', sources: [bearer()] }))
    expect(written(settings, 'Anthropic')).toContain(`authToken: 'ap_key'`)
    expect(written(await told({}), 'Anthropic')).toContain(`apiKey: 'ap_key'`)
  })
})
