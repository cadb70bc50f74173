import type { ConsoleOptions } from 'keyward/console'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { fillForm, press } from './tour.ts'

const DAY = 86_400_000

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

describe('a new key that expires in 30 days, whose answer was lost on the way', () => {
  const create = (page: Page) => page.getByRole('button', { name: 'Create', exact: true }).click()

  async function lose(): Promise<{ site: Site; page: Page }> {
    const site = await openSite()
    const { page } = await openPage(browser)
    await page.goto(site.page)
    await page.getByRole('button', { name: 'Create key' }).click()
    await fillForm(page, 'Sync')
    await page.getByRole('combobox', { name: 'Expires' }).selectOption({ label: 'In 30 days' })
    await page.route(`${site.page}/`, async (route) => {
      await route.fetch()
      await route.abort()
    })
    await create(page)
    await page.getByText('The service could not be reached.').waitFor()
    await page.unrouteAll()
    return { site, page }
  }

  it('is sent again as it was, however much later', async () => {
    const { site, page } = await lose()
    await create(page)
    await page.getByText('This key had been created already').waitFor()
    expect((await site.keys.list()).items).toHaveLength(1)
  })

  it('is not made as another: whoever changes it is told to look first', async () => {
    const { site, page } = await lose()
    await page.getByRole('textbox', { name: 'Name' }).fill('Another')
    await create(page)
    await page.getByText('It is not known whether this happened.').waitFor()
    expect((await site.keys.list()).items.map(({ name }) => name)).toEqual(['Sync'])
  })
})

describe('a key that has expired', () => {
  async function edit(options: Pick<ConsoleOptions, 'fields'> = {}): Promise<{ site: Site; page: Page; id: string }> {
    let now = Date.now() - 2 * DAY
    const site = await openSite('Express', { clock: { now: () => now }, console: options })
    const expiresAt = new Date(now + DAY)
    const { record } = await site.keys.create({ owner: 'acct_1', name: 'Old', scopes: ['models:use'], expiresAt })
    now += 2 * DAY
    const { page } = await openPage(browser)
    await page.goto(site.page)
    await press(page, 'Old', 'Edit')
    return { site, page, id: record.id }
  }

  it.each([
    ['with all fields', {}],
    ['where only names may be set', { fields: ['name'] as const }],
  ])('is edited and stays expired, %s', async (_, options) => {
    const { site, page, id } = await edit(options)
    await page.getByRole('textbox', { name: 'Name' }).fill('Older')
    await page.getByRole('button', { name: 'Save changes' }).click()
    await page.getByText('Changes saved').waitFor()
    expect(await site.keys.get(id)).toMatchObject({ name: 'Older', status: 'expired' })
  })

  it('is given no other time that is past', async () => {
    const { page } = await edit()
    await page.getByLabel('Expiry date').fill('2020-01-01T00:00')
    await page.getByRole('button', { name: 'Save changes' }).click()
    await page.getByText('That is in the past.').waitFor()
  })
})
