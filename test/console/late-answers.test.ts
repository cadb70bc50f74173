import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { fillForm, press } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

interface Opened {
  readonly site: Site
  readonly page: Page
  readonly alpha: string
}

async function open(): Promise<Opened> {
  const site = await openSite()
  const { record } = await site.keys.create({ owner: 'acct_1', name: 'Alpha', scopes: ['models:use'] })
  await site.keys.create({ owner: 'acct_1', name: 'Beta', scopes: ['models:use'] })
  const { page } = await openPage(browser)
  await page.goto(site.page)
  return { site, page, alpha: record.id }
}

/** Keeps the next request to there waiting. @returns what lets it go on */
async function hold(page: Page, address: string, method: string): Promise<() => void> {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let isHeld = false
  await page.route(address, async (route) => {
    if (isHeld || route.request().method() !== method) return route.fallback()
    isHeld = true
    await released
    await route.continue()
  })
  return release
}

const dialogOf = (page: Page) => page.getByRole('dialog')
const told = (page: Page) => dialogOf(page).locator('.told code').textContent()
const toast = (page: Page, text: string) => page.locator('.toast').getByText(text, { exact: true }).waitFor()

async function leave(page: Page): Promise<void> {
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
}

async function create(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Create key' }).click()
  await fillForm(page, name)
  await page.keyboard.press('Enter')
}

async function revokeSlowly({ site, page, alpha }: Opened): Promise<() => void> {
  const release = await hold(page, `${site.page}/${alpha}/revoke`, 'POST')
  await press(page, 'Alpha', 'Revoke')
  await dialogOf(page).getByRole('button', { name: 'Revoke', exact: true }).click()
  await leave(page)
  return release
}

describe('an answer that comes late', () => {
  it('to a revocation leaves the text of a key alone that is shown since', async () => {
    const opened = await open()
    const { site, page } = opened
    const release = await revokeSlowly(opened)
    await press(page, 'Beta', 'Rotate')
    await dialogOf(page).getByRole('button', { name: 'Rotate', exact: true }).click()
    const text = (await told(page)) ?? ''
    release()
    await toast(page, 'Key revoked')
    await page.locator(`[data-key="${opened.alpha}"].revoked`).waitFor()
    expect(await told(page)).toBe(text)
    expect((await site.keys.verify(text)).ok).toBe(true)
  })

  it('to a revocation leaves the form alone in which somebody types', async () => {
    const opened = await open()
    const { page } = opened
    const release = await revokeSlowly(opened)
    await page.getByRole('button', { name: 'Create key' }).click()
    await fillForm(page, 'Half a na')
    release()
    await toast(page, 'Key revoked')
    expect(await dialogOf(page).getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Half a na')
  })

  it('to Edit opens nothing where something else was opened since', async () => {
    const { site, page, alpha } = await open()
    const release = await hold(page, `${site.page}/${alpha}`, 'GET')
    await press(page, 'Alpha', 'Edit')
    await create(page, 'Gamma')
    const text = await told(page)
    await site.keys.update(alpha, { name: 'Alpha 2' })
    release()
    await page.locator(`[data-key="${alpha}"]`).getByText('Alpha 2').waitFor()
    expect(await told(page)).toBe(text)
    await leave(page)
  })
})

describe('the text of a key that is told late', () => {
  it('waits for the text of another, and each is told in a dialog of its own', async () => {
    const { site, page } = await open()
    const release = await hold(page, `${site.page}/`, 'POST')
    await create(page, 'First')
    await leave(page)
    await create(page, 'Second')
    const second = (await told(page)) ?? ''
    await dialogOf(page).getByText('Second', { exact: true }).waitFor()
    await dialogOf(page).getByRole('button', { name: 'Use it in this browser’s snippets' }).click()
    const made = page.waitForResponse((response) => response.status() === 201)
    release()
    await made
    await page.locator('tbody .name', { hasText: 'First' }).waitFor()
    expect(await told(page)).toBe(second)
    await page.keyboard.press('Escape')
    await dialogOf(page).getByText('First', { exact: true }).waitFor()
    const first = (await told(page)) ?? ''
    expect(first).not.toBe(second)
    expect((await site.keys.verify(first)).ok).toBe(true)
    // Nothing of what was done to the other is said of this one.
    expect(await dialogOf(page).getByRole('button', { name: 'Use it in this browser’s snippets' }).isEnabled()).toBe(
      true,
    )
    await leave(page)
    await page.locator('.head .primary:focus').waitFor()
  })

  it('is shown at once where nothing is open', async () => {
    const { site, page } = await open()
    const release = await hold(page, `${site.page}/`, 'POST')
    await create(page, 'Late')
    await leave(page)
    release()
    await dialogOf(page).getByText('Late', { exact: true }).waitFor()
    expect((await site.keys.verify((await told(page)) ?? '')).ok).toBe(true)
  })
})
