import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { freePort } from '../support/free-port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { type Block, blocksOf } from './blocks.ts'
import { complete, PRELUDES } from './preludes.ts'
import { createProject, LONGEST_CHECK } from './project.ts'

/** The README, and the guides that hold what is too long for it. */
const PAPERS = [
  'README.md',
  // Two have tests of their own.
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md') && name !== 'recipes.md' && name !== 'stores.md')
    .map((name) => `docs/${name}`),
]
const texts = PAPERS.map((path) => readFileSync(path, 'utf8'))
const blocks = texts.flatMap((text, paper) =>
  blocksOf(text).map((block) => ({ ...block, place: `${PAPERS[paper]} ${block.place}` })),
)
const programs = blocks.filter(({ language }) => language === 'ts')
const commands = blocks.filter(({ language }) => language === 'sh')
const project = createProject()

const sh = promisify(execFile)
const fileOf = (block: Block) => `block-${blocks.indexOf(block)}.ts`
/** On a port that readers see: until it is stopped. One that listens on any free port ends by itself. */
const listens = ({ code }: Block) => code.includes('.listen(3000')

const asksServer = ({ code }: Block) => code.includes('REDIS_URL')

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
  process.env.REDIS_URL = redis.url
  // In place of the one that readers see.
  const port = await freePort()
  for (const block of programs) {
    const names = block.note?.name === 'with' ? block.note.values : []
    project.write(fileOf(block), complete(block.code, names).replaceAll('3000', String(port)))
  }
})

afterAll(async () => {
  project.remove()
  await redis.stop()
})

describe('README.md with its guides', () => {
  it('has no block that nobody checks', () => {
    // What is HTML, a browser shows: test/console/states.test.ts.
    const checked = ['ts', 'sh', 'json', 'html', '']
    expect(blocks.filter(({ language }) => !checked.includes(language)).map(({ place }) => place)).toEqual([])
    expect(texts.join('\n').match(/^```/gm)).toHaveLength(blocks.length * 2)
  })

  it('begins with a program of at most 8 lines', () => {
    expect(blocks[0]?.language).toBe('ts')
    expect(blocks[0]?.code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(8)
  })

  it('shows the lines that its samples go on from', () => {
    const shown = blocks.filter(({ note }) => note?.name === 'preludes')
    expect(shown).toHaveLength(1)
    for (const { code, note } of shown) {
      for (const name of note?.values ?? []) {
        for (const line of PRELUDES[name]?.split('\n') ?? [`no prelude ${name}`])
          expect(code.split('\n')).toContain(line)
      }
    }
  })

  it(
    'has programs that compile',
    async () => {
      expect(await project.typecheck()).toBe('')
    },
    LONGEST_CHECK,
  )
})

describe('a program of README.md and its guides prints what it says:', () => {
  const ended = programs.filter((block) => !listens(block))
  it.concurrent.each(ended.filter((block) => !asksServer(block)))('$place', shows, 60_000)
  // By itself, and again: a store has 250 ms to answer, which beside all the others it may not have.
  it.each(ended.filter(asksServer))('$place', { timeout: 60_000, retry: 2 }, shows)
})

async function shows(block: Block): Promise<void> {
  const printed = await project.run(fileOf(block))
  expectLines(printed, promisesOf(block))
  const output = blocks[blocks.indexOf(block) + 1]
  if (output?.note?.name === 'output') expect(printed).toBe(output.code)
}

/** What its comments say that its `console.log` prints: `console.log(key) // acme_…`. */
function promisesOf({ code }: Block): readonly string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, promise = '']) => promise)
}

/** Each promise is a line, in this order; `…` stands for any text. */
function expectLines(printed: string, promises: readonly string[]): void {
  const lines = printed.split('\n')
  for (const promise of promises) {
    const pattern = new RegExp(`^${promise.split('…').map(escapeText).join('.+')}$`)
    const found = lines.findIndex((line) => pattern.test(line))
    expect(found, `${promise} in:\n${printed}`).toBeGreaterThanOrEqual(0)
    lines.splice(0, found + 1)
  }
}

function escapeText(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

describe('the first program of README.md', () => {
  const [first] = programs as [Block]

  it('prints a line of curl that works as it stands', async () => {
    await project.runUntilLine(fileOf(first), async (line) => {
      expect(line).toMatch(/^curl /)
      const { stdout } = await sh('sh', ['-c', line])
      expect(stdout).toBe('{"owner":"acct_1"}')
    })
  }, 60_000)

  it('is the only one that serves until it is stopped', () => {
    expect(programs.filter(listens)).toEqual([first])
  })
})

describe('a command of README.md and its guides', () => {
  const lines = commands.flatMap(({ code }) => code.trim().split(/\n|&&/)).map((line) => line.trim())
  const packages = [manifest.name, ...Object.keys(manifest.peerDependencies)]

  it('of the first two installs, and then starts the quickstart or all tests', () => {
    expect(commands.slice(0, 2).map(({ code }) => code)).toEqual([
      'npm ci && npm run quickstart\n',
      'npm ci && npm test\n',
    ])
    expect(manifest.scripts).toMatchObject({ quickstart: 'tsx examples/quickstart/server.ts', test: 'vitest run' })
  })

  it.each(lines)('exists: %s', async (line) => {
    const [program, verb = '', ...rest] = line.split(' ')
    if (program === 'openssl') expect((await sh('sh', ['-c', line])).stdout).toMatch(/^[0-9a-f]{64}\n$/)
    else if (program === 'npx' && verb === 'tsx') expect(rest.map((file) => existsSync(file))).toEqual([true])
    else if (verb === 'run') expect(Object.keys(manifest.scripts)).toContain(rest[0])
    else if (verb === 'install') expect(packages).toEqual(expect.arrayContaining(rest))
    else expect(['npm ci', 'npm test']).toContain(line)
  })
})
