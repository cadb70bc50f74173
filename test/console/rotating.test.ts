import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { press } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

interface Opened {
  readonly site: Site
  readonly page: Page
  readonly id: string
  readonly key: string
  /** The button of the question. */
  rotate(): Promise<void>
}

async function open(options: Parameters<typeof openSite>[1] = {}, locale = 'en-GB'): Promise<Opened> {
  const site = await openSite('Express', options)
  const { key, record } = await site.keys.create({ owner: 'acct_1', name: 'Prod', scopes: ['models:use'] })
  const { page } = await openPage(browser, { locale })
  await page.goto(site.page)
  const rotate = () => page.getByRole('dialog').locator('[type=submit]').click()
  return { site, page, id: record.id, key, rotate }
}

const told = (page: Page) => page.getByRole('dialog').getByRole('button', { name: 'Copy', exact: true }).waitFor()

describe('a rotation whose answer is lost on the way', () => {
  async function lose(opened: Opened): Promise<void> {
    const { page, rotate } = opened
    await press(page, 'Prod', 'Rotate')
    await page.route('**/rotate', async (route) => {
      await route.fetch()
      await route.abort()
    })
    await rotate()
    await page.getByRole('dialog').locator('.problem').waitFor()
    await page.unrouteAll()
  }

  it('is not done again by pressing again: the dialog says what has happened, and clients stay connected', async () => {
    const opened = await open()
    const { site, page, id, key, rotate } = opened
    await lose(opened)
    expect((await site.keys.verify(key)).ok).toBe(true)
    await rotate()
    await page.getByText('This key has changed meanwhile, perhaps by your last attempt.').waitFor()
    const until = (await site.keys.get(id))?.previousSecretUntil?.slice(0, 16).replace('T', ' ')
    await page.getByText(`An earlier secret still works until ${until}. Rotating now ends it at once.`).waitFor()
    expect((await site.keys.verify(key)).ok).toBe(true)
    // Whoever has read that may.
    await rotate()
    await told(page)
    expect((await site.keys.verify(key)).ok).toBe(false)
  })

  it('is told in the dialog also where the key is gone meanwhile', async () => {
    const opened = await open()
    await lose(opened)
    await opened.site.keys.remove(opened.id)
    await opened.rotate()
    await opened.page.getByRole('dialog').getByText('This key does not exist any more.').waitFor()
  })
})

describe('the question before a rotation', () => {
  it('shows the key as it is when it is asked, and says that a secret which still works ends', async () => {
    const { site, page, id, rotate } = await open({}, 'zh-CN')
    // The list does not know.
    await site.keys.rotate(id, { overlap: '24h' })
    await press(page, 'Prod', '轮换')
    await page.getByRole('dialog').getByText('现在轮换会使其立即失效。').waitFor()
    await rotate()
    await page.getByRole('dialog').getByRole('button', { name: '复制', exact: true }).waitFor()
  })

  it('says nothing of one that does not', async () => {
    const { site, page, id } = await open()
    await site.keys.rotate(id, { overlap: 0 })
    await press(page, 'Prod', 'Rotate')
    await page.getByRole('dialog').getByRole('combobox').waitFor()
    expect(await page.getByText('An earlier secret').count()).toBe(0)
  })

  it('is asked of whoever may not read the key, by what the list says of it', async () => {
    const authorize = () => ({ owner: 'acct_1', may: (verb: string) => verb === 'list' || verb === 'rotate' })
    const { page, rotate } = await open({ console: { authorize } })
    await press(page, 'Prod', 'Rotate')
    await rotate()
    await told(page)
  })

  it('is answered also where a proxy made the tag of the reading a weak one', async () => {
    const { site, page, rotate, id } = await open()
    await page.route(`${site.page}/${id}`, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, headers: { ...response.headers(), etag: `W/${response.headers().etag}` } })
    })
    await press(page, 'Prod', 'Rotate')
    await rotate()
    await told(page)
  })
})
