import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { dearerText, dearerThan } from './check.ts'
import type { Plan, Timings } from './instrument.ts'
import { KEYWARD } from './keyward.ts'
import type { Memory } from './memory.ts'
import { BASE } from './peers.ts'
import { answerOf, compile, keep } from './program.ts'
import {
  besides,
  besideTable,
  type Found,
  machine,
  markdown,
  memoryText,
  type Results,
  rowsOf,
  table,
  versions,
} from './report.ts'
import { PEER_PAIRS, SUITES } from './suites.ts'

// npm run bench              measures everything and writes bench/RESULTS.md and bench/results/verify.json
// npm run bench -- WORD      times the variants and suites whose names hold the word, and prints only
// npm run bench -- --check   prints only, and fails where something has become dearer than RESULTS.md says; with a WORD, too
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } })
const [word = ''] = positionals
const checks = values.check === true
const RESULTS = new URL('./RESULTS.md', import.meta.url)
const PLAN: Plan = { rounds: Number(process.env.ROUNDS ?? 15), warmUp: 5, calls: 20_000 }
const PROCESSES = Number(process.env.PROCESSES ?? 3)

const before = machine()
await compile('speed', 'memory')

const runs = await timed(Object.keys(KEYWARD))
const rows = rowsOf(runs, BASE)
if (rows.length > 0) console.log(table(rows))
const peers = besides(runs, PEER_PAIRS)
if (peers.length > 0) console.log(`\n${besideTable(peers)}`)

const suites: Record<string, Found> = {}
for (const [name, { title, pairs, processes = PROCESSES }] of checks ? [] : Object.entries(SUITES)) {
  const runs = await timed([name], Math.min(processes, PROCESSES))
  if (runs.length === 0) continue
  suites[name] = { title, rows: rowsOf(runs), besides: besides(runs, pairs) }
  console.log(`\n${title}\n\n${besideTable(suites[name].besides)}`)
}

if (checks) {
  const found = dearerThan(readFileSync(RESULTS, 'utf8'), rows)
  console.log(`\n${dearerText(found)}`)
  if (found.length > 0) process.exitCode = 1
} else if (word === '') {
  const memory = await answerOf<Memory>('memory', [])
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
    peers,
    suites,
    memory,
  }
  keep('verify', results, 'RESULTS.md', markdown(results))
}

/** Those whose names hold the word, each in several fresh processes. */
async function timed(names: readonly string[], processes = PROCESSES): Promise<readonly Timings[]> {
  const runs: Timings[] = []
  for (let n = 1; n <= processes; n++) {
    for (const name of names.filter((each) => each.includes(word))) {
      console.error(`${n} of ${processes} processes, ${PLAN.rounds} rounds: ${name} ...`)
      runs.push(await answerOf<Timings>('speed', [JSON.stringify(PLAN), name]))
    }
  }
  return runs
}
