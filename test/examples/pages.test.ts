import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createService as createA2agent } from '../../examples/a2agent/app.ts'
import { createService as createA2v2 } from '../../examples/a2v2/app.ts'
import { createService as createOya } from '../../examples/oya/app.ts'
import { copied, runPython, runScript, runShell, snippet } from '../console/snippet-runs.ts'
import { press } from '../console/tour.ts'
import { openBrowser, openPage, type Watched } from '../support/browser.ts'
import { ask, bearing, SERVERS, start } from './services.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

/** A browser that comes by a link as the examples print it. */
async function enter(url: string, cookie: string, path: string): Promise<Watched> {
  const watched = await openPage(browser)
  await watched.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await watched.page.goto(`${url}/sign-in/${cookie.replace('session=', '')}?to=${path}`)
  expect(watched.page.url()).toBe(url + path)
  return watched
}

/** Presses what makes the key, and answers its text. */
async function make(page: Page, like: RegExp): Promise<string> {
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Copy', exact: true }).click()
  return copied(page, like)
}

const names = (page: Page, role: 'button' | 'columnheader' | 'textbox' | 'tab') =>
  page.getByRole(role).allTextContents()

/** Everything that is to be seen, and where a page can keep something. */
const kept = (page: Page) =>
  page.evaluate<string>(
    `document.querySelector('keyward-console').shadowRoot.innerHTML + JSON.stringify([localStorage, sessionStorage])`,
  )

describe.each(SERVERS)('A2Agent, its page, on %s', (engine) => {
  async function open() {
    const [{ url, service }] = await start(engine, createA2agent)
    await service.topUp('acct_1', 1000)
    const watched = await enter(url, service.signIn('acct_1'), '/api-keys')
    const { page } = watched
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    const block = (key: string) =>
      `Name: Production\nAPI key: ${key}\nOpenAI base URL: ${url}/v1\nAnthropic base URL: ${url}\n`
    return { url, service, ...watched, button, dialog: page.getByRole('dialog'), block }
  }

  it('Console page "API Keys": list, Create Key, one-time display, delete', async () => {
    const { url, page, button, dialog, messages, requests } = await open()
    await page.getByRole('heading', { name: 'API Keys', exact: true }).waitFor()
    await page.getByText('No keys yet').waitFor()
    await button('Create Key').click()
    expect(await dialog.locator('input, textarea, select').count()).toBe(1)
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Production')
    const key = await make(page, /^a2_/)
    await dialog.getByText('If you lose it, create another key.').waitFor() // there is no rotation
    await button('Done').click()
    // By its own name: by its role, a dialog that is closed is gone a moment before its element is.
    await page.locator('keyward-told-key').waitFor({ state: 'detached' })
    expect(await kept(page)).not.toContain(key.slice(15, 47))
    await page.getByRole('row', { name: 'Production' }).waitFor()
    expect(await names(page, 'columnheader')).toEqual(['Name', 'Last used', 'Usage', 'Status', 'Actions'])

    // The label is optional.
    await button('Create Key').click()
    await make(page, /^a2_/)
    await button('Done').click()
    await page.getByRole('row', { name: 'Unnamed key' }).waitFor()
    for (const other of ['Edit', 'Rotate', 'Disable', 'Revoke']) expect(await button(other).count(), other).toBe(0)

    const chat = () =>
      ask(`${url}/v1/messages`, {
        headers: bearing(key),
        json: { model: 'echo', messages: [{ role: 'user', content: 'Hi' }] },
      })
    expect((await chat()).status).toBe(200)
    await press(page, 'Production', 'Delete')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    // What lies behind an open dialog is no row to anybody: it closes once the service has answered.
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('row', { name: 'Production' }).waitFor({ state: 'detached' })
    expect((await chat()).status).toBe(401)
    expect(messages).toEqual([])
    expect(requests.filter((each) => !each.startsWith(url))).toEqual([])
  })

  it('per row Copy Connection Info: name, key value while the page knows it, and base URL as one block', async () => {
    const { page, button, dialog, block, service } = await open()
    await button('Create Key').click()
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Production')
    const key = await make(page, /^a2_/)
    await button('Copy Connection Info').last().click()
    expect(await copied(page, /^Name:/)).toBe(block(key))
    await button('Done').click()
    await page.evaluate(`navigator.clipboard.writeText('')`)
    await press(page, 'Production', 'Copy Connection Info')
    const text = await copied(page, /^Name:/)
    expect(text).toBe(block(key))

    // What somebody pastes into the settings of two clients works as it is.
    const info = Object.fromEntries(text.split('\n').map((line) => line.split(': ')))
    const messages = [{ role: 'user', content: 'Good morning' } as const]
    const openai = new OpenAI({ baseURL: info['OpenAI base URL'], apiKey: info['API key'] })
    const { choices } = await openai.chat.completions.create({ model: 'echo', messages })
    expect(choices[0]?.message.content).toBe('You said: Good morning')
    const anthropic = new Anthropic({ baseURL: info['Anthropic base URL'], authToken: info['API key'], apiKey: null })
    const { content } = await anthropic.messages.create({ model: 'echo', max_tokens: 100, messages })
    expect(content).toMatchObject([{ text: 'You said: Good morning' }])

    await page.reload()
    await press(page, 'Production', 'Copy Connection Info')
    const { display } = (await service.keys.list()).items[0] ?? { display: '' }
    expect(await copied(page, /shown once/)).toBe(block(`${display} (shown once, when it was made)`))
  })
})

