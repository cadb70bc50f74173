import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'
import { openBrowser, openPage } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'
import { askingItself, fillForm, press } from './tour.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

async function open(options: Parameters<typeof openSite>[1] = {}): Promise<{ site: Site; page: Page }> {
  const site = await openSite('Express', options)
  const { page } = await openPage(browser)
  await page.goto(site.page)
  return { site, page }
}

describe('the form', () => {
  it('tells of each field what is wrong with it, as it is typed, and keeps what was right', async () => {
    const { site, page } = await open()
    await site.keys.create({ owner: 'acct_1', name: 'Taken', scopes: ['models:use'] })
    await page.getByRole('button', { name: 'Create key' }).click()
    const dialog = page.getByRole('dialog')
    const flaw = (field: string) => dialog.locator(`#flaw-${field}`)
    await dialog.getByRole('textbox', { name: 'Allowed addresses' }).fill('203.0.113.7\n10.0.0.5/8')
    expect(await flaw('allowedIps').textContent()).toBe(
      'Line 2: bits are set behind the prefix. Did you mean 10.0.0.0/8?',
    )
    await dialog.getByRole('button', { name: 'Use 10.0.0.0/8' }).click()
    await dialog.getByText('2 understood').waitFor()
    await dialog.getByRole('textbox', { name: 'Minute' }).fill('1001')
    await dialog.getByRole('combobox', { name: 'Expires' }).selectOption({ label: 'On a date' })
    await dialog.getByLabel('Expiry date').fill('2020-01-01T00:00')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    expect(await flaw('name').textContent()).toBe('Give the key a name.')
    expect(await flaw('scopes').textContent()).toBe('Choose at least one.')
    expect(await flaw('limits').textContent()).toBe('Minute: at most 1000.')
    expect(await flaw('expiresAt').textContent()).toBe('That is in the past.')
    const name = dialog.getByRole('textbox', { name: 'Name' })
    expect(await name.getAttribute('aria-invalid')).toBe('true')
    expect(await name.getAttribute('aria-describedby')).toContain('flaw-name')

    await fillForm(page, 'Taken')
    await dialog.getByRole('textbox', { name: 'Minute' }).fill('1000')
    await dialog.getByRole('combobox', { name: 'Expires' }).selectOption({ label: 'Never' })
    await page.keyboard.press('Enter')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await dialog.getByText('A key of this name exists already.').waitFor()
    await name.fill('Free')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Copy', exact: true }).waitFor()
    const [made] = (await site.keys.list({ name: 'Free' })).items
    expect(made).toMatchObject({ allowedIps: ['203.0.113.7', '10.0.0.0/8'], limits: { minute: 1000 } })
  })

  it('tells in Chinese also what only the service knows', async () => {
    const site = await openSite()
    const { page } = await openPage(browser, { locale: 'zh-CN' })
    await page.goto(site.page)
    await page.getByRole('button', { name: '创建密钥' }).click()
    await fillForm(page, 'Sync\u202e')
    await page.keyboard.press('Enter')
    const flaw = page.locator('#flaw-name')
    await flaw.waitFor()
    expect(await flaw.textContent()).toBe('最多 100 个字符，不能有控制字符或改变文字方向的字符。')
    expect(await page.getByRole('dialog').textContent()).not.toMatch(/must|character/)
  })

  it('makes one key where an answer is lost on the way and it is sent again', async () => {
    const { site, page } = await open()
    await page.getByRole('button', { name: 'Create key' }).click()
    await fillForm(page, 'Sync')
    await page.route(`${site.page}/`, async (route) => {
      await route.fetch()
      await route.abort()
    })
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('The service could not be reached.').waitFor()
    await page.unrouteAll()
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('This key had been created already').waitFor()
    expect((await site.keys.list()).items).toHaveLength(1)
  })

  it('does not save over what somebody else has changed meanwhile', async () => {
    const { site, page } = await open()
    const { record } = await site.keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['models:use'] })
    await page.reload()
    await press(page, 'Sync', 'Edit')
    await site.keys.update(record.id, { name: 'Theirs' })
    await page.getByRole('textbox', { name: 'Name' }).fill('Mine')
    await page.keyboard.press('Enter')
    await page.getByText('Somebody has changed this key meanwhile.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('row', { name: 'Theirs' }).waitFor()
    expect((await site.keys.get(record.id))?.name).toBe('Theirs')
  })

  it('keeps what was typed over what somebody else has changed, and saves it once that was seen', async () => {
    const { site, page } = await open()
    const limits = { minute: 60, hour: 500 }
    const { record } = await site.keys.create({
      owner: 'acct_1',
      name: 'Sync',
      scopes: ['models:use', 'contacts:update'],
      limits,
    })
    await page.reload()
    await press(page, 'Sync', 'Edit')
    const theirs = { name: 'Theirs', description: 'Theirs', scopes: ['models:use', 'contacts:update', 'contacts:read'] }
    await site.keys.update(record.id, { ...theirs, limits: { minute: 60, hour: 400 } })
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Mine')
    await dialog.getByRole('textbox', { name: 'Minute' }).fill('30')
    await dialog.getByRole('checkbox', { name: 'models: use' }).click()
    await page.keyboard.press('Enter')
    await dialog.getByText('Somebody has changed this key meanwhile.').waitFor()
    expect(await dialog.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Mine')
    expect(await dialog.getByRole('textbox', { name: 'Description' }).inputValue()).toBe('Theirs')
    expect((await site.keys.get(record.id))?.name).toBe('Theirs')
    await dialog.getByRole('button', { name: 'Save changes' }).click()
    await page.getByText('Changes saved').waitFor()
    const saved = await site.keys.get(record.id)
    expect(saved).toMatchObject({ name: 'Mine', description: 'Theirs', scopes: ['contacts:update', 'contacts:read'] })
    expect(saved?.limits).toEqual({ minute: 30, hour: 400 })
  })

  it('tells in the dialog of a key that somebody else has removed meanwhile', async () => {
    const { site, page } = await open()
    const { record } = await site.keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['models:use'] })
    await page.reload()
    await press(page, 'Sync', 'Edit')
    await site.keys.revoke(record.id)
    await site.keys.remove(record.id)
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Mine')
    await page.keyboard.press('Enter')
    await dialog.getByText('This key does not exist any more.').waitFor()
    expect(await dialog.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Mine')
  })

  it('clears what is emptied, and leaves alone what was not touched', async () => {
    const { site, page } = await open()
    const limits = [
      { name: 'burst', limit: 5, window: '10s' as const },
      { name: 'hour', limit: 100, window: '1h' as const },
    ]
    const given = {
      description: 'Old',
      allowedIps: ['10.0.0.0/8'],
      expiresAt: new Date(Date.now() + 9e8),
      metadata: { a: 1 },
    }
    const { record } = await site.keys.create({
      owner: 'acct_1',
      name: 'Sync',
      scopes: ['contacts:*'],
      limits,
      ...given,
    })
    await page.reload()
    await press(page, 'Sync', 'Edit')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Description' }).fill('')
    await dialog.getByRole('textbox', { name: 'Allowed addresses' }).fill('')
    await dialog.getByRole('combobox', { name: 'Expires' }).selectOption({ label: 'Never' })
    await dialog.getByRole('textbox', { name: 'burst' }).fill('7')
    // What the service allows at most cannot be lifted: this is told before it is asked.
    await dialog.getByText('Empty: no limit, unless the service sets a maximum.').waitFor()
    await dialog.getByRole('textbox', { name: 'Minute' }).fill('')
    await dialog.getByRole('button', { name: 'Save changes' }).click()
    expect(await dialog.locator('#flaw-limits').textContent()).toBe('Minute: at most 1000.')
    await dialog.getByRole('textbox', { name: 'Minute' }).fill('60')
    await dialog.getByRole('button', { name: 'Save changes' }).click()
    await page.getByText('Changes saved').waitFor()
    const saved = await site.keys.get(record.id)
    expect(saved).toMatchObject({ scopes: ['contacts:*'], metadata: { a: 1 } })
    expect([saved?.description, saved?.allowedIps, saved?.expiresAt]).toEqual([undefined, undefined, undefined])
    expect(saved?.limits).toEqual({ minute: 60, hour: 100, burst: { limit: 7, window: 10_000 } })
  })
})

