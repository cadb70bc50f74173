import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import manifest from '../package.json' with { type: 'json' }
import { brotliOf } from './brotli.ts'
import { shuffled, spreadOf } from './instrument.ts'
import { keep } from './program.ts'
import { machine, versions } from './report.ts'
import { type Entry, markdown, type Start, type WeightResults, weightTables } from './weight-report.ts'

// npm run bench:weight            builds, packs and installs the package, and writes bench/WEIGHT.md and bench/results/weight.json
// npm run bench:weight -- quick   a few processes, and prints only
const isQuick = process.argv.includes('quick')
const PROCESSES = isQuick ? 5 : 25

/** What a program imports that does nothing else; none is the floor: Node alone. */
const EMPTY = 'an empty module'
const STARTS: Readonly<Record<string, readonly string[]>> = {
  [EMPTY]: [],
  'keyward/express': ['keyward/express'],
  keyward: ['keyward'],
  'keyward and keyward/express': ['keyward', 'keyward/express'],
  "Node's own http, crypto and stream/promises, which keyward/express imports": [
    'node:http',
    'node:crypto',
    'node:stream/promises',
  ],
}

const before = machine()
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'keyward-weight-'))
try {
  install()
  const entries = await entriesOf()
  const starts = startsOf()
  const modules = join(folder, 'node_modules')
  const packages = readdirSync(modules).filter((name) => !name.startsWith('.'))
  const installed = Object.fromEntries(packages.map((name) => [name, sizeOf(join(modules, name))]))
  const found = { entries, starts, empty: EMPTY, installed }
  console.log(weightTables(found))
  if (!isQuick) {
    const head = {
      command: 'npm run bench:weight',
      at: new Date().toISOString(),
      machine: before,
      versions: versions(),
    }
    const results: WeightResults = { ...head, processes: PROCESSES, ...found }
    keep('weight', results, 'WEIGHT.md', markdown(results))
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** As a user does, without the optional peers: from the archive that would be published. */
function install(): void {
  const npm = (...args: readonly string[]) =>
    execFileSync('npm', [...args, '--silent'], { cwd: folder, encoding: 'utf8' })
  const packed = npm('pack', root).trim()
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  npm('install', packed, '--omit=optional', '--omit=peer', '--no-audit', '--no-fund')
}

async function entriesOf(): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for (const [name, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') continue
    const file = join(folder, 'node_modules/keyward', target.import.default)
    entries.push({ name: name.replace('.', 'keyward'), brotli: await brotliOf(file) })
  }
  return entries
}

/** All of them by turns, each in fresh processes. */
function startsOf(): readonly Start[] {
  const programs = Object.entries(STARTS).map(([name, imports], at) => {
    const file = join(folder, `program-${at}.mjs`)
    const lines = imports.map((each) => `await import('${each}')`)
    const program = ['const start = performance.now()', ...lines, 'console.log(performance.now() - start)']
    writeFileSync(file, program.join('\n'))
    return { name, file, whole: [] as number[], importing: [] as number[] }
  })
  // The first of each brings its files into memory.
  for (let round = -1; round < PROCESSES; round++) {
    for (const { file, whole, importing } of shuffled(programs)) {
      const start = performance.now()
      const told = execFileSync(process.execPath, [file], { encoding: 'utf8' })
      const took = performance.now() - start
      if (round < 0) continue
      whole.push(took)
      importing.push(Number(told))
    }
  }
  return programs.map(({ name, whole, importing }) => ({
    name,
    whole: spreadOf(whole),
    importing: spreadOf(importing),
  }))
}

/** Bytes of all files below. */
function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(path, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0)
}