describe.each(SERVERS)('a2v2, its dashboard, on %s', (engine) => {
  async function open() {
    const [{ url, service }] = await start(engine, createA2v2)
    service.addAgent('42', 'org_1')
    const path = '/agents/42/api-keys'
    const as = (role: 'admin' | 'member', organization = 'org_1') => service.signIn({ organization, role })
    const contacts = async (key: string, secret: string, init: RequestInit = {}) =>
      (await fetch(`${url}/agents/42/contacts`, { headers: { 'x-api-key': key, 'x-api-secret': secret }, ...init }))
        .status
    return { url, path, service, as, contacts }
  }

  it('Usage tracked per key and visible in the dashboard; settings editable and deletable later', async () => {
    const { url, path, service, as, contacts } = await open()
    const { page, messages } = await enter(url, as('admin'), path)
    const dialog = page.getByRole('dialog')
    const save = (name: string) => dialog.getByRole('button', { name, exact: true }).click()
    await page.getByRole('button', { name: 'Create key' }).click()
    await dialog.getByText('Permissions', { exact: true }).waitFor()
    for (const absent of ['Second', 'Day', 'Week', 'Resource']) {
      expect(await dialog.getByRole('textbox', { name: absent }).count(), absent).toBe(0)
    }
    await dialog.getByRole('textbox', { name: 'Description' }).fill('Keeps the warehouse in step.')
    await dialog.getByRole('textbox', { name: 'Minute' }).fill('1001')
    await dialog.getByRole('textbox', { name: 'Allowed IPs' }).fill('127.0.0.0/8')
    await save('Create')
    await dialog.getByText('Give the key a name.').waitFor()
    await dialog.getByText('Choose at least one.').waitFor()
    await dialog.getByText('Minute: at most 1000.').waitFor()
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Sync')
    await dialog.getByRole('textbox', { name: 'Minute' }).fill('100')
    await dialog.getByRole('checkbox', { name: 'contacts: read' }).check()
    const key = await make(page, /^a2v2_(?!sec_)/)
    await page.getByRole('button', { name: 'Copy secret' }).click()
    const secret = await copied(page, /^a2v2_sec_/)
    expect(JSON.parse(await runShell(await snippet(page, 'curl', /^curl/)))).toEqual([])
    expect(await snippet(page, 'fetch', /^const headers/)).toContain(
      `'X-API-Key': '${key}', 'X-API-Secret': '${secret}'`,
    )
    await page.getByRole('button', { name: 'Done' }).click()

    const row = page.getByRole('row', { name: 'Sync' })
    expect(await contacts(key, secret)).toBe(200)
    await service.keys.flush()
    await page.reload()
    await row.getByText('2 uses', { exact: true }).waitFor()
    await row.getByText('100/min').waitFor()
    await row.getByText('1,000/h').waitFor()
    await row.getByText('Just now', { exact: true }).waitFor()

    await press(page, 'Sync', 'Edit')
    expect(await dialog.getByRole('textbox', { name: 'Allowed IPs' }).inputValue()).toBe('127.0.0.0/8')
    await dialog.getByRole('checkbox', { name: 'contacts: read' }).uncheck()
    await dialog.getByRole('checkbox', { name: 'contacts: create' }).check()
    await save('Save changes')
    await row.getByText('contacts:create').waitFor()
    expect(await contacts(key, secret)).toBe(403)
    await press(page, 'Sync', 'Delete')
    await save('Delete')
    await page.getByText('No keys yet').waitFor()
    expect(await contacts(key, secret)).toBe(401)
    expect(messages).toEqual([])
  })

  it('Only Owners and Admins may create or change keys: members see them, others not even that', async () => {
    const { url, path, service, as } = await open()
    await service.keys.create({ owner: 'org_1', resource: 'agent:42', name: 'Sync', scopes: ['contacts:read'] })
    const { page } = await enter(url, as('member'), path)
    await page.getByRole('row', { name: 'Sync' }).getByText('Not used yet').waitFor()
    for (const name of ['Create key', 'Edit', 'Delete', 'Rotate', 'Revoke', 'Disable']) {
      expect(await page.getByRole('button', { name, exact: true }).count(), name).toBe(0)
    }
    const stranger = await openPage(browser)
    expect((await stranger.page.goto(url + path))?.status()).toBe(401)
    await stranger.page.getByText('You are not signed in').waitFor()
    const [name, value = ''] = as('admin', 'org_2').split('=')
    await stranger.context.addCookies([{ name: String(name), value, url }])
    expect((await stranger.page.goto(url + path))?.status()).toBe(404)
  })
})

