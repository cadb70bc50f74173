import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage, type Watched } from '../support/browser.ts'
import { openSite, type Site } from './site.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

/** A way to use the page: a hand on the mouse, or none. */
interface Hand {
  press(what: Locator): Promise<void>
  write(where: Locator, text: string): Promise<void>
  tick(box: Locator): Promise<void>
  choose(list: Locator, option: string): Promise<void>
}

/** An element, as far as it is asked in the browser who has the focus. */
interface Rooted {
  getRootNode(): { readonly activeElement: unknown }
}

const mouse: Hand = {
  press: (what) => what.click(),
  write: (where, text) => where.fill(text),
  tick: (box) => box.click(),
  choose: async (list, option) => void (await list.selectOption({ label: option })),
}

/** Nothing but keys that people have: Tab until it has the focus, then Enter, Space or letters. */
function keyboard(page: Page): Hand {
  async function reach(goal: Locator): Promise<void> {
    await goal.waitFor()
    for (let i = 0; i < 80; i++) {
      if (await goal.evaluate((it) => (it as Rooted).getRootNode().activeElement === it)) return
      await page.keyboard.press('Tab')
    }
    throw new Error(`Tab never came to ${goal}`)
  }
  return {
    async press(what) {
      await reach(what)
      await page.keyboard.press('Enter')
    },
    async write(where, text) {
      await reach(where)
      await page.keyboard.press('Control+A')
      await page.keyboard.type(text)
    },
    async tick(box) {
      await reach(box)
      await page.keyboard.press('Space')
    },
    async choose(list, option) {
      await reach(list)
      await page.keyboard.type(option)
    },
  }
}

const WAYS = [
  { framework: 'Express', by: 'mouse' },
  { framework: 'Express', by: 'keyboard' },
  { framework: 'Fastify', by: 'mouse' },
  { framework: 'Fastify', by: 'keyboard' },
] as const

describe.each(WAYS)('on $framework by $by', ({ framework, by }) => {
  async function open(): Promise<{ site: Site; hand: Hand; watched: Watched }> {
    const site = await openSite(framework)
    const watched = await openPage(browser)
    await watched.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await watched.page.goto(site.page)
    return { site, watched, hand: by === 'mouse' ? mouse : keyboard(watched.page) }
  }

  it('a key is created, edited, rotated, disabled, enabled, revoked and deleted', async () => {
    const { site, hand, watched } = await open()
    const { page, messages, requests } = watched
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    const dialog = page.getByRole('dialog')
    const row = page.getByRole('row', { name: /sync/ })
    const toast = (text: string) => page.getByRole('status').getByText(text, { exact: true }).waitFor()

    await hand.press(button('Create key'))
    await hand.write(dialog.getByRole('textbox', { name: 'Name' }), 'Nightly sync')
    await hand.tick(dialog.getByRole('checkbox', { name: 'contacts: read' }))
    await hand.choose(dialog.getByRole('combobox', { name: 'Expires' }), 'In 90 days')
    await hand.write(dialog.getByRole('textbox', { name: 'Minute' }), '30')
    await hand.write(dialog.getByRole('textbox', { name: 'Allowed addresses' }), '203.0.113.0/24')
    await hand.write(dialog.getByRole('textbox', { name: 'Resource' }), 'agent:42')
    await page.keyboard.press('Enter')
    await hand.press(button('Copy'))
    await dialog.getByText('Copied').waitFor()
    const key = await copied(page)
    await hand.press(button('Done'))
    await dialog.waitFor({ state: 'detached' })

    const [record] = (await site.keys.list({ owner: 'acct_1' })).items
    expect(record).toMatchObject({
      name: 'Nightly sync',
      scopes: ['contacts:read'],
      limits: { minute: 30 },
      allowedIps: ['203.0.113.0/24'],
      resource: 'agent:42',
    })
    const inDays = (Date.parse(record?.expiresAt ?? '') - Date.now()) / 86_400_000
    expect(inDays).toBeCloseTo(90, 1)
    const from = { key, address: '203.0.113.7' }
    const demand = { resource: 'agent:42' }
    expect((await site.keys.verify(from, demand)).ok).toBe(true)

    await hand.press(row.getByRole('button', { name: 'Edit' }))
    await hand.write(dialog.getByRole('textbox', { name: 'Name' }), 'Hourly sync')
    await hand.tick(dialog.getByRole('checkbox', { name: 'contacts: update' }))
    await hand.press(button('Save changes'))
    await toast('Changes saved')
    await row.getByText('Hourly sync').waitFor()
    await row.getByText('contacts:update').waitFor()

    await hand.press(row.getByRole('button', { name: 'Rotate' }))
    await hand.choose(dialog.getByRole('combobox', { name: 'The old secret' }), 'For one hour')
    await hand.press(dialog.getByRole('button', { name: 'Rotate' }))
    await hand.press(button('Copy'))
    await dialog.getByText('Copied').waitFor()
    const rotated = await copied(page)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(rotated).not.toBe(key)
    expect((await site.keys.verify({ ...from, key: rotated }, demand)).ok).toBe(true)
    expect((await site.keys.verify(from, demand)).ok).toBe(true)
    await row.getByText('The replaced secret works until').waitFor()

    await hand.press(row.getByRole('button', { name: 'Disable' }))
    await row.getByText('Disabled').waitFor()
    expect(await site.keys.verify({ ...from, key: rotated }, demand)).toMatchObject({ code: 'disabled' })
    await hand.press(row.getByRole('button', { name: 'Enable' }))
    await row.getByText('Active').waitFor()

    await hand.press(row.getByRole('button', { name: 'Revoke' }))
    await hand.write(dialog.getByRole('textbox', { name: 'Reason' }), 'Left in a log')
    await hand.press(dialog.getByRole('button', { name: 'Revoke' }))
    await row.getByText('Left in a log').waitFor()
    expect(await site.keys.verify({ ...from, key: rotated }, demand)).toMatchObject({ code: 'revoked' })

    await hand.press(row.getByRole('button', { name: 'Delete' }))
    await hand.press(dialog.getByRole('button', { name: 'Delete' }))
    await page.getByText('No keys yet').waitFor()
    expect((await site.keys.list({ owner: 'acct_1' })).items).toEqual([])

    expect(messages).toEqual([])
    expect(requests.filter((url) => !url.startsWith(`${site.url}/settings/keys`))).toEqual([])
  })
})

function copied(page: Page): Promise<string> {
  return page.evaluate('navigator.clipboard.readText()')
}
