import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import Anthropic from '@anthropic-ai/sdk'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { fillForm, press } from './tour.ts'

const run = promisify(execFile)

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

/** What is in the clipboard, as soon as it looks like this. */
async function copied(page: Page, like: RegExp): Promise<string> {
  return expect
    .poll(() => page.evaluate('navigator.clipboard.readText()'), { timeout: 10_000 })
    .toMatch(like)
    .then(() => page.evaluate('navigator.clipboard.readText()'))
}

async function snippet(page: Page, tab: string, like: RegExp): Promise<string> {
  await page.getByRole('tab', { name: tab, exact: true }).click()
  await page.getByRole('button', { name: 'Copy snippet' }).click()
  const text = await copied(page, like)
  // What is seen is what is copied.
  expect(await page.getByRole('tabpanel').locator('pre').textContent()).toBe(text)
  return text
}

/** A folder where a snippet finds the real SDKs. */
function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-snippet-'))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

async function runScript(text: string): Promise<string> {
  const file = join(project(), 'snippet.mts')
  writeFileSync(file, text)
  const { stdout } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), file])
  return stdout
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
  const answered = await run('sh', ['-c', curl])
  expect(JSON.parse(answered.stdout)).toMatchObject({ choices: [{ message: { content: 'You said: Hello' } }] })

  const python = await snippet(page, 'Python', /^from openai/)
  // The SDK of Python is not installed here: this stands in for as much of it as the snippet uses, and asks for real.
  const folder = project()
  writeFileSync(join(folder, 'openai.py'), PYTHON_SDK)
  writeFileSync(join(folder, 'snippet.py'), python)
  const { stdout } = await run('python3', ['snippet.py'], { cwd: folder })
  expect(stdout).toBe('You said: Hello\n')
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

const PYTHON_SDK = `
import json, urllib.request

class Thing:
    def __init__(self, value):
        for name, each in value.items():
            setattr(self, name, wrap(each))

def wrap(value):
    if isinstance(value, dict): return Thing(value)
    return [wrap(each) for each in value] if isinstance(value, list) else value

class OpenAI:
    def __init__(self, base_url, api_key):
        def create(model, messages):
            body = json.dumps({"model": model, "messages": messages}).encode()
            headers = {"Authorization": "Bearer " + api_key, "Content-Type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(base_url + "/chat/completions", body, headers)) as answer:
                return wrap(json.load(answer))
        self.chat = Thing({"completions": {}})
        self.chat.completions.create = create
`
