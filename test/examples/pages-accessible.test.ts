import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createService as createA2agent } from '../../examples/a2agent/app.ts'
import { createService as createA2v2 } from '../../examples/a2v2/app.ts'
import { createService as createOya } from '../../examples/oya/app.ts'
import { examine, openWithAxe } from '../support/axe.ts'
import { openBrowser } from '../support/browser.ts'
import { start } from './services.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

/** Where a page is, and the cookie of who may see it; there are keys on it. */
interface Place {
  readonly url: string
  readonly path: string
  readonly cookie: string
  /** A key to keep in the browser, where that is offered. */
  readonly key?: string
}

async function a2agent(): Promise<Place> {
  const [{ url, service }] = await start('memory', createA2agent)
  await service.topUp('acct_1', 1000)
  await service.keys.create({ owner: 'acct_1', name: 'Laptop' })
  await service.keys.create({ owner: 'acct_1' })
  const { key } = await service.keys.create({ owner: 'acct_1', name: 'Production gateway' })
  for (let i = 0; i < 28; i++) await service.keys.verify(key)
  await service.keys.flush()
  return { url, path: '/api-keys', cookie: service.signIn('acct_1') }
}

async function a2v2(): Promise<Place> {
  const [{ url, service }] = await start('memory', createA2v2)
  service.addAgent('42', 'org_1')
  const agent = { owner: 'org_1', resource: 'agent:42' }
  await service.keys.create({ ...agent, name: 'Import', scopes: ['contacts:create'] })
  const sync = await service.keys.create({
    ...agent,
    name: 'Production sync',
    scopes: ['contacts:*', 'document-extraction:create', 'document-extraction:read'],
    limits: { minute: 500, hour: 10_000 },
    expiresAt: new Date(Date.now() + 90 * 86_400_000),
  })
  for (let i = 0; i < 28; i++) await service.keys.verify(sync, { resource: '*' })
  await service.keys.flush()
  return { url, path: '/agents/42/api-keys', cookie: service.signIn({ organization: 'org_1', role: 'admin' }) }
}

async function oya(): Promise<Place> {
  const [{ url, service }] = await start('memory', createOya)
  service.deploy('7', 'owner_1')
  await service.topUp('owner_1', 100)
  const agent = { owner: 'owner_1', resource: 'agent:7' }
  await service.keys.create({ ...agent, name: 'Slack bot' })
  const { key } = await service.keys.create({ ...agent, name: 'Website' })
  for (let i = 0; i < 3; i++) await service.keys.verify(key, { resource: '*' })
  await service.keys.flush()
  return { url, path: '/agents/7/api-keys', cookie: service.signIn('owner_1'), key }
}

const NARROW = { width: 390, height: 844 }
const WIDE = { width: 1280, height: 900 }

/** In every look; what has to do with colours and room alone is not looked at by all of axe's rules again. */
async function examineLooks(page: Page, state: string, picture?: string): Promise<void> {
  await examine(page, { state, picture })
  await page.emulateMedia({ colorScheme: 'dark' })
  await examine(page, { state: `${state}, dark`, rules: ['color-contrast'] })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(NARROW)
  await examine(page, { state: `${state}, narrow`, rules: ['target-size', 'scrollable-region-focusable'] })
  await page.setViewportSize(WIDE)
}

describe.each([
  { service: 'a2agent', open: a2agent, create: 'Create Key' },
  { service: 'a2v2', open: a2v2, create: 'Create key' },
  { service: 'oya', open: oya, create: 'Create key' },
])('the page of $service', ({ service, open, create }) => {
  it('axe finds nothing wrong with it, in either language, light and dark', async () => {
    const { url, path, cookie, key } = await open()
    const { page } = await openWithAxe(browser, { viewport: WIDE, colorScheme: 'light' })
    await page.goto(`${url}/sign-in/${cookie.replace('session=', '')}?to=${path}`)
    const dialog = page.getByRole('dialog')
    await page.getByRole('table').waitFor()
    const region = page.getByRole('region', { name: 'Your API key (for this browser)' })
    if (key !== undefined) {
      await region.getByRole('textbox').fill(key)
      await region.getByRole('button', { name: 'Save' }).click()
      await region.getByText('In use: ').waitFor()
      await page.getByText('Kept in this browser', { exact: true }).waitFor({ state: 'detached' })
    }
    await examineLooks(page, 'list', `example-${service}`)
    await page.getByRole('button', { name: create }).click()
    await examineLooks(page, 'create')
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Nightly report')
    const scopes = dialog.getByRole('checkbox', { name: /contacts.+read/ })
    if ((await scopes.count()) > 0) await scopes.check()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Copy', exact: true }).waitFor()
    await examineLooks(page, 'created')
    await page.getByRole('button', { name: 'Done' }).click()

    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('columnheader', { name: '名称' }).waitFor()
    await examineLooks(page, 'list in Chinese')
  })
})
