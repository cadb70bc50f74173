import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Block, blocksOf } from './blocks.ts'
import { complete } from './preludes.ts'
import { createProject, LONGEST_CHECK } from './project.ts'

const RECIPES = readFileSync('docs/recipes.md', 'utf8')
const blocks = blocksOf(RECIPES)
const programs = blocks.filter(({ language }) => language === 'ts')
const project = createProject()
const fileOf = (block: Block) => `recipe-${blocks.indexOf(block)}.ts`

beforeAll(() => {
  for (const block of programs) {
    project.write(fileOf(block), complete(block.code, block.note?.name === 'with' ? block.note.values : []))
  }
})

afterAll(() => project.remove())

describe('docs/recipes.md', () => {
  it('has no block that nobody checks', () => {
    const others = blocks.filter((block) => block.language !== 'ts' && block.note?.name !== 'output')
    expect(others.map(({ place }) => place)).toEqual([])
    expect(RECIPES.match(/^```/gm)).toHaveLength(blocks.length * 2)
  })

  it.each(['secret-scanning', 'most-keys', 'metrics'])('shows examples/%s.ts as it is', (name) => {
    expect(blocks.map(({ code }) => code)).toContain(readFileSync(`examples/${name}.ts`, 'utf8'))
  })

  it(
    'has programs that compile',
    async () => {
      expect(programs).not.toEqual([])
      expect(await project.typecheck()).toBe('')
    },
    LONGEST_CHECK,
  )
})

describe('a program of docs/recipes.md prints what it says:', () => {
  it.concurrent.each(programs)(
    '$place',
    async (block) => {
      const printed = await project.run(fileOf(block))
      const promised = [...block.code.matchAll(/console\.log\(.*\)+ \/\/ (.*)$/gm)].map(([, promise]) => `${promise}\n`)
      const output = blocks[blocks.indexOf(block) + 1]
      expect(printed).toBe(output?.note?.name === 'output' ? output.code : promised.join(''))
    },
    60_000,
  )
})
