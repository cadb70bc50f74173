import { readdirSync, readFileSync } from 'node:fs'
import { createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { WORDING } from '../../src/http/wording.ts'
import { DENIALS } from '../../src/model/verdict.ts'
import { failure } from '../support/outcome.ts'
import { serve } from '../support/serve.ts'
import { blocksOf, tableAfter } from './blocks.ts'
import { membersOf, namesIn } from './members.ts'

const GUIDES = readdirSync('docs').filter((name) => name.endsWith('.md'))
/** The README first: of a table that a guide has too, the README's counts. */
const README = ['README.md', ...GUIDES.map((name) => `docs/${name}`)]
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n')
const blocks = blocksOf(README)

describe('README.md with its guides', () => {
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

  it('lists every field that create and update take, and says which update takes', () => {
    const rows = tableAfter(README, 'of a key')
    const [creates, patches] = ['CreateInput', 'UpdatePatch'].map((name) => membersOf('src/manage/arguments.ts', name))
    expect(creates?.length).toBeGreaterThan(8)
    expect([...namesIn(rows)].sort()).toEqual([...new Set([...(creates ?? []), ...(patches ?? [])])].sort())
    const changed = rows.filter(([, , , change]) => change !== 'no')
    expect([...namesIn(changed)].sort()).toEqual([...(patches ?? [])].sort())
  })

  it('lists every condition of list', () => {
    const conditions = membersOf('src/manage/arguments.ts', 'ListOptions')
    expect(conditions.length).toBeGreaterThan(3)
    // Beside those of every verb.
    expect([...namesIn(tableAfter(README, 'of `list`'))].sort()).toEqual(['owner', 'resource', ...conditions].sort())
  })

  it('says how long and how many the fields of a key may be, as create has it', async () => {
    const numbers = Object.fromEntries(
      tableAfter(README, 'of a key').map(([field = '', what = '']) => [
        field.replaceAll('`', ''),
        (what.match(/\d[\d,]*/g) ?? []).map((number) => Number(number.replaceAll(',', ''))),
      ]),
    )
    const letters = (field: string, more: number) => 'n'.repeat((numbers[field]?.at(-1) ?? 0) + more)
    const list = <T>(field: string, more: number, item: (n: number) => T) =>
      Array.from({ length: (field === 'allowedIps' ? numbers[field]?.at(-1) : numbers[field]?.[0]) ?? 0 }, (_, n) => n)
        .concat(Array.from({ length: more }, (_, n) => 5000 + n))
        .map(item)
    const scope = (length: number) => (n: number) => `${n}:`.padEnd(length, 's')
    const fields = (more: number) => ({
      owner: letters('owner', more),
      name: letters('name', more),
      description: letters('description', more),
      resource: letters('resource', more),
      scopes: list('scopes', more, scope(numbers.scopes?.[1] ?? 0)),
      limits: list('limits', more, (n) => ({ name: `w${n}`, limit: 0, window: '366d' as const })),
      allowedIps: list('allowedIps', more, (n) => `10.0.${n >> 8}.${n & 255}`),
      metadata: { text: 'm'.repeat((numbers.metadata?.[0] ?? 0) * 1024 - '{"text":""}'.length + more) },
    })
    const keys = createApiKeys({ prefix: 'agk_live_' })
    const { limits, ...shown } = fields(0)
    const { record } = await keys.create({ ...shown, limits })
    expect(record).toMatchObject(shown)
    expect(Object.keys(record.limits)).toEqual(limits.map(({ name }) => name))
    const tooMuch = { ...fields(1), expiresAt: Date.UTC(2030, 0) }
    for (const [field, value] of Object.entries(tooMuch)) {
      const error = await failure(() => keys.create({ owner: 'acct_1', [field]: value }))
      expect(error, field).toMatchObject({ code: 'INPUT', issues: [{ path: field }] })
    }
    const longer = [scope((numbers.scopes?.[1] ?? 0) + 1)(0)]
    expect(await failure(() => keys.create({ owner: 'acct_1', scopes: longer }))).toMatchObject({ code: 'INPUT' })
  })

  it('lists everything that a denial tells', () => {
    const members = membersOf('src/model/verdict.ts', 'Denied').filter((member) => member !== 'ok')
    expect(members.length).toBeGreaterThan(4)
    expect([...namesIn(tableAfter(README, 'of a denial'))].sort()).toEqual([...members].sort())
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
