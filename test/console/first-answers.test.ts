import { gunzipSync } from 'node:zlib'
import { type ApiKeysOptions, createApiKeys, memoryStore } from 'keyward'
import { type ConsoleOptions, consolePage } from 'keyward/console'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite } from './site.ts'
import { askingItself } from './tour.ts'

const LIST = '?limit=50'
const SETTINGS = 'keyward-console.json'
const HTML = { Accept: 'text/html' }

function open(options: Partial<ConsoleOptions> = {}, instance: Partial<ApiKeysOptions> = {}) {
  const keys = createApiKeys({ prefix: 'ap_', ...instance })
  onTestFinished(() => keys.close())
  const authorize = () => ({ owner: 'acct_1' })
  const handler = consolePage(keys, { authorize, baseUrl: 'https://api.example.com', ...options })
  const ask = (path: string, headers: Record<string, string>) =>
    handler(new Request(`http://service.test/${path}`, { headers }))
  return { keys, ask, page: async () => (await ask('', HTML)).text() }
}

/** The data in the page, as a browser has it: up to the first end of a script. */
function broughtBy(html: string): Readonly<Record<string, unknown>> {
  return JSON.parse(/<script type="application\/json">(.*?)<\/script/s.exec(html)?.[1] ?? 'null')
}

describe('the document brings along what its page would ask for first', () => {
  it('as the routes would tell it, in the language of the reader', async () => {
    const { keys, ask, page } = open()
    for (let i = 0; i < 51; i++) await keys.create({ owner: i === 7 ? 'acct_2' : 'acct_1', name: `Key ${i}` })
    const brought = broughtBy(await page())
    const paths = ['keyward-console-en.json', SETTINGS, LIST]
    expect(Object.keys(brought)).toEqual(paths)
    for (const path of paths) {
      expect(brought[path]).toEqual(await (await ask(path, { Accept: 'application/json' })).json())
    }
    const chinese = await (await ask('', { ...HTML, 'Accept-Language': 'zh-CN' })).text()
    expect(broughtBy(chinese)).toHaveProperty(['keyward-console-zh.json', 'title'], 'API 密钥')
  })

  it('W-01 as data: no text of a key or of the host ends it, or begins a comment', async () => {
    const attack = '</script><script>alert(1)</script><!--<script>'
    const snippets = [{ label: '</SCRIPT ><b>', text: attack }]
    const texts = { en: { subtitle: attack } }
    const authorize = () => ({ owner: 'acct_1', resource: attack })
    const { keys, page } = open({ title: attack, snippets, texts, authorize })
    await keys.create({ owner: 'acct_1', name: attack, description: attack, resource: attack, metadata: { attack } })
    const html = await page()
    expect(html.match(/<script|<\/script|<!--/gi)).toEqual(['<script', '</script', '<script', '</script'])
    const brought = broughtBy(html)
    expect(brought).toHaveProperty([LIST, 'items', 0, 'metadata', 'attack'], attack)
    expect(brought).toHaveProperty([SETTINGS, 'snippets'], snippets)
    expect(brought).toHaveProperty(['keyward-console-en.json', 'subtitle'], attack)
  })

  it('after one question to authorize, and only what whoever asks may see', async () => {
    let asked = 0
    const may = (verb: string) => verb !== 'list'
    const authorize = () => {
      asked++
      return { owner: 'acct_1', may }
    }
    const { page } = open({ authorize })
    expect(Object.keys(broughtBy(await page()))).toEqual(['keyward-console-en.json', SETTINGS])
    expect(asked).toBe(1)
    expect(await open({ authorize: () => undefined }).page()).not.toContain('<script')
  })

  it('of one resource alone, where the reader may see but that', async () => {
    const { keys, ask, page } = open({ authorize: () => ({ owner: 'acct_1', resource: 'project:1' }) })
    for (const resource of ['project:1', 'project:2']) await keys.create({ owner: 'acct_1', resource })
    await keys.create({ owner: 'acct_1' })
    const brought = broughtBy(await page())
    expect(brought).toMatchObject({ [LIST]: { items: [{ resource: 'project:1' }] } })
    expect(brought[LIST]).toEqual(await (await ask(LIST, { Accept: 'application/json' })).json())
  })

  it.each([
    ['fails', () => Promise.reject(new Error('gone'))],
    ['is slow', () => new Promise<never>(() => {})],
  ])('without the keys, where the store %s: nobody waits for it', async (_, list) => {
    const { page } = open({}, { store: { ...memoryStore(), list }, storeTimeout: 60_000 })
    expect(Object.keys(broughtBy(await page()))).toEqual(['keyward-console-en.json', SETTINGS])
  })

  it('without anything of the reader, where `may` fails: the page asks, and is told', async () => {
    const may = () => Promise.reject(new Error('gone'))
    const { ask, page } = open({ authorize: () => ({ owner: 'acct_1', may }), onError: () => {} })
    expect(Object.keys(broughtBy(await page()))).toEqual(['keyward-console-en.json'])
    expect((await ask(SETTINGS, {})).status).toBe(500)
  })

  it('compressed for whoever understands that, and kept by nobody', async () => {
    const { ask, page } = open()
    const zipped = await ask('', { ...HTML, 'Accept-Encoding': 'gzip, br' })
    expect(Object.fromEntries(zipped.headers)).toMatchObject({
      'content-encoding': 'gzip',
      'cache-control': 'no-store',
      vary: 'Accept, Accept-Language, Accept-Encoding',
    })
    expect(gunzipSync(await zipped.arrayBuffer()).toString()).toBe(await page())
  })
})

describe('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  it('the page asks for no more than its script and its icon, under its policy', async () => {
    const site = await openSite()
    for (let i = 0; i < 30; i++) await site.keys.create({ owner: 'acct_1', name: `Key ${i}`, scopes: ['models:use'] })
    const { page, requests, messages } = await openPage(browser)
    await page.goto(site.page)
    await page.getByRole('region', { name: 'Connect' }).waitFor()
    expect(await page.getByRole('row').count()).toBe(31)
    expect(await page.evaluate('getComputedStyle(document.body).margin')).toBe('0px')
    const scripts = requests.filter((url) => !url.endsWith('.svg')).map((url) => url.slice(site.page.length))
    expect(scripts).toEqual(['', '/keyward-console.js'])
    // What was brought is of the moment in which it was: it is used once, and is gone.
    expect(await page.locator('script:not([src])').count()).toBe(0)
    await site.keys.create({ owner: 'acct_1', name: 'Later', scopes: ['models:use'] })
    await page.evaluate('document.body.append(document.querySelector("keyward-console"))')
    await page.getByRole('row', { name: 'Later' }).waitFor()
    expect(messages).toEqual([])
  })

  it('the page asks by itself for what was not brought', async () => {
    const site = await openSite()
    await site.keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['models:use'] })
    const { page, requests, messages } = await openPage(browser)
    await askingItself(page, site)
    await page.goto(site.page)
    await page.getByRole('row', { name: 'Sync' }).waitFor()
    await page.getByRole('region', { name: 'Connect' }).waitFor()
    expect(await page.evaluate('getComputedStyle(document.body).margin')).toBe('0px')
    expect(requests).toEqual(expect.arrayContaining([`${site.page}/${LIST}`, `${site.page}/${SETTINGS}`]))
    expect(messages).toEqual([])
  })
})
