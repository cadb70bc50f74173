import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { onTestFinished, vi } from 'vitest'

// A browser beside many other tests on few processors is slow; nothing here is about time.
vi.setConfig({ testTimeout: 60_000 })
const PATIENCE = 15_000

export { openBrowser } from './chromium.ts'

/** A page and everything that it did which nobody may miss. */
export interface Watched {
  readonly page: Page
  readonly context: BrowserContext
  /** What the console was told, errors of scripts, and violations of the policy. */
  readonly messages: string[]
  /** Where requests went. */
  readonly requests: string[]
}

/** A page of its own, until the test ends: nothing of another test is in its storage. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  const messages: string[] = []
  const requests: string[] = []
  page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => messages.push(`error: ${error.message}`))
  page.on('request', (request) => requests.push(request.url()))
  await page.exposeFunction('tellViolation', (text: string) => messages.push(`violation: ${text}`))
  await page.addInitScript(`addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
    tellViolation([violatedDirective, blockedURI, sample].join(' ')))`)
  return { page, context, messages, requests }
}
