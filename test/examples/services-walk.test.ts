import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'

const NAMES = ['a2agent', 'a2v2', 'agentity', 'agrenting', 'oya']
const MOST_LINES = 150
const MOST_KEY_LINES = 40

/**
 * What a newcomer's `git clone` would have, once for all walks: no file that git does not know, so nothing that was
 * built. In place of `npm ci` it has the packages of this checkout, which came by it.
 */
let clone = ''
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'keyward-clone-'))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
  for (const file of new Set(listed.toString().split('\0'))) {
    if (file !== '' && existsSync(file)) cpSync(file, join(clone, file))
  }
  symlinkSync(resolve('node_modules'), join(clone, 'node_modules'))
})
afterAll(() => rmSync(clone, { recursive: true }))

/** Servers where keys can live, as the environment says it. */
const SERVERS: Readonly<Record<string, () => Promise<{ readonly url: string; end(): Promise<void> }>>> = {
  async Redis() {
    const { url, stop } = await startRedis()
    return { url, end: stop }
  },
  async PostgreSQL() {
    const { connection, end } = await startPostgres()
    return { url: `postgres://${connection.user}@${connection.host}:${connection.port}/${connection.database}`, end }
  },
}

/** Starts `npm run example <names>` as a user does; answers of each the line for the other terminal. */
async function run(names: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<readonly string[]> {
  const { STORE_URL: _, KEYS_FILE: __, ...own } = process.env
  const env = { ...own, PORT: '0', ...more }
  const command = ['run', 'example', ...names]
  const child = spawn('npm', command, { cwd: clone, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT')
    await ended
    expect(output).toMatch(/Closed\./)
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  while (output.split('Ctrl-C stops').length <= names.length) {
    const more = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)])
    if (more === undefined) throw new Error(`it ended:\n${output}`)
  }
  return output.match(/^export .*$/gm) ?? []
}

interface Typed {
  readonly command: string
  /** What it is said to answer; `…` stands for any text. */
  readonly answer: string
}

/** The commands of a README after the one that starts it, each with the block after it. */
function walkOf(name: string): readonly [start: string, ...typed: Typed[]] {
  const blocks = blocksOf(readFileSync(join(clone, `examples/${name}/README.md`), 'utf8'))
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
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: clone })
  return stdout.split(`\n${END}\n`).slice(0, -1)
}

function pattern(answer: string): RegExp {
  const parts = answer.trim().split('…')
  return new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`, 's')
}

async function walk(name: string, line: string): Promise<void> {
  const [start, ...typed] = walkOf(name)
  expect(start).toBe(`npm ci && npm run example ${name}\n`)
  const commands = typed.map(({ command }) => command)
  const printed = await type(line, commands)
  for (const [i, { command, answer }] of typed.entries()) expect(printed[i], command).toMatch(pattern(answer))
}

describe.each(NAMES)('examples/%s', (name) => {
  it('works as its README says, typed as it stands, keys in a file', async () => {
    const [line = ''] = await run([name])
    await walk(name, line)
  }, 60_000)

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
    const allowed =
      /^(keyward(\/(express|console))?|express|jose|node:\w+|\.\/app\.ts|\.\.\/(place|sessions|upstream)\.ts)$/
    expect(imported.filter((specifier) => !allowed.test(specifier))).toEqual([])
    expect(all).not.toMatch(/\b(import|require)\(/)
  })
})

it.each(Object.entries(SERVERS))(
  'all five work as their READMEs say, beside each other, keys in %s',
  async (_, open) => {
    const { url, end } = await open()
    onTestFinished(end)
    const lines = await run(NAMES, { STORE_URL: url })
    for (const [i, name] of NAMES.entries()) await walk(name, lines[i] ?? '')
  },
  60_000,
)

it('npm run example says which there are', async () => {
  const error = await promisify(execFile)('npm', ['run', 'example', 'none']).catch((failure) => failure)
  expect(error.stderr).toContain(
    'one of a2agent, a2v2, agentity, agrenting, mcp, oya, express, fastify, fetch, hono, koa, nest, node',
  )
})
