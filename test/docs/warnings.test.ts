import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tableAfter } from './blocks.ts'

const sources = ['src', 'adapters'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(folder, path), 'utf8')),
)
const given = new Set(sources.flatMap((text) => text.match(/(?<=')KEYWARD_[A-Z_]+(?=')/g) ?? []))
const rows = tableAfter(readFileSync('docs/troubleshooting.md', 'utf8'), 'warning')
const listed = rows.map(([code = '']) => code.replaceAll('`', ''))

it('docs/troubleshooting.md lists every warning, each once, in the order of the alphabet', () => {
  expect(given.size).toBeGreaterThan(15)
  expect([...given].filter((code) => !listed.includes(code))).toEqual([])
  expect(listed.filter((code) => !given.has(code))).toEqual([])
  expect(listed).toEqual([...new Set(listed)].sort())
})

it('docs/troubleshooting.md says what causes each warning, and what mends it', () => {
  expect(rows.filter((cells) => cells.length !== 3 || cells.includes(''))).toEqual([])
})
