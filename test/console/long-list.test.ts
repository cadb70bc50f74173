import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite } from './site.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

const MANY = 10_000
const COUNT = `(() => {
  let count = 0
  const walk = (node) => {
    count += 1
    if (node.shadowRoot) walk(node.shadowRoot)
    node.childNodes.forEach(walk)
  }
  walk(document)
  return count
})()`

it('lists 10,000 keys page by page, each once, and grows with none of them', async () => {
  const site = await openSite()
  const made = []
  for (let i = 0; i < MANY; i++) {
    made.push(site.keys.create({ owner: 'acct_1', name: `Key ${i}`, scopes: ['contacts:read'] }))
  }
  const ids = (await Promise.all(made)).map(({ record }) => record.id)
  const { page, messages } = await openPage(browser)
  await page.goto(site.page)
  await page.getByText('Page 1', { exact: true }).waitFor()
  const nodes: unknown[] = [await page.evaluate(COUNT)]

  // From page to page by the button that people have, and each row is looked at: in the browser, for speed's sake.
  const seen = (await page.evaluate(`(async () => {
    const root = document.querySelector('keyward-console').shadowRoot
    const seen = []
    for (;;) {
      const rows = [...root.querySelectorAll('[data-key]')].map((row) => row.dataset.key)
      seen.push(...rows)
      const next = [...root.querySelectorAll('.pager button')].at(-1)
      if (next.disabled) return seen
      next.click()
      while (root.querySelector('[data-key]').dataset.key === rows[0]) await new Promise(requestAnimationFrame)
    }
  })()`)) as string[]
  expect(seen.length).toBe(MANY)
  expect(new Set(seen)).toEqual(new Set(ids))
  expect(await page.getByText('Page 200', { exact: true }).count()).toBe(1)
  nodes.push(await page.evaluate(COUNT))
  // "Next" is there in both cases: fifty rows on the first page, fifty on the last.
  expect(nodes[1]).toBe(nodes[0])

  await page.getByRole('button', { name: 'Previous' }).click()
  await page.getByText('Page 199', { exact: true }).waitFor()
  await page.getByRole('searchbox', { name: 'Find by exact name' }).fill('Key 4711')
  await page.keyboard.press('Enter')
  await page.getByRole('row', { name: 'Key 4711' }).waitFor()
  expect(await page.getByRole('row').count()).toBe(2)
  expect(messages).toEqual([])
})

it('turns one page where Next is pressed twice before it is there', async () => {
  const site = await openSite()
  for (let i = 0; i < 120; i++) await site.keys.create({ owner: 'acct_1', name: `Key ${i}`, scopes: ['contacts:read'] })
  const { page } = await openPage(browser)
  await page.goto(site.page)
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/*cursor=*', async (route) => {
    await released
    await route.continue()
  })
  const rows = page.locator('[data-key]')
  await page.getByRole('button', { name: 'Next' }).dblclick()
  release()
  await page.locator('.list[aria-busy=false]').waitFor()
  expect(await page.getByText('Page 2', { exact: true }).count()).toBe(1)
  await page.getByRole('button', { name: 'Next' }).click()
  await rows.nth(20).waitFor({ state: 'detached' })
  expect(await rows.count()).toBe(20)
  expect(await page.getByText('Page 3', { exact: true }).count()).toBe(1)
})

it('finds by names that are as long as names may be, and takes no longer ones', async () => {
  const site = await openSite()
  const name = 'n'.repeat(100)
  await site.keys.create({ owner: 'acct_1', name, scopes: ['contacts:read'] })
  const { page } = await openPage(browser)
  await page.goto(site.page)
  const search = page.getByRole('searchbox', { name: 'Find by exact name' })
  await search.pressSequentially(`${name}n`)
  await page.keyboard.press('Enter')
  await page.getByRole('row', { name }).waitFor()
  expect(await search.inputValue()).toBe(name)
  expect(await page.getByRole('searchbox', { name: 'Find by resource' }).getAttribute('maxlength')).toBe('256')
})

it('goes back a page when the last key of it is deleted', async () => {
  const site = await openSite()
  for (let i = 0; i < 51; i++) await site.keys.create({ owner: 'acct_1', name: `Key ${i}`, scopes: ['contacts:read'] })
  const { page } = await openPage(browser)
  await page.goto(site.page)
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('Page 2', { exact: true }).waitFor()
  const row = page.locator('[data-key]')
  await row.nth(1).waitFor({ state: 'detached' })
  await row.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await page.getByText('Key deleted').waitFor()
  await row.nth(49).waitFor()
  expect(await page.getByRole('navigation', { name: 'Pages' }).count()).toBe(0)
})
