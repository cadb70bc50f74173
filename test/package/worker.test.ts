import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, it } from 'vitest'

const PROGRAM = `
import { createApiKeys, memoryStore } from 'keyward'
import { consolePage } from 'keyward/console'
import { mount } from 'keyward/fetch'
const keys = createApiKeys({ prefix: 'wor_', store: memoryStore() })
export default { fetch: mount('/page', consolePage(keys, { authorize: () => ({ owner: 'acct_1' }), baseUrl: 'http://worker' })) }
`

let worker: Miniflare
let url: URL

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: process.cwd() },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    external: ['node:*'],
    write: false,
    tsconfigRaw: '{}', // not the sources, which its paths name
    outdir: 'dist',
  })
  const script = outputFiles[0]?.text ?? ''
  // The oldest on which `nodejs_compat` is what it is today: it has no node:http yet.
  worker = new Miniflare({
    modules: true,
    script,
    compatibilityDate: '2024-09-23',
    compatibilityFlags: ['nodejs_compat'],
  })
  url = await worker.ready
})

afterAll(() => worker?.dispose())

it.each(['gzip', 'identity'])("the page and its files arrive at a Worker's clients that accept %s", async (coding) => {
  const open = async (path: string, accept: string) => {
    const response = await fetch(new URL(`/page${path}`, url), { headers: { accept, 'accept-encoding': coding } })
    return `${response.status} ${(await response.text()).slice(0, 15)}`
  }
  expect(await open('', 'text/html')).toBe('200 <!doctype html>')
  expect(await open('/keyward-console.css', '*/*')).toBe('200 :root{color-sch')
  expect(await open('/keyward-console.js', '*/*')).toMatch(/^200 \/\* Keyward/)
})

it('management routes answer in a Worker', async () => {
  const response = await fetch(new URL('/page', url), { headers: { accept: 'application/json' } })
  expect(await response.json()).toEqual({ items: [] })
})
