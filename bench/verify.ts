import { fork } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'tsup'
import { dearerText, dearerThan } from './check.ts'
import type { Plan, Timings } from './instrument.ts'
import { KEYWARD } from './keyward.ts'
import type { Memory } from './memory.ts'
import { BASE } from './peers.ts'
import { machine, markdown, memoryText, type Results, rowsOf, table, versions } from './report.ts'

// npm run bench              measures everything and writes bench/RESULTS.md and bench/results/verify.json
// npm run bench -- WORD      times the variants whose names hold the word, and prints only
// npm run bench -- --check   prints only, and fails where something has become dearer than RESULTS.md says; with a WORD, too
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } })
const [word = ''] = positionals
const checks = values.check === true
const RESULTS = new URL('./RESULTS.md', import.meta.url)
const PLAN: Plan = { rounds: 15, warmUp: 5, calls: 20_000 }
const PROCESSES = 3

const folder = fileURLToPath(new URL('./results/', import.meta.url))
const before = machine()

// Timed is what ships: the sources through the compiler of the package, and no loader in between.
await build({
  config: false,
  entry: ['bench/speed.ts', 'bench/memory.ts'],
  outDir: folder,
  format: 'esm',
  target: 'node20',
  skipNodeModulesBundle: true,
  removeNodeProtocol: false,
  silent: true,
})

const runs: Timings[] = []
for (let n = 1; n <= PROCESSES; n++) {
  for (const name of Object.keys(KEYWARD).filter((each) => each.includes(word))) {
    console.error(`${n} of ${PROCESSES} processes, ${PLAN.rounds} rounds: ${name} ...`)
    runs.push(await answerOf<Timings>('speed.js', [JSON.stringify(PLAN), name]))
  }
}
const rows = rowsOf(runs, BASE)
console.log(table({ rows }))

if (checks) {
  const found = dearerThan(readFileSync(RESULTS, 'utf8'), rows)
  console.log(`\n${dearerText(found)}`)
  if (found.length > 0) process.exitCode = 1
} else if (word === '') {
  const memory = await answerOf<Memory>('memory.js', [])
  console.log(`\n${memoryText({ memory })}`)
  const results: Results = {
    command: 'npm run bench',
    at: new Date().toISOString(),
    machine: before,
    versions: versions(),
    calls: PLAN.calls,
    rounds: PLAN.rounds,
    processes: PROCESSES,
    base: BASE,
    rows,
    memory,
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}verify.json`, `${JSON.stringify(results, undefined, 2)}\n`)
  writeFileSync(RESULTS, markdown(results))
}

/** What a fresh process sends before it ends. */
function answerOf<T>(file: string, args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(folder + file, args, { execArgv: ['--expose-gc'] })
    let answer: T | undefined
    child.once('message', (message) => {
      answer = message as T
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0 && answer !== undefined) resolve(answer)
      else reject(new Error(`${file} ended with ${code}`))
    })
  })
}
