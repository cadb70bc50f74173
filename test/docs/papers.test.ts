import { readFileSync } from 'node:fs'
import { bearer, header, pair } from 'keyward'
import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }

const CHANGELOG = readFileSync('CHANGELOG.md', 'utf8')
const SECURITY = readFileSync('SECURITY.md', 'utf8')

it('CHANGELOG.md begins with the version of package.json', () => {
  expect(/^## \[(.*?)\]/m.exec(CHANGELOG)?.[1]).toBe(manifest.version)
})

it('SECURITY.md names every header that carries a key by default, as loggers write it', () => {
  const sources = [bearer(), header('x-api-key'), pair('x-api-key', 'x-api-secret')]
  const headers = new Set(sources.flatMap((source) => source.headers))
  const paths = [...headers].map((name) => `req.headers${name.includes('-') ? `["${name}"]` : `.${name}`}`)
  expect(SECURITY.split('\n')).toEqual(expect.arrayContaining(paths))
})

it('SECURITY.md says how to report', () => {
  expect(SECURITY).toMatch(/private security advisory/)
})
