import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite } from './site.ts'
import { fillForm, press } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

/** Everything that stays where a script, a tool or the next reader of this computer could find it. */
const REMAINS = `(() => {
  const texts = []
  const walk = (node) => {
    texts.push(node.nodeValue ?? '')
    for (const { name, value } of node.attributes ?? []) texts.push(name, value)
    if ('value' in node) texts.push(String(node.value))
    if (node.shadowRoot) walk(node.shadowRoot)
    node.childNodes.forEach(walk)
  }
  walk(document)
  const storage = [localStorage, sessionStorage].map((each) => JSON.stringify({ ...each }))
  return [...texts, ...storage, location.href, JSON.stringify(history.state), document.cookie, document.title].join('\\n')
})()`

/** The secret and checksum of a key: its beginning is public. */
const secretOf = (key: string) => key.slice(-38)

async function expectNothing(page: Page, messages: readonly string[], key: string): Promise<void> {
  const remains = String(await page.evaluate(REMAINS))
  expect(remains).toContain('API keys') // the walk has seen the page
  expect(remains).not.toContain(secretOf(key))
  expect(messages.join('\n')).not.toContain(secretOf(key))
}

describe('W-06 the text of a key is shown once', () => {
  it.each(['Done', 'Close', 'Escape'])(
    'and by %s it is gone from the page, storage, address, history and console',
    async (way) => {
      const site = await openSite()
      const { page, messages, requests } = await openPage(browser)
      await page.goto(site.page)
      const before = await page.evaluate('history.length')
      await page.getByRole('button', { name: 'Create key' }).click()
      await fillForm(page, 'Production sync')
      await page.keyboard.press('Enter')
      const key = (await page.getByRole('dialog').locator('.told code').textContent()) ?? ''
      expect((await site.keys.verify(key)).ok).toBe(true)
      // So this would find it.
      expect(await page.evaluate(REMAINS)).toContain(secretOf(key))
      if (way === 'Escape') await page.keyboard.press('Escape')
      else await page.getByRole('button', { name: way, exact: true }).click()
      await page.locator('dialog').waitFor({ state: 'detached' })
      await expectNothing(page, messages, key)
      expect(await page.evaluate('history.length')).toBe(before)
      expect(requests.join('\n')).not.toContain(secretOf(key))
      await page.reload()
      await page.getByRole('row', { name: 'Production sync' }).waitFor()
      await expectNothing(page, messages, key)
    },
  )

  it('also after a rotation, and when the page is left and come back to', async () => {
    const site = await openSite()
    await site.keys.create({ owner: 'acct_1', name: 'Old', scopes: ['models:use'] })
    const { page, messages } = await openPage(browser)
    await page.goto(site.page)
    await press(page, 'Old', 'Rotate')
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true }).click()
    const key = (await page.locator('.told code').textContent()) ?? ''
    await page.goto('about:blank')
    await page.goBack()
    await page.getByRole('row', { name: 'Old' }).waitFor()
    await expectNothing(page, messages, key)
  })

  it('and is kept only where the reader says so, until it is cleared', async () => {
    const site = await openSite()
    const { page, messages } = await openPage(browser)
    await page.goto(site.page)
    await page.getByRole('button', { name: 'Create key' }).click()
    await fillForm(page, 'Mine')
    await page.keyboard.press('Enter')
    const key = (await page.locator('.told code').textContent()) ?? ''
    await page.getByRole('button', { name: 'Use it in this browser’s snippets' }).click()
    await page.keyboard.press('Escape')
    expect(await page.evaluate('JSON.stringify(localStorage)')).toContain(key)
    await page.getByRole('region', { name: 'Your API key' }).getByRole('button', { name: 'Clear' }).click()
    await page.getByText('Nothing is kept.').waitFor()
    await expectNothing(page, messages, key)
  })

  it('and nowhere offers to keep one where browserKey is false', async () => {
    const site = await openSite('Express', { console: { browserKey: false } })
    const { page } = await openPage(browser)
    await page.goto(site.page)
    await page.getByRole('region', { name: 'Connect' }).waitFor()
    expect(await page.getByRole('region', { name: 'Your API key' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Create key' }).click()
    await fillForm(page, 'Mine')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Copy', exact: true }).waitFor()
    expect(await page.getByRole('button', { name: /this browser/ }).count()).toBe(0)
  })
})
