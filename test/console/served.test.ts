import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { createApiKeys } from 'keyward'
import { type ConsoleOptions, consolePage } from 'keyward/console'
import { mount } from 'keyward/express'
import { mount as fetchMount } from 'keyward/fetch'
import { mount as honoMount } from 'keyward/hono'
import { mount as koaMount } from 'keyward/koa'
import { mount as nodeMount } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/serve.ts'
import { openSite } from './site.ts'

const authorize = () => ({ owner: 'acct_1' })
const baseUrl = 'https://api.example.com/v1'
const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

function handlerOf(options: Partial<ConsoleOptions> = {}) {
  const handler = consolePage(createApiKeys({ prefix: 'ap_' }), { authorize, baseUrl, ...options })
  return (path: string, init?: RequestInit) => handler(new Request(`http://service.test${path}`, init))
}

/** The page at whatever segment there is. */
async function openBelow(): Promise<{ url: string }> {
  const handler = consolePage(createApiKeys({ prefix: 'ap_' }), { authorize, baseUrl })
  return serve(express().use('/:place', mount(handler)))
}

/** As no client with manners asks: nothing in the path is escaped. */
function raw(url: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { path, headers: HTML }, async (answer) => resolve(await text(answer))).on('error', reject)
  })
}

/** The address of the script, as a browser finds it from the address of the page. */
async function scriptOf(address: string): Promise<string> {
  const html = await (await fetch(address, { headers: HTML })).text()
  return new URL(/<script type="module"[^>]* src="([^"]+)"/.exec(html)?.[1] ?? '', address).href
}

describe('the page finds its files', () => {
  it.each(['Express', 'Fastify'] as const)(
    'on %s, with and without a slash at the end of its address',
    async (framework) => {
      const { page } = await openSite(framework)
      for (const address of [page, `${page}/`, `${page}?x=/a/b`]) {
        expect([address, await scriptOf(address)]).toEqual([address, `${page}/keyward-console.js`])
      }
    },
  )

  it('on Koa, Hono, below a path of a fetch handler, and on plain Node', async () => {
    const handler = consolePage(createApiKeys({ prefix: 'ap_' }), { authorize, baseUrl })
    const koa = await serve(new Koa().use(koaMount('/settings/keys', handler)).callback())
    expect(await scriptOf(`${koa.url}/settings/keys`)).toBe(`${koa.url}/settings/keys/keyward-console.js`)
    for (const answer of [
      new Hono().use(honoMount('/settings/keys', handler)).fetch,
      fetchMount('/settings/keys', handler),
    ]) {
      const { url } = await serve(getRequestListener(answer))
      expect(await scriptOf(`${url}/settings/keys`)).toBe(`${url}/settings/keys/keyward-console.js`)
    }
    const node = await serve(nodeMount(handler))
    expect(await scriptOf(node.url)).toBe(`${node.url}/keyward-console.js`)
  })

  it('by its path, where that is said', async () => {
    const html = await (await handlerOf({ path: '/settings/keys' })('/', { headers: HTML })).text()
    expect(html).toContain('src="/settings/keys/keyward-console.js"')
  })

  it.each(['@me', 'team:7', 'a+b', 'acme,inc', 'keys!', 'a=b', "o'neil", 'a&b', 'a&amp;b', '(x)*;$', 'a%20b', '~.-_'])(
    'below a segment of any characters that an address may have: %s',
    async (place) => {
      const { url } = await openBelow()
      const html = await (await fetch(`${url}/${place}`, { headers: HTML })).text()
      const written = /<script type="module"[^>]* src="([^"<>]+)"><\/script>/.exec(html)?.[1] ?? ''
      const src = written.replaceAll('&#39;', "'").replaceAll('&amp;', '&')
      expect(new URL(src, `${url}/${place}`).href).toBe(`${url}/${place}/keyward-console.js`)
      expect((await fetch(new URL(src, `${url}/${place}`))).status).toBe(200)
    },
  )

  it.each(['a"onload="alert(1)', "a'>alert(1)", '"><script>alert(1)', 'a<b%20alert(1)', 'alert(1)`', 'alert(1)\\'])(
    'and no address that a client may have made up gets into it: %s',
    async (place) => {
      const { url } = await openBelow()
      const html = await raw(url, `/${place}`)
      expect(html).toContain('src="./keyward-console.js"')
      expect(html).not.toContain('alert(1)')
    },
  )

  it('whatever was asked for: no address of a request gets into the page as markup', async () => {
    const { url } = await openSite()
    const html = await (await fetch(`${url}/settings/keys/?"><script>alert(1)</script>`, { headers: HTML })).text()
    expect(html).not.toContain('alert(1)')
  })
})

