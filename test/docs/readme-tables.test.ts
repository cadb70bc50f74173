import { readFileSync } from 'node:fs'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { WORDING } from '../../src/http/wording.ts'
import { DENIALS } from '../../src/model/verdict.ts'
import { serve } from '../support/serve.ts'
import { blocksOf, tableAfter } from './blocks.ts'

const README = readFileSync('README.md', 'utf8')
const blocks = blocksOf(README)

/** What stands in backquotes in the first cells of a table. */
function namesIn(rows: readonly (readonly string[])[]): readonly string[] {
  return rows.flatMap(([first = '']) => [...first.matchAll(/`(\w+|[\w/]+)[^`]*`/g)].map(([, name = '']) => name))
}

/** The members that an interface of a source file declares. */
function membersOf(path: string, name: string): readonly string[] {
  const body = new RegExp(`export interface ${name}\\b.*?\\{\\n(.*?)^\\}`, 'ms').exec(readFileSync(path, 'utf8'))?.[1]
  return [...(body ?? '').matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = '']) => member)
}

describe('README.md', () => {
  it('lists every code of a refusal with its status and title, in the order of DENIALS', () => {
    const rows = tableAfter(README, 'code').map(([code, status, title]) => [code, status, title])
    const codes = Object.keys(DENIALS) as (keyof typeof DENIALS)[]
    expect(rows).toEqual(codes.map((code) => [`\`${code}\``, String(DENIALS[code]), WORDING[code].title]))
  })

  it('lists every option', () => {
    const options = membersOf('src/options.ts', 'ApiKeysOptions')
    expect(options.length).toBeGreaterThan(10)
    expect([...namesIn(tableAfter(README, 'option'))].sort()).toEqual([...options].sort())
  })

  it('lists every field of a demand', () => {
    const fields = membersOf('src/model/demand.ts', 'Demand')
    expect(fields.length).toBeGreaterThan(5)
    expect([...namesIn(tableAfter(README, 'field'))].sort()).toEqual([...fields].sort())
  })

  it('lists every verb', () => {
    const verbs = membersOf('src/api-keys.ts', 'ApiKeys')
    expect(verbs.length).toBeGreaterThan(10)
    expect([...namesIn(tableAfter(README, 'verb'))].sort()).toEqual([...verbs].sort())
  })

  it('lists every entry of the package', () => {
    const entries = Object.keys(manifest.exports).filter((name) => name !== './package.json')
    const names = tableAfter(README, 'import').map(([first = '']) => first.replaceAll('`', ''))
    expect(names).toEqual(entries.map((name) => name.replace('.', 'keyward')))
  })

  it('lists every type of event', () => {
    const types = readFileSync('src/events.ts', 'utf8').match(/(?<=channel\('keyward:)\w+/g)
    expect(/^Types: (.*?)\./ms.exec(README)?.[1]?.match(/\w+/g)).toEqual(types)
  })

  it('has no link to a heading that is not there', () => {
    const anchors = [...README.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    const links = [...README.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor)
    expect(links.filter((link) => !anchors.includes(link ?? ''))).toEqual([])
  })

  it('shows a key that is well formed', async () => {
    const [shown = ''] = README.match(/^agk_live_\w+$/m) ?? []
    const { steps } = await createApiKeys({ prefix: 'agk_live_' }).explain(shown)
    expect(steps).toContainEqual(expect.objectContaining({ step: 'shape', ok: true }))
  })

  it('shows an answer as it is', async () => {
    const shown = blocks.find(({ note }) => note?.name === 'answer')
    const keys = createApiKeys({ prefix: 'agk_live_', trustedProxies: [] })
    const { key } = await keys.create({ owner: 'acct_1' })
    const ask = guard(keys, { scopes: ['contacts:delete'] })
    const { url } = await serve((req, res) => ask(req, res, () => res.end()))
    const answer = await fetch(url, { headers: { 'x-api-key': key } })
    const body: unknown = await answer.json()
    expect(body).toEqual({ ...JSON.parse(shown?.code ?? ''), request_id: expect.stringMatching(/^req_[0-9a-f]{32}$/) })
  })
})
