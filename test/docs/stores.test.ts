import { readFileSync } from 'node:fs'
import { memoryStore } from 'keyward'
import { storeChecks } from 'keyward/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { type Block, blocksOf, tableAfter } from './blocks.ts'
import { createProject, LONGEST_CHECK } from './project.ts'

const GUIDE = readFileSync('docs/stores.md', 'utf8')
const blocks = blocksOf(GUIDE)
const project = createProject()

afterAll(() => project.remove())

/** What a sketch takes for granted: the driver's collection as it is used, or the numbers of a take. */
const PRELUDES: Readonly<Record<string, string>> = {
  store: `import type { KeyStore } from 'keyward'
declare function myStore(): KeyStore`,
  mongo: `import { type KeyStore, KeywardError, type StoredKey } from 'keyward'
type Row = { _id: string; createdAt: number; data: string; uses?: number; lastUsedAt?: number }
interface Cursor { sort(by: object): Cursor; limit(most: number): Cursor; toArray(): Promise<Row[]> }
declare const keys: {
  createIndex(fields: object, options?: object): Promise<string>
  findOne(filter: object): Promise<Row | null>
  insertOne(row: object): Promise<object>
  updateOne(filter: object, change: object): Promise<{ matchedCount: number }>
  deleteOne(filter: object): Promise<{ deletedCount: number }>
  find(filter: object): Cursor
  bulkWrite(changes: readonly object[], options: object): Promise<object>
  findOneAndUpdate(filter: object, pipeline: readonly object[], options: object): Promise<Row | null>
}`,
  take: 'declare const store: KeyStore',
  dynamo: `declare const [id, version]: [string, number]
declare const seen: { revision: number }
declare const decided: { counters: unknown }`,
}

function fileOf({ code, note }: Block): string {
  const names = note?.values ?? []
  const isTake = names.includes('take')
  const body = isTake
    ? `export async function take(id: string, version: number, cost: number, limit: number, ms: number) {\n${code}\nreturn after\n}`
    : code
  return `${names.map((name) => PRELUDES[name] ?? '').join('\n')}\n${body}\nexport {}\n`
}

describe('docs/stores.md', () => {
  it(
    'has sketches that compile, and no block besides',
    async () => {
      expect(GUIDE.match(/^```/gm)).toHaveLength(blocks.length * 2)
      for (const [i, block] of blocks.entries()) {
        expect(['with', 'whole'], block.place).toContain(block.note?.name)
        project.write(`sketch-${i}.ts`, fileOf(block))
      }
      expect(await project.typecheck()).toBe('')
    },
    LONGEST_CHECK,
  )

  it(
    'has a whole one, which keeps what it promises',
    async () => {
      const [whole, ...others] = blocks.filter(({ note }) => note?.name === 'whole')
      expect(others).toEqual([])
      project.write('whole.ts', whole?.code ?? '')
      const printed = await project.run('whole.ts')
      expect(printed).toMatch(/^\S* fail 0$/m)
      expect(printed).toMatch(/^\S* pass [1-9]\d+$/m)
    },
    LONGEST_CHECK,
  )

  it('names every verb of a store', () => {
    const rows = [...tableAfter(GUIDE, 'verb | what it promises'), ...tableAfter(GUIDE, 'verb | without it')]
    const named = rows.flatMap(([verb = '']) => [...verb.matchAll(/`(\w+)\(/g)].map(([, name]) => name))
    const verbs = Object.keys(memoryStore()).filter((verb) => verb !== 'close')
    expect([...named].sort()).toEqual([...new Set([...verbs, 'watch'])].sort())
    expect(storeChecks(() => memoryStore()).length).toBeGreaterThan(named.length)
  })
})
