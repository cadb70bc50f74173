import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite } from './site.ts'
import { fillForm, press } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

/** Names of keys that would be something else, if they were taken for markup, templates, addresses or JSON. */
const NAMES = [
  `<img src=x onerror="alert(1)">`,
  `</script><script>alert(2)</script>`,
  `{{constructor.constructor('alert(3)')()}}`,
  `$\{alert(4)}`,
  'javascript:alert(5)',
  `"><svg onload=alert(6)>`,
  '__proto__',
  `{name} $& $'`,
]

it('W-01 whatever a key is called stays text, in the list, the dialogs and what is copied', async () => {
  const site = await openSite('Express', { scopes: undefined })
  for (const name of NAMES) {
    const metadata = { name }
    await site.keys.create({ owner: 'acct_1', name, description: name, resource: name, scopes: ['a:b'], metadata })
  }
  const { page, context, messages } = await openPage(browser)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const alerts: string[] = []
  page.on('dialog', (dialog) => {
    alerts.push(dialog.message())
    void dialog.dismiss()
  })
  await page.goto(site.page)
  for (const name of NAMES) {
    const row = page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })
    expect(await row.locator('.name').textContent()).toBe(name)
    await row.getByRole('button', { name: 'Copy connection info' }).click()
    await expect
      .poll(() => page.evaluate('navigator.clipboard.readText()'), { timeout: 10_000 })
      .toMatch(new RegExp(`^Name: ${name.replace(/[^\w ]/g, '\\$&')}\n`))
    await row.getByRole('button', { name: 'Revoke' }).click()
    expect(await page.getByRole('dialog').getByRole('heading').textContent()).toBe(`Revoke ${name}?`)
    await page.keyboard.press('Escape')
  }
  expect(await page.locator('img, svg[onload], script:not([src])').count()).toBe(0)
  expect({ alerts, messages }).toEqual({ alerts: [], messages: [] })
})

it('W-01 no source of the page writes markup, and none makes code of text', () => {
  const folder = 'src/console/page'
  for (const file of readdirSync(folder)) {
    const source = readFileSync(join(folder, file), 'utf8')
    const found = source.match(
      /innerHTML|outerHTML|insertAdjacentHTML|unsafe(HTML|SVG|Static)|document\.write|\beval\(|new Function/g,
    )
    expect([file, found]).toEqual([file, null])
  }
})

it('W-03 a page of another site changes nothing, with whatever cookies', async () => {
  const { keys, page: address } = await openSite('Express', { console: { authorize: signedIn } })
  const { page, context } = await openPage(browser)
  const { hostname } = new URL(address)
  await context.addCookies([{ name: 'sid', value: '1', domain: hostname, path: '/', sameSite: 'Lax' }])
  const evil = await openSite('Fastify', {})
  // Another port is another origin of the same site, to which cookies are sent: the worst case.
  await page.goto(`${evil.url}/settings/keys/keyward-console.css`)
  const send = (
    init: object,
  ) => `fetch(${JSON.stringify(address)}, ${JSON.stringify({ method: 'POST', credentials: 'include', ...init })})
    .then(({ status, type }) => status || type, () => 'blocked')`
  const body = JSON.stringify({ name: 'Evil', scopes: ['models:use'] })
  const json = { 'Content-Type': 'application/json' }
  expect(await page.evaluate(send({ headers: json, body }))).toBe('blocked')
  expect(await page.evaluate(send({ mode: 'no-cors', body }))).toBe('opaque')
  await page.evaluate(`(() => {
    const form = Object.assign(document.createElement('form'), { method: 'POST', enctype: 'text/plain', action: ${JSON.stringify(address)} })
    form.append(Object.assign(document.createElement('input'), { name: '{"name":"Evil","x":"', value: '"}' }))
    document.documentElement.append(form)
    form.submit()
  })()`)
  await page.waitForURL(address)
  expect((await keys.list()).items).toEqual([])
})

it('W-04 no answer lets another origin read it', async () => {
  const { page: address } = await openSite()
  for (const path of ['', '/keyward-console.js', '/keyward-console.json', '/openapi.json', '/nothing']) {
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' }
      const answer = await fetch(address + path, { method, headers })
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  }
})

describe('W-08 the whole of its use', () => {
  it('asks this origin alone, and breaks no rule of its policy', async () => {
    const site = await openSite()
    const { page, messages, requests } = await openPage(browser, { colorScheme: 'dark' })
    const response = await page.goto(site.page)
    const policy = response?.headers()['content-security-policy'] ?? ''
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types lit-html")
    expect(policy).not.toMatch(/unsafe|nonce|data:|\*/)
    await page.getByRole('button', { name: 'Create key' }).click()
    await fillForm(page, 'Sync')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Copy', exact: true }).click()
    for (const tab of ['Python', 'TypeScript', 'Anthropic', 'Claude Code', 'curl']) {
      await page.getByRole('tab', { name: tab, exact: true }).click()
    }
    await page.keyboard.press('Escape')
    for (const button of ['Edit', 'Rotate', 'Revoke', 'Delete']) {
      await press(page, 'Sync', button)
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
    }
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('heading', { name: 'API 密钥', exact: true }).waitFor()
    expect(messages).toEqual([])
    expect(requests.filter((url) => new URL(url).origin !== site.url)).toEqual([])
    // What would break it is told: this is what the test before listens to.
    await page.evaluate(`document.body.append(Object.assign(new Image(), { src: 'https://evil.example/x.png' }))`)
    await expect.poll(() => messages.join()).toContain('violation: img-src')
  })
})

function signedIn({ headers }: Request) {
  return headers.get('cookie')?.includes('sid=1') ? { owner: 'acct_1' } : undefined
}
