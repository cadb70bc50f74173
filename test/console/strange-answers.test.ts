import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { askingItself, fillForm, press } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

const HTML = { contentType: 'text/html', body: '<h1>Whoever stands before the service</h1>' }
const SIGNED_OUT = 'You are signed out. Sign in again, then reload this page.'
const FORBIDDEN = 'You may not do this.'
const UNAVAILABLE = 'The service cannot do this at the moment. Try again shortly.'
const UNKNOWN = 'It is not known whether this happened. Reload before you try again.'

async function open(): Promise<{ site: Site; page: Page }> {
  const site = await openSite()
  await site.keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['models:use'] })
  const { page } = await openPage(browser)
  await page.goto(site.page)
  return { site, page }
}

describe('a change that somebody else than the service answers', () => {
  it.each([
    ['a login page', { status: 401, ...HTML }, SIGNED_OUT],
    ['a firewall', { status: 403, ...HTML }, FORBIDDEN],
    ['a firewall that speaks JSON of its own', { status: 403, json: { status: 'blocked', issues: null } }, FORBIDDEN],
    ['one that limits rates', { status: 429, ...HTML }, UNAVAILABLE],
    ['a proxy behind which the service may have done it', { status: 502, ...HTML }, UNKNOWN],
    [
      'a gateway that speaks JSON of its own',
      { status: 504, json: { message: 'Endpoint request timed out' } },
      UNKNOWN,
    ],
    ['a login page that it was sent on to', { status: 200, ...HTML }, UNKNOWN],
  ])('is told by its status: %s', async (_, answer, told) => {
    const { page } = await open()
    await page.route('**/disable', (route) => route.fulfill(answer))
    await press(page, 'Sync', 'Disable')
    await page.locator('.toast').getByText(told, { exact: true }).waitFor()
  })

  it('is told to have an unknown end where no answer comes at all', async () => {
    const { page } = await open()
    await page.route('**/revoke', (route) => route.abort())
    await press(page, 'Sync', 'Revoke')
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByRole('dialog').getByText(UNKNOWN, { exact: true }).waitFor()
  })

  it('is not told as done where it is not the service that knows nothing of the key', async () => {
    const { site, page } = await open()
    await page.route('**/settings/keys/*', (route) => route.fulfill({ status: 404, ...HTML }))
    await press(page, 'Sync', 'Delete')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('dialog').getByText('This key does not exist any more.').waitFor()
    expect((await site.keys.list()).items).toHaveLength(1)
  })

  it('is told in the form too, which stays', async () => {
    const { page } = await open()
    await page.route('**/settings/keys/', (route) => route.fulfill({ status: 502, ...HTML }))
    await page.getByRole('button', { name: 'Create key' }).click()
    await fillForm(page, 'Another')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByText(UNKNOWN, { exact: true }).waitFor()
  })
})

describe('a list that somebody else than the service answers', () => {
  it.each([
    [401, 'Sign in again, then reload this page.'],
    [403, 'Ask whoever manages your account.'],
    [502, UNAVAILABLE],
    [200, UNAVAILABLE],
  ])('is told by its status: %d', async (status, told) => {
    const { site, page } = await open()
    await askingItself(page, site)
    await page.route('**/?limit=50', (route) => route.fulfill({ status, ...HTML }))
    await page.reload()
    await page.locator('.notice').getByText(told, { exact: true }).waitFor()
    expect(await page.getByText('Check your connection').count()).toBe(0)
  })
})
