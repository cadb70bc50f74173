import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'
import { KNOWN } from './known.ts'
import type { Outcome } from './outcome.ts'

// npm run runtimes                    the whole core suite on every runtime
// npm run runtimes -- node24 bun      on some

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = `${root}runtimes/node_modules`
const results = `${root}runtimes/dist`

/** How a runtime runs a program. */
const RUNTIMES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  node: [process.execPath],
  node22: [`${modules}/node22/bin/node`],
  node24: [`${modules}/node24/bin/node`],
  node26: [`${modules}/node26/bin/node`],
  bun: [`${modules}/bun/bin/bun`],
  deno: [`${modules}/deno/deno`, 'run', '--allow-all'],
}

/** What is about the checkout, a browser or another package's own tree, not about a runtime. */
const ELSEWHERE = ['console', 'docs', 'drills', 'examples', 'nest', 'package', 'runtimes', 'support', 'types']
const SUITE = readdirSync(`${root}test`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !ELSEWHERE.includes(entry.name))
  .map(({ name }) => `test/${name}/`)

/** So often is a file run again whose process ended before all of its tests had their turn: Deno 2.9's nghttp2 aborts. */
const TRIES = 5

interface Tests {
  readonly passed: number
  /** Those of `known.ts`. */
  readonly known: readonly string[]
  readonly failed: readonly string[]
}

const asked = process.argv.slice(2)
const names = asked.length > 0 ? asked : [...Object.keys(RUNTIMES), 'workerd']
mkdirSync(results, { recursive: true })
let failures = 0
const rows: string[] = []
for (const name of names) {
  const isWorker = name === 'workerd'
  const command = isWorker ? RUNTIMES.node : RUNTIMES[name]
  if (command === undefined) throw new Error(`${name} is none of ${Object.keys(RUNTIMES).join(', ')}, workerd`)
  const promises = isWorker ? undefined : await ownServer(command)
  const tests = suite(name, command, isWorker ? ['test/runtimes/workerd'] : SUITE)
  for (const told of [...(promises?.failed ?? []), ...tests.failed]) console.log(`${name}: FAILED ${told}`)
  for (const told of tests.known) console.log(`${name}: known ${told}`)
  failures += (promises?.failed.length ?? 0) + tests.failed.length
  const row = [
    name,
    versionOf(name, command),
    promises?.passed ?? '',
    tests.passed,
    tests.known.length,
    tests.failed.length,
  ]
  rows.push(`| ${row.join(' | ')} |`)
}
console.log('\n| runtime | version | promises on its own server | tests passed | known differences | failed |')
console.log(['|---|---|--:|--:|--:|--:|', ...rows].join('\n'))
process.exitCode = failures === 0 ? 0 : 1

/** What `keyward/testing` asks of guards and stores, on the runtime's own server. */
async function ownServer([program, ...args]: readonly [string, ...string[]]): Promise<Outcome> {
  const told = execFileSync(program, [...args, await bundle('own-server')], { encoding: 'utf8', cwd: root })
  const { guards, stores } = JSON.parse(told) as { guards: Outcome; stores: Outcome }
  return { passed: guards.passed + stores.passed, failed: [...guards.failed, ...stores.failed] }
}

/** The tests by Vitest, which itself and whose workers run on the runtime. */
function suite(name: string, command: readonly [string, ...string[]], filters: readonly string[]): Tests {
  const files = new Map(reportOf(name, command, filters).map((file) => [file.name, file]))
  for (let tries = 0; tries < TRIES; tries++) {
    const broken = [...files.values()].filter((file) => unrunIn(file) > 0).map((file) => pathOf(file))
    if (broken.length === 0) break
    for (const path of broken) console.log(`${name}: the runtime ended in the middle of ${path}, which is run again`)
    for (const file of reportOf(name, command, broken)) files.set(file.name, file)
  }
  return testsOf(name, [...files.values()])
}

function reportOf(
  name: string,
  [program, ...args]: readonly [string, ...string[]],
  filters: readonly string[],
): readonly TestFile[] {
  const file = `${results}/${name}.json`
  rmSync(file, { force: true })
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`]
  // Each file in a process of its own, as a runtime that is no Node has it easiest.
  const how = ['run', '--project', 'unit*', '--isolate']
  const vitest = [...args, 'node_modules/vitest/vitest.mjs', ...how, ...reporters, ...filters]
  spawnSync(program, vitest, { cwd: root, stdio: ['ignore', 'ignore', 'ignore'] })
  return (JSON.parse(readFileSync(file, 'utf8')) as { testResults: readonly TestFile[] }).testResults
}

interface TestFile {
  readonly name: string
  readonly status: string
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
}

function pathOf({ name }: TestFile): string {
  return name.slice(root.length)
}

/** How many tests had not had their turn when the process of their file ended. */
function unrunIn({ assertionResults }: TestFile): number {
  return assertionResults.filter(({ status }) => status === 'pending').length
}

function testsOf(name: string, files: readonly TestFile[]): Tests {
  const bad = files.flatMap((file) => {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed')
    // A file that does not load has failed without any test in it having failed.
    if (failed.length === 0 && file.status === 'failed') return [`${pathOf(file)} as a whole`]
    const unrun = unrunIn(file)
    const ended = unrun === 0 ? [] : [`${pathOf(file)}: ${unrun} tests did not run`]
    return [...failed.map(({ fullName }) => `${pathOf(file)} ${fullName}`), ...ended]
  })
  const whyOf = (test: string) => KNOWN[name]?.find((known) => known.test.test(test))?.why
  const passed = files.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === 'passed'))
  return {
    passed: passed.length,
    known: bad.flatMap((test) => (whyOf(test) === undefined ? [] : [`${test}: ${whyOf(test)}`])),
    failed: bad.filter((test) => whyOf(test) === undefined),
  }
}

function versionOf(name: string, [program]: readonly [string, ...string[]]): string {
  if (name === 'workerd') {
    const { version } = JSON.parse(readFileSync(`${root}node_modules/workerd/package.json`, 'utf8')) as {
      version: string
    }
    return version
  }
  const told = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return told.match(/\d+\.\d+\.\d+/)?.[0] ?? told
}
