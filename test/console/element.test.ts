import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite } from './site.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

const SCRIPT = '<script type="module" src="/settings/keys/keyward-console.js"></script>'

/** A page of the host with the element in it, whose keys are those that are asked for. */
async function host(markup: string): Promise<{ page: Page; requests: readonly string[]; url: string }> {
  const site = await openSite()
  const { page, requests } = await openPage(browser)
  await page.route(`${site.url}/account`, (route) => route.fulfill({ contentType: 'text/html', body: markup }))
  await page.route(`${site.url}/other/**`, (route) =>
    route.continue({ url: route.request().url().replace('/other/', '/settings/keys/') }),
  )
  await page.goto(`${site.url}/account`)
  await page.getByRole('button', { name: 'Create key' }).waitFor()
  return { page, requests, url: site.url }
}

it.each([
  ['an attribute', `${SCRIPT}<keyward-console src="/other"></keyward-console>`],
  [
    'a property, set before the script is there',
    `<keyward-console></keyward-console>${SCRIPT}<script>document.querySelector('keyward-console').src = '/other/'</script>`,
  ],
])('the element asks the routes at its src, as %s', async (_, markup) => {
  const { requests, url } = await host(`<!doctype html><html lang="en"><title>Account</title><body>${markup}`)
  expect(requests.filter((each) => each.endsWith('limit=50'))).toEqual([`${url}/other/?limit=50`])
})

it('the element draws itself anew after it was moved, and says its language', async () => {
  const { page } = await host(
    `<!doctype html><html lang="en"><title>Account</title><body><main></main>${SCRIPT}<keyward-console lang="en"></keyward-console>`,
  )
  await page.evaluate('document.querySelector("main").append(document.querySelector("keyward-console"))')
  await page.getByRole('button', { name: '中文' }).click()
  await page.getByRole('button', { name: '创建密钥' }).click()
  await page.getByRole('dialog').waitFor()
  expect(await page.locator('keyward-console').getAttribute('lang')).toBe('zh')
})