describe('what whoever looks may not do', () => {
  it('has no button, and only keys of the one resource are there', async () => {
    const authorize = () => ({
      owner: 'acct_1',
      resource: 'agent:42',
      may: (verb: string) => verb !== 'create' && verb !== 'rotate' && verb !== 'remove',
    })
    const { site, page } = await open({ console: { authorize } })
    await site.keys.create({ owner: 'acct_1', name: 'Here', scopes: ['models:use'], resource: 'agent:42' })
    await site.keys.create({ owner: 'acct_1', name: 'Elsewhere', scopes: ['models:use'], resource: 'agent:43' })
    await page.reload()
    const row = page.getByRole('row', { name: 'Here' })
    await row.getByRole('button', { name: 'Revoke' }).waitFor()
    for (const name of ['Create key', 'Rotate', 'Delete'])
      expect(await page.getByRole('button', { name }).count()).toBe(0)
    expect(await page.getByText('Elsewhere').count()).toBe(0)
  })

  it('S-17: offers the scopes that they may grant, and lets them take away the others', async () => {
    const authorize = () => ({ owner: 'acct_1', grants: ['contacts:read'] })
    const { site, page } = await open({ console: { authorize } })
    const { record } = await site.keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['contacts:*', 'models:use'] })
    await page.reload()
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Create key' }).click()
    expect(await dialog.getByRole('checkbox').count()).toBe(1)
    await dialog.getByRole('checkbox', { name: 'contacts: read' }).waitFor()
    await page.keyboard.press('Escape')
    await press(page, 'Sync', 'Edit')
    await dialog.getByRole('checkbox', { name: 'contacts:*' }).waitFor()
    await dialog.getByRole('checkbox', { name: 'models:use' }).uncheck()
    await dialog.getByRole('button', { name: 'Save changes' }).click()
    await page.getByText('Changes saved').waitFor()
    expect((await site.keys.get(record.id))?.scopes).toEqual(['contacts:*'])
  })
})

