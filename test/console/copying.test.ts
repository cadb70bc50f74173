import Anthropic from '@anthropic-ai/sdk'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { copied, runPython, runScript, runShell, snippet } from './snippet-runs.ts'
import { fillForm, press } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

const MODELS = { openai: 'acme-large', anthropic: 'acme-small' }

/** The page of a product, with the dialog of a key that was just made. */
async function withNewKey(): Promise<{ site: Site; page: Page; key: string }> {
  const site = await openSite('Express', { console: { model: MODELS } })
  const { page, context } = await openPage(browser)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto(site.page)
  await page.getByRole('button', { name: 'Create key' }).click()
  await fillForm(page, 'Production sync')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Copy', exact: true }).click()
  const key = await copied(page, /^acme_live_/)
  return { site, page, key }
}

it('Copy connection info gives one block: the name, the key and both addresses', async () => {
  const { site, page, key } = await withNewKey()
  await page.getByRole('button', { name: 'Copy connection info', exact: true }).click()
  const block = (text: string) =>
    `Name: Production sync\nAPI key: ${text}\nOpenAI base URL: ${site.url}/v1\nAnthropic base URL: ${site.url}\n`
  expect(await copied(page, /^Name:/)).toBe(block(key))
  // Once the dialog is closed, nobody knows the key.
  await page.keyboard.press('Escape')
  await press(page, 'Production sync', 'Copy connection info')
  const { display } = (await site.keys.list()).items[0] ?? { display: '' }
  expect(await copied(page, /shown once/)).toBe(block(`${display} (shown once, when it was made)`))
})

it('the snippets for curl and Python do what they say', async () => {
  const { site, page, key } = await withNewKey()
  const curl = await snippet(page, 'curl', /^curl/)
  expect(curl).toBe(`curl ${site.url}/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "acme-large",
    "messages": [{"role": "user", "content": "Hello"}]
  }'
`)
  expect(JSON.parse(await runShell(curl))).toMatchObject({ choices: [{ message: { content: 'You said: Hello' } }] })

  const python = await snippet(page, 'Python', /^from openai/)
  expect(await runPython(python)).toBe('You said: Hello\n')
})

it('the snippets for TypeScript and Anthropic run with the real SDKs', async () => {
  const { page } = await withNewKey()
  const [openai, anthropic] = [
    await snippet(page, 'TypeScript', /^import OpenAI/),
    await snippet(page, 'Anthropic', /^import Anthropic/),
  ]
  const [first, second] = await Promise.all([runScript(openai), runScript(anthropic)])
  expect(first).toBe('You said: Hello\n')
  expect(second).toContain("text: 'You said: Hello'")
})

it('the settings for Claude Code are what the SDK under it reads', async () => {
  const { site, page, key } = await withNewKey()
  const { env } = JSON.parse(await snippet(page, 'Claude Code', /^\{/))
  expect(env).toEqual({ ANTHROPIC_BASE_URL: site.url, ANTHROPIC_AUTH_TOKEN: key })
  const client = new Anthropic({ baseURL: env.ANTHROPIC_BASE_URL, authToken: env.ANTHROPIC_AUTH_TOKEN, apiKey: null })
  const messages = [{ role: 'user', content: 'Hello' } as const]
  const message = await client.messages.create({ model: 'acme-small', max_tokens: 100, messages })
  expect(message.content).toMatchObject([{ type: 'text', text: 'You said: Hello' }])
})

it('a key that is kept in this browser fills the snippets and the block, until it is cleared', async () => {
  const { page, key } = await withNewKey()
  await page.keyboard.press('Escape')
  const region = page.getByRole('region', { name: 'Your API key (for this browser)' })
  await region.getByRole('textbox').fill('no key at all')
  await region.getByRole('button', { name: 'Save' }).click()
  await region.getByText('That does not look like a key.').waitFor()
  await region.getByRole('textbox').fill(` ${key} `)
  await region.getByRole('button', { name: 'Save' }).click()
  await region.getByText(`In use: ${key.slice(0, 22)}…`).waitFor()
  expect(await snippet(page, 'curl', /^curl/)).toContain(`Bearer ${key}`)
  await page.reload()
  await press(page, 'Production sync', 'Copy connection info')
  expect(await copied(page, /^Name:/)).toContain(`API key: ${key}\n`)
  await region.getByRole('button', { name: 'Clear' }).click()
  await region.getByText('Nothing is kept.').waitFor()
  expect(await snippet(page, 'curl', /YOUR_API_KEY/)).not.toContain(key)
  expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(key)
})

it('a key that is kept in this browser follows what another tab does with it, as long as the page is there', async () => {
  const { site, page, key } = await withNewKey()
  await page.getByRole('button', { name: 'Use it in this browser’s snippets' }).click()
  await page.keyboard.press('Escape')
  const other = await page.context().newPage()
  await other.goto(site.page)
  const region = other.getByRole('region', { name: 'Your API key (for this browser)' })
  await region.getByRole('button', { name: 'Clear' }).click()
  await page.getByText('Nothing is kept.').waitFor()
  expect(await page.getByRole('tabpanel').textContent()).not.toContain(key)
  await region.getByRole('textbox').fill(key)
  await region.getByRole('button', { name: 'Save' }).click()
  await page.getByText(`In use: ${key.slice(0, 22)}…`).waitFor()
  expect(await page.getByRole('tabpanel').textContent()).toContain(key)

  await region.getByRole('button', { name: 'Clear' }).click()
  await page.getByText('Nothing is kept.').waitFor()
  await page.evaluate(`{
    window.gone = document.querySelector('keyward-console')
    gone.remove()
    window.told = new Promise((resolve) => addEventListener('storage', () => setTimeout(resolve)))
    0
  }`)
  await region.getByRole('textbox').fill(key)
  await region.getByRole('button', { name: 'Save' }).click()
  await page.evaluate('window.told')
  expect(await page.evaluate('gone.shadowRoot.textContent')).not.toContain(key)
})

it('a key that is kept in this browser is let go of when it is rotated here, and no other', async () => {
  const { site, page, key } = await withNewKey()
  await site.keys.create({ owner: 'acct_1', name: 'Another', scopes: ['models:use'] })
  await page.getByRole('button', { name: 'Use it in this browser’s snippets' }).click()
  await page.keyboard.press('Escape')
  await page.reload()
  const dialog = page.getByRole('dialog')
  const rotate = async (name: string) => {
    await press(page, name, 'Rotate')
    await dialog.getByRole('button', { name: 'Rotate', exact: true }).click()
    await dialog.getByRole('button', { name: 'Copy', exact: true }).waitFor()
  }
  await rotate('Another')
  await page.keyboard.press('Escape')
  await press(page, 'Production sync', 'Copy connection info')
  expect(await copied(page, /^Name: Production/)).toContain(`API key: ${key}\n`)

  await rotate('Production sync')
  expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(key)
  await page.keyboard.press('Escape')
  await press(page, 'Production sync', 'Copy connection info')
  await page.getByText('The key itself was shown only once.').waitFor()
  expect(await copied(page, /shown once/)).not.toContain(key)
  await page.getByText('Nothing is kept.').waitFor()

  await rotate('Production sync')
  await dialog.getByRole('button', { name: 'Copy', exact: true }).click()
  const last = await copied(page, /^acme_live_/)
  await dialog.getByRole('button', { name: 'Use it in this browser’s snippets' }).click()
  await page.keyboard.press('Escape')
  await press(page, 'Production sync', 'Copy connection info')
  expect(await copied(page, /^Name:/)).toContain(`API key: ${last}\n`)
})