describe('the first load', () => {
  it.each(['en', 'zh'])(
    'is under 30 kB gzip: the page in %s with its texts and settings, the script and the icon',
    async (language) => {
      const ask = handlerOf()
      const headers = { ...HTML, 'Accept-Language': language }
      const paths = ['/', '/keyward-console.js', '/keyward-console.svg']
      const texts = await Promise.all(paths.map(async (path) => (await ask(path, { headers })).text()))
      const sizes = texts.map((text) => gzipSync(text).byteLength)
      expect(sizes.every((size) => size > 100)).toBe(true)
      expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(30_000)
    },
  )

  it('comes compressed to whoever understands that, and again as 304', async () => {
    const ask = handlerOf()
    const plain = await ask('/keyward-console.js')
    const zipped = await ask('/keyward-console.js', { headers: { 'Accept-Encoding': 'br, gzip' } })
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(zipped.headers.get('vary')).toBe('Accept-Encoding')
    expect(gunzipSync(await zipped.arrayBuffer()).toString()).toBe(await plain.text())
    const etag = plain.headers.get('etag') ?? ''
    const again = await ask('/keyward-console.js', { headers: { 'If-None-Match': etag } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  it('W-10 has no source map, and tells nothing of the host', async () => {
    const ask = handlerOf()
    const script = await (await ask('/keyward-console.js')).text()
    expect(script).not.toMatch(/sourceMappingURL|node_modules|\/work\/|file:/)
    expect((await ask('/keyward-console.js.map')).status).toBe(404)
  })

  it('keeps every character of its style', async () => {
    const script = await (await handlerOf()('/keyward-console.js')).text()
    expect(script).toContain('content:"·"')
  })

  it('has a body for GET alone', async () => {
    const ask = handlerOf()
    for (const path of ['/', '/keyward-console.js', '/keyward-console.json']) {
      const answer = await ask(path, { method: 'HEAD', headers: HTML })
      expect([answer.status, await answer.text()]).toEqual([200, ''])
    }
  })
})

describe('the mount point', () => {
  it.each([
    ['text/html', 'text/html; charset=utf-8'],
    ['*/*', 'text/html; charset=utf-8'],
    ['application/json', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
  ])('answers Accept: %s with %s', async (accept, type) => {
    expect((await handlerOf()('/', { headers: { Accept: accept } })).headers.get('content-type')).toBe(type)
  })

  it('is in the language that the browser asks for', async () => {
    const page = async (language: string) =>
      (await handlerOf()('/', { headers: { ...HTML, 'Accept-Language': language } })).text()
    expect(await page('zh-CN,zh;q=0.9,en;q=0.8')).toContain('<html lang="zh">')
    expect(await page('en-US,en;q=0.9,zh;q=0.8')).toContain('<html lang="en">')
    expect(await page('de')).toContain('<html lang="en">')
    expect(await page('zh;q=0, en;q=0.1')).toContain('<html lang="en">')
  })

  it('shows strangers nothing, and a fault of authorize to nobody', async () => {
    const stranger = await handlerOf({ authorize: () => undefined })('/', { headers: HTML })
    expect(stranger.status).toBe(401)
    expect(await stranger.text()).toContain('You are not signed in')
    expect((await handlerOf({ authorize: () => undefined })('/keyward-console.json')).status).toBe(401)
    const errors: unknown[] = []
    const fail = () => {
      throw new Error('the database of sessions is gone')
    }
    const broken = await handlerOf({ authorize: fail, onError: (error) => errors.push(error) })('/', { headers: HTML })
    expect(broken.status).toBe(500)
    expect(await broken.text()).not.toContain('sessions')
    expect(errors).toHaveLength(1)
  })

  it('challenges strangers as the routes do, with the page, its settings and no body', async () => {
    const ask = handlerOf({ authorize: () => undefined })
    const routes = await ask('/', { headers: { Accept: 'application/json' } })
    const challenge = routes.headers.get('www-authenticate')
    expect(challenge).toMatch(/^Bearer realm=/)
    for (const path of ['/', '/keyward-console.json']) {
      for (const init of [{ headers: HTML }, { headers: { ...HTML, 'Accept-Encoding': 'gzip' } }, { method: 'HEAD' }]) {
        const answer = await ask(path, init)
        expect([path, answer.status, answer.headers.get('www-authenticate')]).toEqual([path, 401, challenge])
      }
    }
  })

  it('tells whoever looks what they may do, and no more', async () => {
    const may = (verb: string) => verb === 'list' || verb === 'read'
    const ask = handlerOf({ authorize: () => ({ owner: 'acct_1', resource: 'agent:42', may }) })
    const settings = await (await ask('/keyward-console.json')).json()
    expect(settings).toEqual({
      baseUrls: { openai: 'https://api.example.com/v1', anthropic: 'https://api.example.com' },
      models: { openai: 'your-model', anthropic: 'your-model' },
      credential: [['Authorization', 'Bearer {key}']],
      readsXApiKey: true,
      pair: false,
      environments: [],
      names: 'free',
      limits: { defaults: {}, max: {} },
      browserKey: true,
      may: ['list', 'read'],
      resource: 'agent:42',
    })
  })
})
