import { BARE } from './http-apps.ts'
import { type Spread, spreadOf } from './instrument.ts'
import type { Run } from './report.ts'

/** One moment of a variant. */
export interface Measured {
  readonly framework: string
  readonly name: string
  /** Of one variant and bare, by turns. */
  readonly round: number
  /** Microseconds of the server's CPU a request. */
  readonly cpu: number
  /** Requests a second. */
  readonly rate: number
}

/** Everything that a run found, as it is written to JSON. */
export interface Results extends Run {
  readonly passes: number
  readonly rounds: number
  readonly connections: number
  readonly warmUp: number
  readonly requests: number
  readonly measured: readonly Measured[]
}

export interface Row {
  readonly name: string
  readonly cpu: Spread
  /** Multiples of bare, taken round by round. */
  readonly ratio: Spread
  readonly rate: Spread
}

export function rowsOf(measured: readonly Measured[], framework: string): readonly Row[] {
  const here = measured.filter((each) => each.framework === framework)
  const bare = new Map(here.map(({ round }) => [round, mean(here.filter((run) => run.round === round && isBare(run)))]))
  return [...new Set([BARE, ...here.map(({ name }) => name)])].map((name) => {
    const runs = here.filter((run) => run.name === name)
    return {
      name,
      cpu: spreadOf(runs.map(({ cpu }) => cpu)),
      ratio: spreadOf(runs.map(({ cpu, round }) => cpu / (bare.get(round) ?? Number.NaN))),
      rate: spreadOf(runs.map(({ rate }) => rate)),
    }
  })
}

function isBare({ name }: Measured): boolean {
  return name === BARE
}

function mean(runs: readonly Measured[]): number {
  return runs.reduce((sum, { cpu }) => sum + cpu, 0) / runs.length
}

/** The table, as Markdown. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, cpu, ratio, rate }) => {
    const quartiles = `${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)}`
    return `| ${name} | ${ratio.median.toFixed(2)} | ${quartiles} | ${cpu.median.toFixed(1)} | ${rate.median.toFixed(0)} |`
  })
  return [
    '| | CPU ÷ bare | quartiles | µs of CPU a request | requests a second |',
    '|---|--:|--:|--:|--:|',
    ...lines,
  ].join('\n')
}

export function markdown(results: Results): string {
  const { command, at, passes, rounds, connections, warmUp, requests, measured } = results
  const { cpu, cores, system, load } = results.machine
  const installed = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`)
  const frameworks = [...new Set(measured.map(({ framework }) => framework))]
  return `# What a guarded request costs

\`${command}\` wrote this on ${at.slice(0, 10)}.

- machine: ${cpu}, ${cores} cores, ${system}; load average before the run ${load}
- versions: ${installed.join(' · ')}
- each variant ${passes} times in a fresh process, beside a bare one that is as fresh: ${warmUp} seconds of requests to warm up each, by turns, then ${rounds} rounds of bare, variant, variant, bare, ${requests} requests each over ${connections} connections by autocannon, from a process of its own; each connection is one caller with a key, but where a proxy is said to stand: there each carries the keys of 100
- the CPU is the server's (\`process.cpuUsage\`), garbage collection included; ratios are taken within a round, then their median and quartiles
- every variant was seen to admit, refuse and limit before it was timed; everything is kept in memory

${frameworks.map((framework) => `## ${framework}\n\n${table(rowsOf(measured, framework))}`).join('\n\n')}
`
}
