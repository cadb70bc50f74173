/**
 * The API Keys page in a real Chromium: how much its first load weighs, when people can work with it, and whether a list
 * of 10,000 keys slows it down. `npm run bench:console`, on a machine that does nothing else.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import express from 'express'
import type { Browser, Page } from 'playwright-core'
import { mount } from '../adapters/express.ts'
import { consolePage } from '../src/console/console.ts'
import { createApiKeys } from '../src/index.ts'
import { sqliteStore } from '../src/storage/sqlite.ts'
import { openBrowser } from '../test/support/chromium.ts'
import { spreadOf } from './instrument.ts'
import { machine } from './report.ts'

const KEYS = 10_000
const LOADS = 12
const PAGE = 50

/** What a browser gets: the document, with the settings, texts and keys that it brings along, and what it asks for. */
async function weigh(url: string, language: string): Promise<number> {
  const names = ['', '/keyward-console.js', '/keyward-console.svg']
  const headers = { Accept: 'text/html', 'Accept-Language': language }
  const bodies = await Promise.all(names.map(async (name) => (await fetch(`${url}${name}`, { headers })).arrayBuffer()))
  return bodies.reduce((sum, body) => sum + gzipSync(new Uint8Array(body)).byteLength, 0)
}

/** Runs in the page from its very beginning: the first frames in which the list and the button are there, and all else. */
const WATCH = `(() => {
  const look = () => {
    const root = document.querySelector('keyward-console')?.shadowRoot
    if (root?.querySelector('[data-key]') && root.querySelector('.head .primary')) window.ready ??= performance.now()
    if (window.ready && root.querySelector('.connect')) window.whole = performance.now()
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})()`

const READY = `(async () => {
  while (window.whole === undefined) await new Promise(requestAnimationFrame)
  return { ready: window.ready, whole: window.whole }
})()`

/** Ms from the press of "Create key" to the first frame with its dialog. */
const OPEN = `(async () => {
  const root = document.querySelector('keyward-console').shadowRoot
  const start = performance.now()
  root.querySelector('.head .primary').click()
  while (!root.querySelector('dialog[open] input')) await new Promise(requestAnimationFrame)
  return performance.now() - start
})()`

interface Load {
  /** Ms from the navigation on. */
  readonly ready: number
  /** Until the rows and the section below the first window's height are there, too. */
  readonly whole: number
  readonly dialog: number
}

/** With a cache that is empty, as whoever comes for the first time; then again with what the browser kept. */
async function load(browser: Browser, url: string): Promise<{ readonly first: Load; readonly again: Load }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-GB' })
  const page = await context.newPage()
  await page.addInitScript(WATCH)
  await page.goto(url)
  const first = await timed(page)
  await page.reload()
  const again = await timed(page)
  await context.close()
  return { first, again }
}

async function timed(page: Page): Promise<Load> {
  const { ready, whole } = await page.evaluate<Omit<Load, 'dialog'>>(READY)
  return { ready, whole, dialog: await page.evaluate<number>(OPEN) }
}

/** From the first page to the last by the button that people have: ms from press to the other rows, page by page. */
const TURN = `(async () => {
  const root = document.querySelector('keyward-console').shadowRoot
  const times = []
  for (;;) {
    const before = root.querySelector('[data-key]').dataset.key
    const next = [...root.querySelectorAll('.pager button')].at(-1)
    if (next.disabled) return { times, nodes: root.querySelectorAll('*').length }
    const start = performance.now()
    next.click()
    while (root.querySelector('[data-key]')?.dataset.key === before) await new Promise(requestAnimationFrame)
    times.push(performance.now() - start)
  }
})()`

function told(name: string, values: readonly number[]): string {
  const { median, q1, q3 } = spreadOf(values)
  const numbers = [median, Math.min(...values), q1, q3, Math.max(...values)].map((value) => value.toFixed(0))
  const [middle, best, from, to, worst] = numbers
  return `${name}: median ${middle} ms (best ${best}, quartiles ${from}–${to}, worst ${worst})`
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-bench-console-'))
  const store = sqliteStore(join(folder, 'keys.db'))
  const keys = createApiKeys({ prefix: 'acme_live_', store, trustedProxies: [] })
  for (const owner of ['few', 'many']) {
    const count = owner === 'few' ? 20 : KEYS
    for (let i = 0; i < count; i++) await keys.create({ owner, name: `Key ${i}`, scopes: ['contacts:read'] })
  }
  const app = express()
  for (const owner of ['none', 'few', 'many']) {
    app.use(`/${owner}`, mount(consolePage(keys, { authorize: () => ({ owner }), baseUrl: 'https://api.example.com' })))
  }
  const server = createServer(app).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const browser = await openBrowser()
  try {
    console.log(machine())
    for (const language of ['en', 'zh']) {
      const [page, list] = await Promise.all(['none', 'few'].map((owner) => weigh(`${url}/${owner}`, language)))
      console.log(`first load (${language}): ${page} bytes gzip, in all; ${list} with 20 keys in its list`)
    }
    for (const owner of ['few', 'many']) {
      await load(browser, `${url}/${owner}`) // the script is made, the server's code is warm
      const loads = []
      for (let i = 0; i < LOADS; i++) loads.push(await load(browser, `${url}/${owner}`))
      const size = owner === 'few' ? '20 keys' : `${KEYS} keys`
      console.log(
        told(
          `ready, ${size}, nothing cached`,
          loads.map(({ first }) => first.ready),
        ),
      )
      console.log(
        told(
          `all of it, ${size}, nothing cached`,
          loads.map(({ first }) => first.whole),
        ),
      )
      console.log(
        told(
          `ready, ${size}, cached`,
          loads.map(({ again }) => again.ready),
        ),
      )
      console.log(
        told(
          `"Create key" to its dialog, ${size}`,
          loads.map(({ first }) => first.dialog),
        ),
      )
    }
    await turnPages(browser, `${url}/many`)
  } finally {
    await browser.close()
    server.close()
    await keys.close()
    await store.close?.()
    rmSync(folder, { recursive: true })
  }
}

async function turnPages(browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage()
  await page.goto(url)
  await page.getByText('Page 1', { exact: true }).waitFor()
  const before = await page.evaluate<number>(
    `document.querySelector('keyward-console').shadowRoot.querySelectorAll('*').length`,
  )
  const { times, nodes } = await page.evaluate<{ times: number[]; nodes: number }>(TURN)
  console.log(`${times.length + 1} pages of ${PAGE}: ${before} elements on the first, ${nodes} on the last`)
  for (const [name, part] of [
    ['the first 20', times.slice(0, 20)],
    ['the last 20', times.slice(-20)],
  ] as const) {
    console.log(told(`turning a page, ${name}`, part))
  }
}

await main()
