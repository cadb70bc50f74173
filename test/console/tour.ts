import type { Page } from 'playwright-core'
import type { Site } from './site.ts'

/** Keys in every state, with every kind of setting; the clock stands at the time of the pictures. */
export async function fill({ keys }: Site): Promise<void> {
  const owner = 'acct_1'
  const in90Days = new Date(Date.now() + 90 * 86_400_000)
  const old = await keys.create({ owner, name: 'Legacy importer', scopes: ['contacts:create'] })
  await keys.revoke(old.record.id, { reason: 'Found in a public repository' })
  const paused = await keys.create({ owner, name: 'Nightly report', scopes: ['contacts:read'], limits: { day: 500 } })
  await keys.disable(paused.record.id)
  const bound = { resource: 'agent:42', allowedIps: ['203.0.113.0/24'], credits: { remaining: 12_500 } }
  await keys.create({ owner, name: 'Support agent', scopes: ['models:use', 'contacts:read'], ...bound })
  const sync = await keys.create({
    owner,
    name: 'Production sync',
    description: 'Keeps the CRM and the data warehouse in step.',
    scopes: ['contacts:*', 'document-extraction:create', 'document-extraction:read', 'models:list', 'models:use'],
    limits: { minute: 500, hour: 10_000 },
    expiresAt: in90Days,
  })
  for (let i = 0; i < 128; i++) await keys.verify(sync.key)
  await keys.flush()
}

/** Has the document bring nothing along, as where the store or `may` is slow: then the page asks by itself. */
export async function askingItself(page: Page, { page: address }: Site): Promise<void> {
  await page.route(address, async (route) => {
    if (route.request().method() !== 'GET') return route.fallback()
    const response = await route.fetch()
    const { 'content-encoding': _, 'content-length': __, ...headers } = response.headers()
    const body = (await response.text()).replace(/(?<=<script type="application\/json">).*?(?=<\/script>)/s, '{}')
    await route.fulfill({ status: response.status(), headers, body })
  })
}

/** Presses a button of the key of this name. */
export async function press(page: Page, name: string, button: string): Promise<void> {
  await page.getByRole('row', { name }).getByRole('button', { name: button, exact: true }).click()
}

/** Fills in as much of the form as a key needs. */
export async function fillForm(page: Page, name: string): Promise<void> {
  await page.getByRole('dialog').getByRole('textbox').first().fill(name)
  await page.getByRole('checkbox', { name: /models.+use/ }).check()
}
