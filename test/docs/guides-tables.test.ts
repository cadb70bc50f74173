import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { KEY_FIELDS } from '../../src/http/management/schemas.ts'
import { tableAfter } from './blocks.ts'
import { membersOf, namesIn } from './members.ts'

const [MANAGEMENT, PARTS] = ['management', 'parts'].map((name) => readFileSync(`docs/${name}.md`, 'utf8'))

describe('a table of the guides', () => {
  it.each([
    ['management', 'option', 'src/http/management/options.ts', 'ManagementOptions'],
    ['management', 'of the document', 'src/http/management/options.ts', 'DocumentOptions'],
    ['management', 'option of the log', 'src/audit/log.ts', 'AuditLogOptions'],
    ['parts', 'member', 'src/model/hasher.ts', 'Hasher'],
    ['parts', 'fact', 'src/model/request.ts', 'RequestFacts'],
  ])('of docs/%s.md that begins with "%s" has every member of %s %s', (guide, column, path, name) => {
    const members = membersOf(path, name)
    expect(members.length).toBeGreaterThan(3)
    const rows = tableAfter(readFileSync(`docs/${guide}.md`, 'utf8'), column)
    expect([...namesIn(rows)].sort()).toEqual([...members].sort())
  })

  it('docs/management.md names every field that people may set', () => {
    const named = /^`fields` are any of (.*?)\./ms.exec(MANAGEMENT ?? '')?.[1]?.match(/(?<=`)\w+(?=`)/g)
    expect([...(named ?? [])].sort()).toEqual([...KEY_FIELDS].sort())
  })

  it('docs/parts.md has a section for each part that createApiKeys takes', () => {
    expect(PARTS?.match(/^## .*$/gm)).toEqual([
      '## A source',
      '## A hasher',
      '## Ids, time and randomness',
      '## An adapter of your own',
    ])
  })
})
