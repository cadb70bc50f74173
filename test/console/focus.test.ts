import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { askingItself } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

async function open(names: readonly string[]): Promise<{ site: Site; page: Page }> {
  const site = await openSite()
  for (const name of names) await site.keys.create({ owner: 'acct_1', name, scopes: ['models:use'] })
  const { page } = await openPage(browser)
  await page.goto(site.page)
  return { site, page }
}

/** Presses it as people without a mouse do. */
async function enter(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).focus()
  await page.keyboard.press('Enter')
}

const focused = (page: Page, what: string) => page.locator(`${what}:focus`).waitFor()

describe('the focus of whoever uses keys alone', () => {
  it('stays on what takes a step back, and never comes to lie on what cannot be taken back', async () => {
    const { site, page } = await open(['Sync'])
    await enter(page, 'Disable')
    await focused(page, '[data-deed=enable]')
    await page.keyboard.press('Enter')
    await focused(page, '[data-deed=disable]')
    await page.locator('.status.active').waitFor()
    expect((await site.keys.list()).items).toMatchObject([{ status: 'active' }])
    await enter(page, 'Copy connection info')
    await focused(page, '[data-deed=connection]')
  })

  it('goes to the other button where one page is the last, or the first', async () => {
    const { page } = await open(Array.from({ length: 51 }, (_, i) => `Key ${i}`))
    await enter(page, 'Next')
    await page.getByText('Page 2', { exact: true }).waitFor()
    await focused(page, '.pager button:first-child')
    await page.keyboard.press('Enter')
    await page.getByText('Page 1', { exact: true }).waitFor()
    await focused(page, '.pager button:last-child')
  })

  it('stays on Next where there is more', async () => {
    const { page } = await open(Array.from({ length: 101 }, (_, i) => `Key ${i}`))
    await enter(page, 'Next')
    await page.getByText('Page 2', { exact: true }).waitFor()
    await page.locator('.list[aria-busy=false]').waitFor()
    await page.evaluate('new Promise((resolve) => setTimeout(resolve))')
    await focused(page, '.pager button:last-child')
  })

  it('goes to the list when the filters are cleared', async () => {
    const { page } = await open(['Sync'])
    await page.getByRole('searchbox', { name: 'Find by exact name' }).fill('Nobody')
    await page.keyboard.press('Enter')
    await enter(page, 'Clear filters')
    await page.getByRole('row', { name: 'Sync' }).waitFor()
    await focused(page, '.list')
  })

  it('goes to the list when it was tried again', async () => {
    const { site, page } = await open(['Sync'])
    await askingItself(page, site)
    await page.route('**/?limit=50', (route) => route.abort(), { times: 1 })
    await page.reload()
    await enter(page, 'Try again')
    await page.getByRole('row', { name: 'Sync' }).waitFor()
    await focused(page, '.list')
  })

  it('stays where they went while a page was loading', async () => {
    const { page } = await open(Array.from({ length: 51 }, (_, i) => `Key ${i}`))
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/*cursor=*', async (route) => {
      await released
      await route.continue()
    })
    await enter(page, 'Next')
    await page.getByRole('searchbox', { name: 'Find by exact name' }).focus()
    release()
    await page.locator('[data-key]').nth(1).waitFor({ state: 'detached' })
    await page.evaluate('new Promise((resolve) => setTimeout(resolve))')
    await focused(page, '[type=search][name=name]')
  })
})