describe('what goes wrong', () => {
  it('is told in the list, which is tried again', async () => {
    const { site, page } = await open()
    await page.getByText('No keys yet').waitFor()
    await askingItself(page, site)
    await page.route('**/?limit=50', (route) => route.abort())
    await page.reload()
    await page.getByText('The service could not be reached.').waitFor()
    await page.unroute('**/?limit=50')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('No keys yet').waitFor()
  })

  it('is told in the dialog, which stays: a key that is gone, a state that has changed, a session that ended', async () => {
    let signedIn = true
    const { site, page } = await open({ console: { authorize: () => (signedIn ? { owner: 'acct_1' } : undefined) } })
    const { record } = await site.keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['models:use'] })
    await page.reload()
    await press(page, 'Sync', 'Rotate')
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true })
    await site.keys.disable(record.id)
    await confirm.click()
    await page.getByText('no longer in a state that allows this').waitFor()
    await site.keys.remove(record.id)
    await confirm.click()
    await page.getByText('This key does not exist any more.').waitFor()
    signedIn = false
    await confirm.click()
    await page.getByText('You are signed out.').waitFor()
  })
})

it('keys in pairs and with environments are made and shown so', async () => {
  const { site, page } = await open({
    prefix: { live: 'crm_live_', test: 'crm_test_' },
    pair: true,
    sources: undefined,
  })
  await page.getByRole('button', { name: 'Create key' }).click()
  await page.getByRole('radio', { name: 'test' }).check()
  await fillForm(page, 'Nightly')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Copy', exact: true }).waitFor()
  const [key = '', secret = ''] = await page.locator('.told code').allTextContents()
  expect(key).toMatch(/^crm_test_/)
  expect((await site.keys.verify({ key, secret })).ok).toBe(true)
  await page.getByRole('button', { name: 'Use it in this browser' }).click()
  await page.getByRole('button', { name: 'Done' }).click()
  expect(await page.getByRole('tabpanel').textContent()).toContain(`X-API-Secret: ${secret}`)
})

it('the element stands in any page, in the theme and colours that it is given, as its guide has it', async () => {
  const site = await openSite()
  const { page } = await openPage(browser)
  const [markup] = blocksOf(readFileSync('docs/page.md', 'utf8')).filter(({ language }) => language === 'html')
  await page.route(`${site.url}/account`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><html lang="en"><title>Account</title><body><h1>Account</h1>${markup?.code}`,
    }),
  )
  await page.goto(`${site.url}/account`)
  const button = page.getByRole('button', { name: 'Create key' })
  await button.waitFor()
  expect(
    await button.evaluate(
      'getComputedStyle(document.querySelector("keyward-console").shadowRoot.querySelector(".primary")).backgroundColor',
    ),
  ).toBe('rgb(10, 125, 90)')
  expect(await page.evaluate('getComputedStyle(document.querySelector("keyward-console")).colorScheme')).toBe('light')
})