describe.each(SERVERS)('Oya, the page of an agent, on %s', (engine) => {
  async function open() {
    const [{ url, service }] = await start(engine, createOya)
    for (const agent of ['7', '8']) service.deploy(agent, 'owner_1')
    await service.topUp('owner_1', 100)
    const watched = await enter(url, service.signIn('owner_1'), '/agents/7/api-keys')
    const { page } = watched
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Website')
    const key = await make(page, /^a2a_/)
    await page.getByRole('button', { name: 'Done' }).click()
    const region = page.getByRole('region', { name: 'Your API key (for this browser)' })
    return { url, service, ...watched, key, region }
  }

  it('"Your API key (for this browser)": kept if the user asks, surviving reloads, cleared on request', async () => {
    const { page, key, region, messages } = await open()
    await region.getByText('Nothing is kept.').waitFor()
    expect(await kept(page)).not.toContain(key.slice(16, 48))
    expect(await snippet(page, 'curl', /^curl/)).toContain('YOUR_API_KEY')

    await region.getByRole('textbox').fill(key)
    await region.getByRole('button', { name: 'Save' }).click()
    await region.getByText('In use: ').waitFor()
    for (const reload of [false, true]) {
      if (reload) await page.reload()
      for (const tab of ['curl', 'Python', 'TypeScript']) expect(await snippet(page, tab, /a2a_/)).toContain(key)
    }
    expect(await page.evaluate('JSON.stringify(localStorage)')).toContain(key)

    await region.getByRole('button', { name: 'Clear' }).click()
    await region.getByText('Nothing is kept.').waitFor()
    await page.reload()
    for (const tab of ['curl', 'Python', 'TypeScript']) {
      expect(await snippet(page, tab, /YOUR_API_KEY/)).not.toContain(key.slice(16, 48))
    }
    expect(await kept(page)).not.toContain(key.slice(16, 48))
    expect(messages).toEqual([])
  })

  it('prefilled in the code examples (curl, Python, TypeScript), which do what they say', async () => {
    const { url, page, region, key, service } = await open()
    expect(await names(page, 'tab')).toEqual(['curl', 'Python', 'TypeScript'])
    await region.getByRole('textbox').fill(key)
    await region.getByRole('button', { name: 'Save' }).click()
    await region.getByText('In use: ').waitFor()
    const curl = await snippet(page, 'curl', /a2a_/)
    expect(curl).toContain(`curl ${url}/api/v1/chat/completions`)
    const answer = JSON.parse(await runShell(curl))
    expect(answer).toMatchObject({ thread_id: expect.stringMatching(/^thread_/) })
    expect(await runPython(await snippet(page, 'Python', /a2a_/))).toBe('You said: Hello\n')
    expect(await runScript(await snippet(page, 'TypeScript', /a2a_/))).toBe('You said: Hello\n')

    // Last-used shown per key.
    await service.keys.flush()
    await page.reload()
    const row = page.getByRole('row', { name: 'Website' })
    await row.getByText('3 uses').waitFor()
    await row.getByText('Just now', { exact: true }).waitFor()
    expect(await row.getByText('agent:7').count()).toBe(0) // all keys here are for it
    await page.goto(`${url}/agents/8/api-keys`)
    await page.getByText('No keys yet').waitFor()
    await region.getByText('Nothing is kept.').waitFor() // a key is one agent's, and so is what a browser keeps
  })
})
