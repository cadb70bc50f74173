import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { examine as examined, openWithAxe } from '../support/axe.ts'
import { openBrowser } from '../support/browser.ts'
import { openSite } from './site.ts'
import { askingItself, fill, fillForm, press } from './tour.ts'

interface Look {
  readonly look: string
  readonly options: BrowserContextOptions
  /** What a look can spoil that the first one has not: all of it where it is absent. */
  readonly rules?: readonly string[]
}

const WIDE = { viewport: { width: 1280, height: 860 } }
const LOOKS: readonly Look[] = [
  { look: 'light', options: { ...WIDE, colorScheme: 'light' } },
  { look: 'dark', options: { ...WIDE, colorScheme: 'dark' }, rules: ['color-contrast'] },
  {
    look: 'narrow',
    options: { viewport: { width: 390, height: 844 } },
    rules: ['target-size', 'scrollable-region-focusable'],
  },
  { look: 'chinese', options: { ...WIDE, locale: 'zh-CN' }, rules: ['html-has-lang', 'button-name', 'label'] },
]

/** In the last two looks a dialog or a notice is like the next; all of them where the pictures are taken. */
const isBrief = (look: string) => process.env.KEYWARD_IMAGES === undefined && (look === 'narrow' || look === 'chinese')

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

describe.each(LOOKS)('in its $look look', ({ look, options, rules }) => {
  const text = (english: string, chinese: string) => (look === 'chinese' ? chinese : english)

  const examine = (page: Page, state: string) => examined(page, { state, rules, picture: `console-${state}-${look}` })

  async function open(address: string): Promise<Page> {
    const { page } = await openWithAxe(browser, options)
    await page.goto(address)
    return page
  }

  /** What is below the list is drawn last. */
  const whole = (page: Page) => page.getByRole('region', { name: text('Connect', '接入') }).waitFor()

  it('axe finds nothing wrong with the list', async () => {
    const site = await openSite()
    const page = await open(site.page)
    await page.getByRole('heading', { name: text('No keys yet', '还没有密钥') }).waitFor()
    await whole(page)
    await examine(page, 'empty')
    await fill(site)
    await page.reload()
    await page.getByRole('row', { name: 'Production sync' }).waitFor()
    await whole(page)
    await examine(page, 'list')
    await page.getByRole('searchbox').first().fill('Nothing of the kind')
    await page.keyboard.press('Enter')
    await page.getByText(text('No key matches', '没有匹配的密钥')).waitFor()
    await examine(page, 'nothing-found')
  })

  it('axe finds nothing wrong with the dialogs', async () => {
    const site = await openSite()
    await fill(site)
    const page = await open(site.page)
    const close = async () => {
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
    }
    await page.getByRole('button', { name: text('Create key', '创建密钥') }).click()
    await examine(page, 'dialog-create')
    await page.getByRole('textbox', { name: text('Allowed addresses', '允许的地址') }).fill('203.0.113.7\n10.0.0.5/8')
    await page.locator('#flaw-allowedIps').scrollIntoViewIfNeeded()
    await examine(page, 'dialog-create-typing')
    await page
      .getByRole('dialog')
      .getByRole('button', { name: text('Create', '创建'), exact: true })
      .click()
    await page.locator('#flaw-name').waitFor()
    await examine(page, 'dialog-create-flaws')
    await close()
    const dialogs = [
      ['edit', 'Edit', '编辑'],
      ['rotate', 'Rotate', '轮换'],
      ['revoke', 'Revoke', '吊销'],
      ['delete', 'Delete', '删除'],
    ] as const
    for (const [state, english, chinese] of isBrief(look) ? dialogs.slice(0, 2) : dialogs) {
      await press(page, 'Production sync', text(english, chinese))
      await page.getByRole('dialog').waitFor()
      await examine(page, `dialog-${state}`)
      await close()
    }
    await page.getByRole('button', { name: text('Create key', '创建密钥') }).click()
    await fillForm(page, 'Data warehouse')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: text('Copy', '复制'), exact: true }).waitFor()
    await examine(page, 'dialog-created')
  })

  it('axe finds nothing wrong with what is shown when something is', async () => {
    const site = await openSite()
    const page = await open(site.page)
    const notices = [
      ['failed', 503, text('could not be loaded', '无法加载密钥')],
      ['signed-out', 401, text('You are signed out', '您已退出登录')],
      ['not-allowed', 403, text('You may not see these keys', '您无权查看这些密钥')],
    ] as const
    for (const [state, status, shown] of isBrief(look) ? notices.slice(0, 1) : notices) {
      await page.unrouteAll()
      await askingItself(page, site)
      await page.route('**/?limit=50', (route) => route.fulfill({ status, json: { status, code: 'x' } }))
      await page.reload()
      await page.getByText(shown).waitFor()
      await whole(page)
      await examine(page, state)
    }
    await page.unrouteAll()
    await askingItself(page, site)
    await page.route('**/?limit=50', () => {})
    await page.reload()
    await whole(page)
    await examine(page, 'loading')
  })
})
