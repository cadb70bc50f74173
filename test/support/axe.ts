import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { openPage, type Watched } from './browser.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** `npm run console:images` takes the pictures anew, and holds every look against every rule. */
const FOLDER = process.env.KEYWARD_IMAGES

/** A page in which axe can be run. Scripts of a test are not the page's: they are put in past its policy. */
export async function openWithAxe(browser: Browser, options: BrowserContextOptions): Promise<Watched> {
  const watched = await openPage(browser, { ...options, bypassCSP: true })
  await watched.page.addInitScript({ content: AXE })
  return watched
}

interface Examination {
  /** What is looked at, for the report of a failure. */
  readonly state: string
  /** The name of a picture, without its ending. */
  readonly picture?: string | undefined
  /** All of axe's where it is absent. */
  readonly rules?: readonly string[] | undefined
}

/** Nothing is wrong by axe, and every control can be seen and pressed; a picture where those are wanted. */
export async function examine(page: Page, { state, picture, rules }: Examination): Promise<void> {
  if (FOLDER !== undefined && picture !== undefined) {
    const fullPage = (await page.getByRole('dialog').count()) === 0
    await page.screenshot({ path: `${FOLDER}/${picture}.png`, fullPage })
  }
  const wanted = rules === undefined || FOLDER !== undefined ? {} : { runOnly: rules }
  const run = JSON.stringify({ resultTypes: ['violations'], ...wanted })
  const found = (await page.evaluate(`axe.run(document, ${run})`)) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
  }
  const told = found.violations.map(({ id, nodes }) => [id, nodes.map((node) => [node.html, node.failureSummary])])
  expect({ state, told, hidden: await page.evaluate(HIDDEN) }).toEqual({ state, told: [], hidden: [] })
}

/** Controls that nobody can press, however the page is scrolled: they are cut off, or something lies over them. */
const HIDDEN = `(() => {
  const root = document.querySelector('keyward-console').shadowRoot
  const body = root.querySelector('.dialog-body')
  const [top, below] = [body?.scrollTop, scrollY]
  const controls = [...(root.querySelector('dialog') ?? root).querySelectorAll('button, input, select, textarea')]
  const hidden = controls.filter((control) => {
    if (control.matches('.unseen')) return false
    control.scrollIntoView({ block: 'center', inline: 'center' })
    const { x, y, width, height } = control.getBoundingClientRect()
    return !control.contains(root.elementFromPoint(x + width / 2, y + height / 2))
  })
  if (body) body.scrollTop = top
  scrollTo(0, below)
  return hidden.map((control) => control.outerHTML)
})()`
