import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'

const NAMES = ['a2agent', 'a2v2', 'agentity', 'agrenting', 'oya']
const MOST_LINES = 150
const MOST_KEY_LINES = 40

const ends: (() => Promise<void>)[] = []
afterAll(async () => void (await Promise.all(ends.map((end) => end()))))

/** Where keys can live, as the environment says it; each server is started once. */
const PLACES: Readonly<Record<string, () => Promise<string | undefined>>> = {
  'a file': async () => undefined,
  Redis: only(async () => {
    const { url, stop } = await startRedis()
    ends.push(stop)
    return url
  }),
  PostgreSQL: only(async () => {
    const { connection, end } = await startPostgres()
    ends.push(end)
    return `postgres://${connection.user}@${connection.host}:${connection.port}/${connection.database}`
  }),
}

function only<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** Starts `npm run example <name>` as a user does; answers the line for the other terminal. */
async function run(name: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = { ...process.env, PORT: '0', ...more }
  const child = spawn('npm', ['run', 'example', name], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT')
    await ended
    expect(output).toMatch(/Closed\./)
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  while (!output.includes('Ctrl-C stops')) {
    const more = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)])
    if (more === undefined) throw new Error(`it ended:\n${output}`)
  }
  return /^export .*$/m.exec(output)?.[0] ?? ''
}

interface Typed {
  readonly command: string
  /** What it is said to answer; `…` stands for any text. */
  readonly answer: string
}

/** The commands of a README after the one that starts it, each with the block after it. */
function walkOf(name: string): readonly [start: string, ...typed: Typed[]] {
  const blocks = blocksOf(readFileSync(`examples/${name}/README.md`, 'utf8'))
  const [first, ...rest] = blocks
  const commands = rest.filter(({ language }) => language === 'sh')
  expect(rest.length, 'each command has its answer').toBe(2 * commands.length)
  const typed = commands.map((block) => ({ command: block.code, answer: rest[rest.indexOf(block) + 1]?.code ?? '' }))
  return [first?.code ?? '', ...typed]
}

/** In one shell, as they stand; what each printed. */
async function type(line: string, commands: readonly string[]): Promise<readonly string[]> {
  const END = '--- end of a block ---'
  const script = [line, ...commands.map((command) => `${command}\necho; echo '${END}'`)].join('\n')
  const { stdout } = await promisify(execFile)('sh', ['-c', script])
  return stdout.split(`\n${END}\n`).slice(0, -1)
}

function pattern(answer: string): RegExp {
  const parts = answer.trim().split('…')
  return new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`, 's')
}

describe.each(NAMES)('examples/%s', (name) => {
  it.each(Object.entries(PLACES))(
    'works as its README says, typed as it stands, keys in %s',
    async (_, open) => {
      const line = await run(name, { STORE_URL: await open() })
      const [start, ...typed] = walkOf(name)
      expect(start).toBe(`npm ci && npm run example ${name}\n`)
      const printed = await type(
        line,
        typed.map(({ command }) => command),
      )
      for (const [i, { command, answer }] of typed.entries()) expect(printed[i], command).toMatch(pattern(answer))
    },
    60_000,
  )

  const source = readFileSync(`examples/${name}/app.ts`, 'utf8')

  it(`is one file of at most ${MOST_LINES} lines, of which at most ${MOST_KEY_LINES} handle keys`, () => {
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(MOST_LINES)
    const [, region = ''] = /\/\/ #region keys\n(.*)\n *\/\/ #endregion/s.exec(source) ?? []
    const lines = region.split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/\*\*)/.test(line))
    expect(lines.length).toBeGreaterThan(10)
    expect(lines.length).toBeLessThanOrEqual(MOST_KEY_LINES)
  })

  it('imports nothing of Keyward but its public entries', () => {
    const files = readdirSync(`examples/${name}`).filter((file) => file.endsWith('.ts'))
    const all = files.map((file) => readFileSync(`examples/${name}/${file}`, 'utf8')).join('\n')
    const imported = [...all.matchAll(/from '([^']+)'/g)].map(([, specifier = '']) => specifier)
    const allowed = /^(keyward(\/express)?|express|jose|node:\w+|\.\/app\.ts|\.\.\/(sessions|upstream)\.ts)$/
    expect(imported.filter((specifier) => !allowed.test(specifier))).toEqual([])
    expect(all).not.toMatch(/\b(import|require)\(/)
  })
})

it('npm run example says which there are', async () => {
  const error = await promisify(execFile)('npm', ['run', 'example', 'none']).catch((failure) => failure)
  expect(error.stderr).toContain(
    'one of a2agent, a2v2, agentity, agrenting, mcp, oya, express, fastify, fetch, hono, koa, nest, node',
  )
})
